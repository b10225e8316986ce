"""Every signature and timestamp of a file: does it hold, what does it cover, what came after, whom to believe.

Time runs backwards here. The newest document timestamp is judged at the moment of verification; everything
under it is judged at the time that the next timestamp above it proves, with the revocation data that the file
carries. So a seal whose certificate has long expired stays valid as long as the chain of timestamps is renewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel, SignatureStatus
from pyhanko_certvalidator import ValidationContext

from dossier.trust import Trust, certificates
from dossier.verify.frugal import FrugalReader
from dossier.verify.verdict import Finding

ALLOWED_AFTER = (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING)


@dataclass(frozen=True)
class Evidence:
    """What the file itself carries for validation."""

    certificates: tuple[x509.Certificate, ...]
    revocation_lists: tuple[crl.CertificateList, ...]
    responses: tuple[ocsp.OCSPResponse, ...]

    @property
    def speaks_of_revocation(self) -> bool:
        return bool(self.revocation_lists or self.responses)


async def examine(file: BinaryIO, *, trust: Trust, moment: datetime) -> list[Finding]:
    """Findings for all signatures and document timestamps, oldest first.

    Raises whatever a hostile file makes the parser raise: the caller turns that into a verdict.
    """
    reader = _open(file)
    if _only_placeholders(reader):
        return []
    evidence = _evidence(reader)
    signatures = list(reader.embedded_signatures)
    findings = []
    for index, signature in enumerate(signatures):
        later = signatures[index + 1 :]
        examiner = _Examiner(signature, later, evidence, trust, moment)
        findings.append(await examiner.finding())
    return findings


def _open(file: BinaryIO) -> PdfFileReader:
    """Strictly first; harmless irregularities of other people's software are read leniently."""
    try:
        reader = FrugalReader(file)
        list(enumerate_sig_fields(reader))
    except PdfStrictReadError:
        reader = FrugalReader(file, strict=False)
    return reader


def _only_placeholders(reader: PdfFileReader) -> bool:
    """Signature dictionaries that were prepared and never filled are not signatures."""
    values = [value.get_object() for _, value, _ in enumerate_sig_fields(reader, filled_status=True)]
    return bool(values) and not any(bytes(value["/Contents"]).strip(b"\0") for value in values)


