"""The zip itself: every part by its own name, checksums over all of them, and the guide that explains the checking."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from dossier.bundle.evidence import Evidence, Signature, as_pem
from dossier.bundle.guide import Facts, steps
from dossier.bundle.pages import html_page, markdown_page

CHUNK = 1 << 20
SUMS = "SHA256SUMS"
PDF = "dossier.pdf"


def write_bundle(
    target: Path,
    *,
    pdf: Path,
    evidence: Evidence,
    roots: Sequence[bytes],
    events: Iterable[str],
    facts: Facts,
    made_at: datetime,
) -> None:
    """Write the zip to `target`, whole or not at all.

    `roots` are DER certificates; `events` are the lines of the case's log (`event_line`). The same content and
    `made_at` give the same bytes. Memory does not grow with the PDF.
    """
    partial = target.with_name(target.name + ".partial")
    sums: list[str] = []
    guide = steps(facts, evidence)
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in _parts(evidence, roots, events):
                sums.append(_put(bundle, name, content, made_at))
            sums.append(_put_file(bundle, pdf, made_at))
            sums.append(_put(bundle, "VERIFY.md", markdown_page(guide, facts).encode(), made_at))
            sums.append(_put(bundle, "VERIFY.html", html_page(guide, facts).encode(), made_at))
            _put(bundle, SUMS, "".join(sorted(sums, key=lambda line: line[66:])).encode(), made_at)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def event_line(*, previous: str, digest: str, entry: str) -> str:
    """One line of events.jsonl: `entry` is the exact text that the hash was made over."""
    return f'{{"previous":"{previous}","hash":"{digest}","entry":{entry}}}\n'


def _parts(evidence: Evidence, roots: Sequence[bytes], events: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    yield "manifest.json", evidence.manifest
    yield "events.jsonl", "".join(events).encode()
    yield "certificates/roots.pem", as_pem("CERTIFICATE", roots)
    others = [item for item in evidence.certificates if item not in roots]
    yield "certificates/chain.pem", as_pem("CERTIFICATE", others)
    if evidence.revocation_lists:
        yield "revocation/crls.pem", as_pem("X509 CRL", evidence.revocation_lists)
    for number, answer in enumerate(evidence.responses, 1):
        yield f"revocation/ocsp-{number}.der", answer
    for signature in evidence.signatures:
        yield signature.name, signature.content
        if signature.token:
            yield f"timestamps/{signature.number}-signature.tst", _piece(signature, signature.token)


def _piece(signature: Signature, place: tuple[int, int]) -> bytes:
    start, length = place
    return signature.content[start : start + length]


def _put(bundle: zipfile.ZipFile, name: str, content: bytes, made_at: datetime) -> str:
    bundle.writestr(_entry(name, made_at, zipfile.ZIP_DEFLATED), content)
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n"


def _put_file(bundle: zipfile.ZipFile, path: Path, made_at: datetime) -> str:
    """The PDF as it is; scans do not compress any further."""
    digest = hashlib.sha256()
    entry = _entry(PDF, made_at, zipfile.ZIP_STORED)
    entry.file_size = path.stat().st_size
    with path.open("rb") as source, bundle.open(entry, "w") as sink:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            sink.write(chunk)
    return f"{digest.hexdigest()}  {PDF}\n"


def _entry(name: str, made_at: datetime, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, made_at.timetuple()[:6])
    entry.compress_type = method
    entry.external_attr = 0o644 << 16
    return entry
