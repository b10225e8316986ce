"""A seal whose key lives on a seal platform: what goes out, what comes back, and what happens when it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dossier.contents import WINDOW_SEAL
from dossier.models import Dossier, DossierRevision, DossierState
from dossier.sealing import local_authority
from dossier.services import build, check_file
from dossier.sign import system_clock
from dossier.signers import Pkcs12Seal, SealUnusable
from dossier.signers.platform import platform_seal
from dossier.verify import verify
from ingest.models import Handling
from registry.actors import SYSTEM
from registry.models import Event, Seal
from storage.errors import Refused
from tests.dossier.cases import LATER, file_of
from tests.dossier.paper import WINDOW, SealOffice
from tests.dossier.platform import Platform, running
from tests.dossier.test_sign import opened
from tests.verapdf import assert_pdfa

SECRET = "hall:s%3Acret:4711"


@pytest.fixture
def platform(seals: SealOffice) -> Iterator[Platform]:
    key, certificate, chain = opened(seals.window)
    with running(Platform(key, [certificate, *chain])) as started:
        yield started


def test_the_platform_sees_one_digest_and_the_file_is_sealed(
    tmp_path: Path, unsigned: Path, seals: SealOffice, platform: Platform
) -> None:
    seal = platform_seal(platform.reference, SECRET)
    made = seals.seal(unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=seal)
    verdict = verify(made, trust=seals.trust, moment=system_clock())
    assert verdict.is_valid, verdict.reasons
    assert (verdict.findings[0].signer, verdict.findings[0].level) == (WINDOW, "B-LTA")
    assert [len(digest) for digest in platform.digests] == [32]
    assert platform.asked == [
        "oauth2/token",
        "credentials/info",
        "credentials/authorize",
        "signatures/signHash",
    ]
    assert_pdfa(made)


@pytest.mark.parametrize(
    ("secret", "last"),
    [("hall:s%3Acret:0000", "credentials/authorize"), ("hall:wrong:4711", "oauth2/token")],
)
def test_a_wrong_pin_is_tried_once_and_nothing_is_left(
    tmp_path: Path, unsigned: Path, seals: SealOffice, platform: Platform, secret: str, last: str
) -> None:
    with pytest.raises(SealUnusable) as refusal:
        seals.seal(
            unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=platform_seal(platform.reference, secret)
        )
    assert not refusal.value.can_retry, "a second wrong PIN may lock the credential"
    assert platform.asked[-1] == last
    assert platform.asked.count(last) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("endpoint", ["credentials/info", "credentials/authorize", "signatures/signHash"])
def test_a_refusal_at_any_step_is_final(
    tmp_path: Path, unsigned: Path, seals: SealOffice, platform: Platform, endpoint: str
) -> None:
    platform.refuses = endpoint
    with pytest.raises(SealUnusable) as refusal:
        seals.seal(
            unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=platform_seal(platform.reference, SECRET)
        )
    assert not refusal.value.can_retry
    assert platform.asked.count(endpoint) == 1
    assert not list(tmp_path.iterdir())


def test_a_platform_that_is_down_can_be_asked_later(
    tmp_path: Path, unsigned: Path, seals: SealOffice, platform: Platform
) -> None:
    seal = platform_seal(platform.reference, SECRET)
    platform.broken = True
    with pytest.raises(SealUnusable) as refusal:
        seals.seal(unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=seal)
    assert refusal.value.can_retry
    away = platform_seal("http://127.0.0.1:9/tsp#seal-7", SECRET)
    with pytest.raises(SealUnusable) as refusal:
        seals.seal(unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=away)
    assert refusal.value.can_retry
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "reference", ["", "#seal-7", "https://sign.example.cn/tsp", "http://sign.example.cn/tsp#seal-7"]
)
def test_an_address_that_is_not_safe_or_not_whole_is_refused(reference: str) -> None:
    with pytest.raises(SealUnusable):
        platform_seal(reference, SECRET)


def test_secrets_do_not_show() -> None:
    shown = repr(platform_seal("https://sign.example.cn/tsp#seal-7", "hall:s%3Acret:4711"))
    assert "s:cret" not in shown
    assert "4711" not in shown


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
@pytest.mark.parametrize("honest", [True, False])
def test_a_window_whose_seal_lies_there_seals_its_dossiers(
    handling: Handling, settings: Any, tmp_path: Path, honest: bool
) -> None:
    """A platform that signs with another key than its certificate's is found out before anything is kept."""
    made = local_authority().seal("platform", holder=WINDOW, organisation="测试机构", now=system_clock())
    key, certificate, chain = opened(Pkcs12Seal(made.path, made.passphrase))
    platform = Platform(key if honest else ec.generate_private_key(ec.SECP256R1()), [certificate, *chain])
    with running(platform):
        window = handling.case.window
        window.seal = Seal.objects.create(
            code="w1", name="专用章", source=Seal.Source.PLATFORM, reference=platform.reference
        )
        window.save()
        settings.SEAL_SECRETS = {"w1": SECRET}
        fresh = Handling.objects.get(pk=handling.pk)
        if honest:
            dossier = build(handling=fresh, version=1, actor=SYSTEM, now=LATER)
            verdict = check_file(path=file_of(dossier, tmp_path), dossier=dossier)
            assert verdict.is_valid, verdict.reasons
        else:
            with pytest.raises(Refused):
                build(handling=fresh, version=1, actor=SYSTEM, now=LATER)
            assert Dossier.objects.get().state == DossierState.BUILDING
            assert not DossierRevision.objects.exists()
            assert not Event.objects.filter(kind="dossier.signed").exists()
    assert len(platform.digests) == 1