class _Examiner:
    """Judges one signature against what stands above it."""

    def __init__(
        self,
        signature: EmbeddedPdfSignature,
        later: Sequence[EmbeddedPdfSignature],
        evidence: Evidence,
        trust: Trust,
        moment: datetime,
    ) -> None:
        self._signature = signature
        self._evidence = evidence
        self._trust = trust
        self._moment = moment
        self._stamps_above = [item for item in later if item.sig_object_type == "/DocTimeStamp"]
        self._is_last = not later

    async def finding(self) -> Finding:
        if self._signature.sig_object_type == "/DocTimeStamp":
            return await self._timestamp()
        return await self._seal()

    async def _timestamp(self) -> Finding:
        own_time = _stamped_time(self._signature)
        # Nothing newer can vouch for the last timestamp: it stands on the revocation data of its own day,
        # and on its certificate not having run out since.
        at = own_time if not self._stamps_above else self._proven_until()
        status = await async_validate_pdf_timestamp(self._signature, self._context(at))
        problems = _coverage_problems(status.coverage, is_last=self._is_last) + _integrity_problems(status)
        if not self._stamps_above and self._signature.signer_cert.not_valid_after < self._moment:
            problems.append("文件时间戳的证书已到期，且到期前没有续加时间戳")
        return self._report("timestamp", status, own_time, proven=True, level="RFC 3161", problems=problems)

    async def _seal(self) -> Finding:
        stamp_time = _attached_time(self._signature)
        until = self._proven_until()
        at = stamp_time or until
        status = await async_validate_pdf_signature(
            self._signature,
            signer_validation_context=self._context(at),
            ts_validation_context=self._context(self._attached_until(until, stamp_time)),
        )
        problems = _coverage_problems(status.coverage, is_last=self._is_last) + _integrity_problems(status)
        problems += _change_problems(status)
        stamp = status.timestamp_validity
        proven = stamp is not None and stamp.intact and stamp.valid
        if stamp is not None and not proven:
            problems.append("签章上的时间戳无效")
        trusted_stamp = stamp is None or stamp.trusted
        if proven and not trusted_stamp and status.trusted:
            problems.append("时间戳不是受信任的机构签发，或其证书已失效")
        signed_at = stamp_time or self._signature.self_reported_timestamp
        return self._report(
            "seal", status, signed_at, proven=proven, level=self._level(stamp_time), problems=problems
        )

    def _report(
        self,
        kind: str,
        status: SignatureStatus,
        signed_at: datetime | None,
        *,
        proven: bool,
        level: str,
        problems: list[str],
    ) -> Finding:
        if status.revocation_details is not None:
            problems = [*problems, "印章证书在签章前已被吊销"]
        certificate = self._signature.signer_cert
        return Finding(
            field=str(self._signature.field_name),  # plain text, without a tie to the open file
            kind=kind,
            signer=str(certificate.subject.native.get("common_name", ""))
            or certificate.subject.human_friendly,
            signed_at=signed_at,
            time_proven=proven,
            level=level,
            intact=bool(status.intact and status.valid),
            trusted=bool(status.trusted),
            certificate_ends=certificate.not_valid_after,
            problems=tuple(problems),
        )

    def _proven_until(self) -> datetime:
        """The latest time at which somebody else vouches that this signature existed as it is."""
        return _stamped_time(self._stamps_above[0]) if self._stamps_above else self._moment

    def _attached_until(self, until: datetime, stamp_time: datetime | None) -> datetime:
        """When to judge the attached timestamp's own certificate. An unexpired one stands on the data of its day."""
        if self._stamps_above or stamp_time is None or not self._evidence.speaks_of_revocation:
            return until
        stamp_certificates = [
            item.chosen
            for token in extract_tst_data_iter(self._signature.signer_info, signed=False)
            for item in token["certificates"]
        ]
        return stamp_time if all(item.not_valid_after >= until for item in stamp_certificates) else until

    def _level(self, stamp_time: datetime | None) -> str:
        if stamp_time is None:
            return "B-B"
        if not self._evidence.speaks_of_revocation:
            return "B-T"
        return "B-LTA" if self._stamps_above else "B-LT"

    def _context(self, at: datetime) -> ValidationContext:
        fresh = self._trust.revocation_lists(self._moment) if self._trust.revocation_lists else ()
        lists = [*self._evidence.revocation_lists, *(crl.CertificateList.load(item) for item in fresh)]
        knows = bool(lists or self._evidence.responses)
        return ValidationContext(
            trust_roots=certificates(self._trust.roots),
            other_certs=[*certificates(self._trust.others), *self._evidence.certificates],
            crls=lists,
            ocsps=list(self._evidence.responses),
            allow_fetching=self._trust.online,
            revocation_mode="require" if knows else "soft-fail",
            moment=at,
            best_signature_time=at,
            retroactive_revinfo=True,
        )


def _coverage_problems(coverage: SignatureCoverageLevel | None, *, is_last: bool) -> list[str]:
    if coverage is None or coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return ["没有覆盖整个文件：有内容不受签章保护" if is_last else "没有覆盖签章时的整个文件"]
    return []


def _integrity_problems(status: SignatureStatus) -> list[str]:
    if not status.intact:
        return ["签章覆盖的内容已被改动"]
    if not status.valid:
        return ["签名值与证书不符"]
    return []


def _change_problems(status: PdfSignatureStatus) -> list[str]:
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return []
    level = status.modification_level
    if level is None or level not in ALLOWED_AFTER:
        return ["签章之后页面、批注、附件或签章外观被改动"]
    if status.docmdp_ok is False:
        return ["签章之后的改动超出了认证签章允许的范围"]
    return []


def _evidence(reader: PdfFileReader) -> Evidence:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return Evidence((), (), ())
    lists = (item.get_object().read_data(DecodePurpose.CRL) for item in store.crls)
    responses = (item.get_object().read_data(DecodePurpose.OCSP_RESPONSE) for item in store.ocsps)
    return Evidence(
        tuple(store.load_certs()),
        tuple(crl.CertificateList.load(item) for item in lists),
        tuple(ocsp.OCSPResponse.load(item) for item in responses),
    )


def _stamped_time(signature: EmbeddedPdfSignature) -> datetime:
    moment: datetime = signature.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
    return moment


def _attached_time(signature: EmbeddedPdfSignature) -> datetime | None:
    for token in extract_tst_data_iter(signature.signer_info, signed=False):
        moment: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
        return moment
    return None
