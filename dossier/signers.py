"""Where a seal's key lives: a PKCS#12 file, a PKCS#11 token, or a seal platform that signs digests."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from asn1crypto import algos, x509
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
from pyhanko.sign.signers import Signer, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from dossier.trust import certificates
from storage.errors import Refused

DIGEST = "sha256"


class SealUnusable(Refused):
    """The seal's key cannot be opened."""

    def __init__(self, *, can_retry: bool = False) -> None:
        message = "电子印章无法打开，请管理员核对印章文件、口令或密码设备后重试。"
        super().__init__("seal-unusable", message, can_retry=can_retry)


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


@dataclass(frozen=True, slots=True)
class RemoteSeal:
    """A seal platform: a digest goes out, a signature value comes back.

    `sign_digest` takes the digest and its algorithm ("sha256") and gives what the certificate's key makes of it:
    PKCS#1 v1.5 for RSA, a DER ECDSA-Sig-Value for elliptic curves. Certificates are DER.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    sign_digest: Callable[[bytes, str], bytes]


Seal = Pkcs12Seal | Pkcs11Seal | RemoteSeal


@contextmanager
def open_signer(seal: Seal) -> Iterator[Signer]:
    """The seal as a signer for as long as the block runs. Raises SealUnusable."""
    match seal:
        case Pkcs12Seal():
            yield _from_file(seal)
        case Pkcs11Seal():
            with _token_session(seal) as session:
                yield _from_token(seal, session)
        case RemoteSeal():
            yield _RemoteSigner(seal)


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


class _RemoteSigner(Signer):
    """Hands the digest of the signed attributes to the platform."""

    def __init__(self, seal: RemoteSeal) -> None:
        certificate = x509.Certificate.load(seal.certificate)
        store = SimpleCertificateStore()
        store.register_multiple(certificates(seal.chain))
        elliptic = certificate.public_key.algorithm == "ec"
        mechanism = algos.SignedDigestAlgorithm({"algorithm": f"{DIGEST}_{'ecdsa' if elliptic else 'rsa'}"})
        super().__init__(signing_cert=certificate, cert_registry=store, signature_mechanism=mechanism)
        self._sign_digest = seal.sign_digest
        self._size = (
            80 + certificate.public_key.bit_size // 4 if elliptic else certificate.public_key.bit_size // 8
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:
            return bytes(self._size)
        return self._sign_digest(hashlib.new(digest_algorithm, data).digest(), digest_algorithm)
