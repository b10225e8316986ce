"""What a verifier trusts and what it knows about revocation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import pem, x509
from pyhanko_certvalidator import ValidationContext


@dataclass(frozen=True)
class Trust:
    """Certificates are DER. `revocation_lists` gives CRLs as of a moment, for an authority that needs no network;
    `online` allows fetching CRLs and OCSP answers from where certificates say."""

    roots: tuple[bytes, ...]
    others: tuple[bytes, ...] = ()
    revocation_lists: Callable[[datetime], Sequence[bytes]] | None = None
    online: bool = False

    def context(self, *, moment: datetime) -> ValidationContext:
        """For gathering validation data at signing time: every certificate must show that it is not revoked."""
        lists = self.revocation_lists(moment) if self.revocation_lists else ()
        return ValidationContext(
            trust_roots=certificates(self.roots),
            other_certs=certificates(self.others),
            crls=[asn1_crl.CertificateList.load(item) for item in lists],
            allow_fetching=self.online,
            revocation_mode="require" if lists else "hard-fail",
            moment=None if self.online else moment,
        )


def certificates(encoded: Iterable[bytes]) -> list[x509.Certificate]:
    return [x509.Certificate.load(item) for item in encoded]


def read_certificates(path: Path) -> tuple[bytes, ...]:
    """All certificates of a PEM or DER file, as DER."""
    content = path.read_bytes()
    if not pem.detect(content):
        return (content,)
    return tuple(body for _, _, body in pem.unarmor(content, multiple=True))
