"""What a sealed PDF carries as proof: signatures with their bytes and times, certificates, revocation data, manifest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pikepdf
from asn1crypto import cms, pem
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from dossier.verify.frugal import FrugalReader
from dossier.verify.pages import MANIFEST_NAME


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature or document timestamp, in file order.

    `ranges` is the PDF's /ByteRange; `object_number` names the signature dictionary for `qpdf --show-object`.
    `token` and `value` are offset and length, inside `content`, of the attached timestamp and of the signature
    value that it stamps; None without one. `checked_at` is when its certificate has to have been good: None is today.
    """

    number: int
    field: str
    is_timestamp: bool
    signer: str
    object_number: int
    ranges: tuple[int, int, int, int]
    content: bytes
    token: tuple[int, int] | None
    value: tuple[int, int] | None
    stamped_at: datetime | None
    checked_at: datetime | None

    @property
    def name(self) -> str:
        """Where it lies in the bundle."""
        return f"timestamps/{self.number}.tst" if self.is_timestamp else f"signatures/{self.number}.p7s"

    @property
    def end(self) -> int:
        """The length of the file that it vouches for."""
        return self.ranges[2] + self.ranges[3]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything in DER except the manifest, which is JSON."""

    signatures: tuple[Signature, ...]
    certificates: tuple[bytes, ...]
    revocation_lists: tuple[bytes, ...]
    responses: tuple[bytes, ...]
    manifest: bytes


def evidence_of(path: Path) -> Evidence:
    """Read a file of our own (verified against the record by the caller)."""
    with path.open("rb") as file:
        reader = FrugalReader(file)
        embedded = list(reader.embedded_signatures)
        signatures = tuple(
            _signature(number, item, embedded[number:]) for number, item in enumerate(embedded, 1)
        )
        certificates = [
            item.chosen.dump() for found in embedded for item in found.signed_data["certificates"]
        ]
        certificates += [
            item.chosen.dump()
            for found in embedded
            for token in _attached(found)
            for item in token["content"]["certificates"]
        ]
        lists: list[bytes] = []
        responses: list[bytes] = []
        try:
            store = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            pass  # levels below B-LT carry none, and the guide then leaves the revocation steps out
        else:
            certificates += [item.dump() for item in store.load_certs()]
            lists = [item.get_object().read_data(DecodePurpose.CRL) for item in store.crls]
            responses = [item.get_object().read_data(DecodePurpose.OCSP_RESPONSE) for item in store.ocsps]
    with pikepdf.open(path) as pdf:
        manifest = pdf.attachments[MANIFEST_NAME].get_file().read_bytes()
    return Evidence(signatures, _once(certificates), _once(lists), _once(responses), manifest)


def as_pem(kind: str, items: Iterable[bytes]) -> bytes:
    return b"".join(pem.armor(kind, item) for item in items)


def _signature(number: int, item: EmbeddedPdfSignature, later: list[EmbeddedPdfSignature]) -> Signature:
    is_timestamp = item.sig_object_type == "/DocTimeStamp"
    content = cms.ContentInfo.load(item.pkcs7_content).dump()  # without the zeros that fill the reserved room
    tokens = [] if is_timestamp else _attached(item)
    own = _time_of(item.signed_data) if is_timestamp else None
    attached = _time_of(tokens[0]["content"]) if tokens else None
    above = [other for other in later if other.sig_object_type == "/DocTimeStamp"]
    proven = _time_of(above[0].signed_data) if above else None
    return Signature(
        number=number,
        field=str(item.field_name),
        is_timestamp=is_timestamp,
        signer=str(item.signer_cert.subject.native.get("common_name", "")),
        object_number=item.sig_field.raw_get("/V").idnum,
        ranges=_four(item.byte_range),
        content=content,
        token=_place(content, tokens[0].dump()) if tokens else None,
        value=_place(content, item.signer_info["signature"].contents) if tokens else None,
        stamped_at=own or attached,
        checked_at=proven if is_timestamp else proven or attached,
    )


def _attached(item: EmbeddedPdfSignature) -> list[cms.ContentInfo]:
    """The timestamps over the signature's own value."""
    return [
        token
        for attribute in item.signer_info["unsigned_attrs"]
        if attribute["type"].native == "signature_time_stamp_token"
        for token in attribute["values"]
    ]


def _time_of(stamp: cms.SignedData) -> datetime:
    moment: datetime = stamp["encap_content_info"]["content"].parsed["gen_time"].native
    return moment


def _place(whole: bytes, part: bytes) -> tuple[int, int]:
    return whole.index(part), len(part)


def _four(ranges: Iterable[object]) -> tuple[int, int, int, int]:
    first, length, second, rest = (int(str(value)) for value in ranges)
    return first, length, second, rest


def _once(items: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(items))
