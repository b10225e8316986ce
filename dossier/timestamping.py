"""Timestamps by RFC 3161: asked of a service, or given by the local authority inside this process."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from dossier.trust import Trust, certificates

POLICY = "2.25.142857001.1.1"  # a UUID-arc identifier of our own: local trial policy, no audited practice statement
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def remote_timestamper(url: str) -> TimeStamper:
    """A timestamp service that answers RFC 3161 over HTTP."""
    return HTTPTimeStamper(url, timeout=20)


class LocalTimestamper(TimeStamper):
    """Answers time-stamp requests with a key of its own."""

    def __init__(
        self,
        *,
        key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
        chain: Sequence[x509.Certificate],
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._key = key
        self._certificate = _asn1(certificate)
        self._chain = [_asn1(item) for item in chain]
        self._clock = clock

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return self.answer(req)

    def answer(self, request: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """A granted response with a token over the request's imprint. Raises KeyError for a hash that is not SHA-2."""
        imprint = request["message_imprint"]
        algorithm = imprint["hash_algorithm"]["algorithm"].native
        now = self._clock().astimezone(UTC).replace(microsecond=0)
        info = {
            "version": "v1",
            "policy": tsp.ObjectIdentifier(POLICY),
            "message_imprint": imprint,
            "serial_number": secrets.randbits(128),
            "gen_time": now,
            "accuracy": tsp.Accuracy({"seconds": 1}),
            "tsa": asn1_x509.GeneralName(name="directory_name", value=self._certificate.subject),
        }
        if request["nonce"].native is not None:
            info["nonce"] = request["nonce"]
        token = self._token(tsp.TSTInfo(info).dump(), algorithm, now)
        status = tsp.PKIStatusInfo({"status": tsp.PKIStatus("granted")})
        return tsp.TimeStampResp({"status": status, "time_stamp_token": token})

    def _token(self, info: bytes, algorithm: str, now: datetime) -> cms.ContentInfo:
        digest = hashes.Hash(HASHES[algorithm])
        digest.update(info)
        attributes = cms.CMSAttributes(
            [
                simple_cms_attribute("content_type", "tst_info"),
                simple_cms_attribute("signing_time", cms.Time({"utc_time": core.UTCTime(now)})),
                simple_cms_attribute("signing_certificate_v2", as_signing_certificate_v2(self._certificate)),
                simple_cms_attribute("message_digest", digest.finalize()),
            ]
        )
        signature = self._key.sign(attributes.dump(), ec.ECDSA(HASHES[algorithm]))
        digest_algorithm = algos.DigestAlgorithm({"algorithm": algorithm})
        issuer_and_serial = cms.IssuerAndSerialNumber(
            {"issuer": self._certificate.issuer, "serial_number": self._certificate.serial_number}
        )
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": issuer_and_serial}),
                "digest_algorithm": digest_algorithm,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": f"{algorithm}_ecdsa"}),
                "signed_attrs": attributes,
                "signature": signature,
            }
        )
        content = cms.EncapsulatedContentInfo(
            {"content_type": cms.ContentType("tst_info"), "content": cms.ParsableOctetString(info)}
        )
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": cms.DigestAlgorithms((digest_algorithm,)),
                "encap_content_info": content,
                "certificates": [self._certificate, *self._chain],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": cms.ContentType("signed_data"), "content": signed})


def stamp(content: bytes, service: TimeStamper) -> bytes:
    """A time-stamp token (DER) over the SHA-256 of `content`. Raises TimestampRequestError and OSError."""
    token = asyncio.run(service.async_timestamp(hashlib.sha256(content).digest(), "sha256"))
    return bytes(token.dump())


def stamped_digest(token: bytes) -> str | None:
    """The digest (hex) that a token stamps; None when these bytes are no token."""
    try:
        imprint = _told(token)["message_imprint"]
    except (ValueError, TypeError, KeyError):
        return None
    return bytes(imprint["hashed_message"].native).hex()


def stamp_holds(token: bytes, content: bytes, trust: Trust) -> bool:
    """Whether a service that is trusted made this token over `content`, with a certificate that was valid on that day.

    Revocation is not asked for: the token carries none of it.
    """
    moment: datetime = _told(token)["gen_time"].native
    context = ValidationContext(
        trust_roots=certificates(trust.roots),
        other_certs=certificates(trust.others),
        revocation_mode="soft-fail",
        moment=moment,
    )
    try:
        told = asyncio.run(
            validate_tst_signed_data(
                cms.ContentInfo.load(token)["content"],
                context,
                lambda algorithm: hashlib.new(algorithm, content).digest(),
            )
        )
    except SignatureValidationError:
        return False
    status = TimestampSignatureStatus(**told)
    return bool(status.intact and status.valid and status.trusted)


def _told(token: bytes) -> tsp.TSTInfo:
    return cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
