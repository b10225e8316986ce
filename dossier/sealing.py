"""Which key, timestamp service and trust roots serve this installation: the settings' side of sealing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from pyhanko.sign.timestamps import TimeStamper

from dossier.appearance import Appearance
from dossier.authority import LocalAuthority
from dossier.contents import Level
from dossier.seal_image import draw_seal
from dossier.sign import system_clock
from dossier.signers import Pkcs11Seal, Pkcs12Seal, SealUnusable
from dossier.signers import Seal as SealKey
from dossier.signers.platform import platform_seal
from dossier.timestamping import remote_timestamper
from dossier.trust import Trust, read_certificates
from registry.models import Office, Seal, ServiceCentre, Window

Holder = Window | Office | ServiceCentre


@dataclass(frozen=True)
class SealSetup:
    """Everything that `dossier.sign.seal_pdf` needs for one holder, except the file and the field."""

    key: SealKey
    appearance: Appearance
    timestamper: TimeStamper | None
    trust: Trust
    level: Level


def setup_for(holder: Holder) -> SealSetup:
    """The holder's seal as configured; without one, or with a local one, the local authority makes it.

    Raises SealUnusable when a configured key has no passphrase or module.
    """
    seal = holder.seal
    key = _local_key(holder) if seal is None or seal.source == Seal.Source.LOCAL else _configured_key(seal)
    return SealSetup(
        key=key,
        appearance=Appearance(draw_seal(seal.name.removesuffix("业务专用章") if seal else holder.name)),
        timestamper=timestamper(),
        trust=installation_trust(),
        level=Level(settings.SIGNATURE_LEVEL),
    )


def installation_trust() -> Trust:
    """The roots that seals must chain to: the operator's, and the local authority's where it is in use."""
    roots: tuple[bytes, ...] = ()
    if settings.TRUST_ROOTS:
        roots = read_certificates(Path(settings.TRUST_ROOTS))
    if settings.TRUST_ROOTS and settings.TSA_URL:
        return Trust(roots=roots, online=True)
    authority = local_authority()
    return Trust(
        roots=roots + read_certificates(authority.roots_file),
        others=(authority.issuing_certificate,),
        revocation_lists=_fresh_lists,
        online=bool(settings.TRUST_ROOTS),
    )


def timestamper() -> TimeStamper:
    if settings.TSA_URL:
        return remote_timestamper(settings.TSA_URL)
    return local_authority().timestamper(system_clock)


def local_authority() -> LocalAuthority:
    return LocalAuthority(Path(settings.AUTHORITY_DIR), now=system_clock())


def _fresh_lists(moment: datetime) -> list[bytes]:
    return local_authority().revocation_lists(now=moment)


def _local_key(holder: Holder) -> SealKey:
    centre = holder if isinstance(holder, ServiceCentre) else holder.centre
    code = f"{holder._meta.model_name}-{holder.code}"
    made = local_authority().seal(code, holder=holder.name, organisation=centre.name, now=system_clock())
    return Pkcs12Seal(made.path, made.passphrase)


def _configured_key(seal: Seal) -> SealKey:
    secret = settings.SEAL_SECRETS.get(seal.code, "")
    if seal.source == Seal.Source.PLATFORM:
        return platform_seal(seal.reference, secret)
    if not secret:
        raise SealUnusable
    if seal.source == Seal.Source.PKCS12:
        return Pkcs12Seal(Path(seal.reference), secret.encode())
    token, _, label = seal.reference.partition(":")
    chain = read_certificates(Path(settings.TRUST_ROOTS)) if settings.TRUST_ROOTS else ()
    return Pkcs11Seal(Path(settings.PKCS11_MODULE), token, secret, label or token, chain)
