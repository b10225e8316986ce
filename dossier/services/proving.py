"""A dossier with everything that lets a stranger check it: the proof bundle."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from dossier.bundle import evidence_of, write_bundle
from dossier.bundle.archive import event_line
from dossier.bundle.guide import Facts
from dossier.models import Dossier, DossierDownload
from dossier.sealing import installation_trust
from dossier.services.building import sound
from dossier.services.countersigning import expected_of
from dossier.services.handing_out import NotReady, authorise_download
from registry.actors import Actor
from registry.events import entry_text
from registry.models import Event
from storage.scratch import scratch
from storage.services import fetch_to


def proof_bundle(*, dossier: Dossier, actor: Actor, now: datetime, target: Path) -> DossierDownload:
    """Write the zip to `target` and record that it was handed out, which its own log then tells.

    For whom the file itself is: the deciding office. Raises NotYours, NotReady, NotSound when the kept file does
    not stand verification, and what the store raises.
    """
    download = authorise_download(dossier=dossier, actor=actor, now=now, purpose="证明包")
    if dossier.stored is None:
        raise NotReady
    trust = installation_trust()
    with scratch("bundle") as folder:
        pdf = folder / "dossier.pdf"
        fetch_to(dossier.stored, pdf)
        sound(pdf, trust, expected_of(dossier))
        write_bundle(
            target,
            pdf=pdf,
            evidence=evidence_of(pdf),
            roots=trust.roots,
            events=_log(dossier.handling.case.number),
            facts=_facts(dossier, now),
            made_at=now,
        )
    return download


def _facts(dossier: Dossier, now: datetime) -> Facts:
    revisions = dossier.revisions.order_by("number").values_list("size", "sha256")
    return Facts(
        case_number=dossier.handling.case.number,
        version=dossier.version,
        sha256=dossier.sha256,
        revisions=tuple((int(size), str(digest)) for size, digest in revisions),
        made_at=now,
    )


def _log(stream: str) -> Iterator[str]:
    for event in Event.objects.filter(stream=stream).order_by("sequence").iterator():
        yield event_line(previous=event.previous_hash, digest=event.hash, entry=entry_text(event))
