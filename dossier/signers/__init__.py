"""Where a seal's key lives: a PKCS#12 file, a PKCS#11 token, or a seal platform."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
from pyhanko.sign.signers import Signer, SimpleSigner

from dossier.signers.platform import PlatformSeal, platform_signer
from dossier.signers.unusable import SealUnusable
from dossier.trust import certificates

__all__ = ["DIGEST", "Pkcs11Seal", "Pkcs12Seal", "PlatformSeal", "Seal", "SealUnusable", "open_signer"]

DIGEST = "sha256"


@dataclass(frozen=True, slots=True)
class Pkcs12Seal:
    """A key and its certificates in one protected file."""

    path: Path
    passphrase: bytes


@dataclass(frozen=True, slots=True)
class Pkcs11Seal:
    """A key inside a token; `chain` holds the authorities' certificates (DER) that the token does not."""

    module: Path
    token: str
    pin: str
    label: str
    chain: tuple[bytes, ...] = ()


Seal = Pkcs12Seal | Pkcs11Seal | PlatformSeal


@asynccontextmanager
async def open_signer(seal: Seal) -> AsyncIterator[Signer]:
    """The seal as a signer for as long as the block runs. Raises SealUnusable."""
    match seal:
        case Pkcs12Seal():
            yield _from_file(seal)
        case Pkcs11Seal():
            with _token_session(seal) as session:
                yield _from_token(seal, session)
        case PlatformSeal():
            async with platform_signer(seal) as signer:
                yield signer


def _from_file(seal: Pkcs12Seal) -> Signer:
    try:
        signer: Signer = SimpleSigner.load_pkcs12_data(
            seal.path.read_bytes(), other_certs=[], passphrase=seal.passphrase
        )
    except (OSError, ValueError) as error:
        raise SealUnusable from error
    return signer


@contextmanager
def _token_session(seal: Pkcs11Seal) -> Iterator[pkcs11.Session]:
    try:
        session = open_pkcs11_session(
            str(seal.module), token_criteria=TokenCriteria(label=seal.token), user_pin=seal.pin
        )
    except pkcs11.PKCS11Error as error:
        raise SealUnusable(can_retry=True) from error
    try:
        yield session
    finally:
        session.close()


def _from_token(seal: Pkcs11Seal, session: pkcs11.Session) -> Signer:
    """Many tokens sign elliptic-curve digests only, and hash nothing themselves."""
    chain = certificates(seal.chain)
    signer = PKCS11Signer(session, cert_label=seal.label, key_label=seal.label, ca_chain=chain)
    certificate = signer.signing_cert
    if certificate is not None and certificate.public_key.algorithm == "ec":
        return PKCS11Signer(
            session, cert_label=seal.label, key_label=seal.label, ca_chain=chain, use_raw_mechanism=True
        )
    return signer
