"""A certificate authority of our own, made on first run: seals, timestamps and revocation lists without a network.

It serves trials, demonstrations and closed networks. Production names its seals (PKCS#12 or PKCS#11), its
timestamp service and its trust roots instead, and then nothing here is called.
"""

import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dossier.timestamping import LocalTimestamper
from storage.errors import Refused

CA_LIFE = timedelta(days=365 * 30)
SEAL_LIFE = timedelta(days=365 * 5)
TSA_LIFE = timedelta(days=365 * 15)
CRL_LIFE = timedelta(days=7)
RENEW_BEFORE = timedelta(days=30)
TSA_RENEW_BEFORE = timedelta(days=400)
"""Longer than dossiers wait with renewing their timestamps (TONGBAN_STAMP_RENEWAL_DAYS), so that renewing helps."""
CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


class BadCode(Refused):
    """A seal's code would not do as a file name."""


@dataclass(frozen=True, slots=True)
class SealFile:
    """A seal as PKCS#12 on disk, with its passphrase."""

    path: Path
    passphrase: bytes


@dataclass(frozen=True, slots=True)
class _Identity:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@lru_cache(maxsize=8)
def _opened(content: bytes, passphrase: bytes) -> _Identity:
    """What a PKCS#12 file holds. To open one takes as long as a signature, and one dossier opens them thirty times."""
    key, certificate, _ = pkcs12.load_key_and_certificates(content, passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate is None:
        raise ValueError("no elliptic-curve key with its certificate")
    return _Identity(key, certificate)


class LocalAuthority:
    """The keys and certificates under one folder. Every call makes what is missing and leaves the rest alone;
    a crash between two calls loses nothing, because each file appears whole or not at all."""

    def __init__(self, folder: Path, *, now: datetime) -> None:
        self._folder = folder
        (folder / "seals").mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        with self._locked():
            self._root = self._identity(folder / "root.p12", lambda: self._make_root(now))
            self._issuing = self._identity(folder / "issuing.p12", lambda: self._make_issuing(now))
            self._retire(folder / "tsa.p12", now, TSA_RENEW_BEFORE)
            self._tsa = self._identity(
                folder / "tsa.p12",
                lambda: self._make_leaf("通办本地时间戳", "", now, TSA_LIFE, stamps_time=True),
            )
            self._write(
                self.roots_file, self._root.certificate.public_bytes(Encoding.PEM), only_if_missing=True
            )

    @property
    def roots_file(self) -> Path:
        """PEM file of the root that everything here chains to."""
        return self._folder / "root.pem"

    @property
    def issuing_certificate(self) -> bytes:
        """DER."""
        return self._issuing.certificate.public_bytes(Encoding.DER)

    def seal(self, code: str, *, holder: str, organisation: str, now: datetime) -> SealFile:
        """The seal of a window, office or centre; made on first use and again shortly before it expires.

        `code` names the file (letters, digits, - _ .); `holder` and `organisation` stand in the certificate.
        """
        if not CODE.match(code):
            raise BadCode("bad-seal-code", "印章编码只能由字母、数字、点、横线和下划线组成。")
        path = self._folder / "seals" / f"{code}.p12"
        with self._locked():
            self._retire(path, now, RENEW_BEFORE)
            self._identity(path, lambda: self._make_leaf(holder, organisation, now, SEAL_LIFE))
        return SealFile(path, self._passphrase(path))

    def timestamper(self, clock: Callable[[], datetime]) -> LocalTimestamper:
        """An RFC 3161 authority inside this process; `clock` gives the time that it vouches for."""
        return LocalTimestamper(
            key=self._tsa.key,
            certificate=self._tsa.certificate,
            chain=[self._issuing.certificate],
            clock=clock,
        )

    def revocation_lists(self, *, now: datetime) -> list[bytes]:
        """Fresh CRLs of the root and of the issuing authority, DER, as of `now`."""
        return [
            self._revocation_list(self._root, [], now),
            self._revocation_list(self._issuing, self._revoked(), now),
        ]

    def revoke(self, seal: SealFile, *, now: datetime) -> None:
        """Put a seal's certificate on the revocation list from `now` on."""
        serial = str(self._load(seal.path).certificate.serial_number)
        with self._locked():
            revoked = self._revoked()
            if serial not in dict(revoked):
                revoked.append((serial, now.astimezone(UTC).isoformat()))
                self._write(self._folder / "revoked.json", json.dumps(revoked).encode())

    def _revoked(self) -> list[tuple[str, str]]:
        path = self._folder / "revoked.json"
        return [(serial, at) for serial, at in json.loads(path.read_bytes())] if path.exists() else []

    @staticmethod
    def _revocation_list(issuer: _Identity, revoked: list[tuple[str, str]], now: datetime) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(now)
            .next_update(now + CRL_LIFE)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
            )
        )
        for serial, at in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(int(serial))
            builder = builder.add_revoked_certificate(
                entry.revocation_date(datetime.fromisoformat(at)).build()
            )
        return builder.sign(issuer.key, hashes.SHA384()).public_bytes(Encoding.DER)

    def _make_root(self, now: datetime) -> _Identity:
        key = ec.generate_private_key(ec.SECP384R1())
        name = _name("通办本地根证书", "")
        return _Identity(key, _authority(name, name, key, key, now, path_length=1))

    def _make_issuing(self, now: datetime) -> _Identity:
        key = ec.generate_private_key(ec.SECP384R1())
        issuer = self._root.certificate.subject
        return _Identity(
            key, _authority(_name("通办本地签发证书", ""), issuer, key, self._root.key, now, path_length=0)
        )

    def _make_leaf(
        self, holder: str, organisation: str, now: datetime, life: timedelta, *, stamps_time: bool = False
    ) -> _Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._issuing.certificate
        ends = min(now + life, issuer.not_valid_after_utc)
        builder = _builder(_name(holder, organisation), issuer.subject, key, self._issuing.key, now, ends)
        builder = builder.add_extension(_usage(signs_documents=True), critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if stamps_time:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
            )
        return _Identity(key, builder.sign(self._issuing.key, hashes.SHA384()))

    def _identity(self, path: Path, make: Callable[[], _Identity]) -> _Identity:
        if path.exists():
            return self._load(path)
        made = make()
        chain = [self._issuing.certificate] if path.name not in ("root.p12", "issuing.p12") else None
        content = pkcs12.serialize_key_and_certificates(
            path.stem.encode(),
            made.key,
            made.certificate,
            chain,
            BestAvailableEncryption(self._passphrase(path)),
        )
        self._write(path, content)
        return made

    def _retire(self, path: Path, now: datetime, before: timedelta) -> None:
        """Put a key aside whose certificate ends soon; a fresh one takes its name."""
        if path.exists():
            ends = self._load(path).certificate.not_valid_after_utc
            if ends - now < before:
                path.rename(path.with_name(f"{path.stem}.until-{ends:%Y%m%d}.p12"))

    def _load(self, path: Path) -> _Identity:
        try:
            return _opened(path.read_bytes(), self._passphrase(path))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error

    def _passphrase(self, path: Path) -> bytes:
        """Generated before the first key that it protects, and kept beside it, readable by the owner only."""
        kept = path.with_name(path.stem.split(".until-")[0] + ".pass")
        self._write(kept, secrets.token_urlsafe(32).encode(), only_if_missing=True)
        return kept.read_bytes()

    @staticmethod
    def _write(path: Path, content: bytes, *, only_if_missing: bool = False) -> None:
        if only_if_missing and path.exists():
            return
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _name(common: str, organisation: str) -> x509.Name:
    """X.520 allows 64 characters a part."""
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]))
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, common[:64]))
    return x509.Name(parts)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    path_length: int,
) -> x509.Certificate:
    builder = _builder(subject, issuer, key, issuer_key, now, now + CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_usage(signs_documents=False), critical=True)
    return builder.sign(issuer_key, hashes.SHA384())


def _usage(*, signs_documents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_documents,
        content_commitment=signs_documents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_documents,
        crl_sign=not signs_documents,
        encipher_only=False,
        decipher_only=False,
    )
