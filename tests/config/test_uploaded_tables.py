"""Workbooks and lists go through the same virus scanner as papers, before anything of ours opens them."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django.fixtures import Settings

from logistics.models import StatementUpload, TariffContract
from registry.actors import Actor
from registry.models import ServiceItem
from tests.cast import Cast, assemble
from tests.config.conftest import SignIn
from tests.ingest.scanners import MARK, NAME, small_scanner
from tests.logistics.postage_world import MONTH, PostageWorld
from tests.shared import ROOT

DOORS = {"statements": {"carrier": "ems", "month": MONTH}, "tariffs": {"carrier": "ems", "act": "import"}, "catalogue": {"act": "import"}}  # fmt: skip
HANDLES_BYTES = re.compile(r"\.chunks\(\)|temporary_file_path")


@pytest.fixture
def world(db: None, objects: None) -> PostageWorld:
    return PostageWorld.build(assemble())


@pytest.fixture
def scanner() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="clam-") as folder, small_scanner(Path(folder)) as address:
        yield address


def keeper(cast: Cast, name: str) -> Actor:
    return cast.administrator if name == "catalogue" else cast.finance


def kept() -> tuple[int, int, int]:
    return StatementUpload.objects.count(), TariffContract.objects.count(), ServiceItem.objects.count()


@pytest.mark.parametrize("name", DOORS)
def test_what_the_scanner_knows_is_refused_with_its_name(
    name: str, world: PostageWorld, sign_in: SignIn, scanner: str, settings: Settings
) -> None:
    settings.CLAMAV = scanner
    before = kept()
    file = SimpleUploadedFile("a.csv", b"\xef\xbb\xbf" + MARK)
    answer = sign_in(keeper(world.cast, name)).post(reverse(name), {**DOORS[name], "file": file})
    assert answer.status_code == 409
    assert f"病毒特征（{NAME}.UNOFFICIAL）" in answer.content.decode()
    assert kept() == before


@pytest.mark.parametrize("name", DOORS)
def test_nothing_is_taken_in_while_the_scanner_is_away(
    name: str, world: PostageWorld, sign_in: SignIn, settings: Settings, tmp_path: Path
) -> None:
    settings.CLAMAV = str(tmp_path / "nobody.sock")
    before = kept()
    client = sign_in(keeper(world.cast, name))
    answer = client.post(reverse(name), {**DOORS[name], "file": SimpleUploadedFile("a.csv", b"a,b\n1,2\n")})
    assert answer.status_code == 409
    assert "暂不能检查病毒" in answer.content.decode()
    assert kept() == before
    settings.CLAMAV_AWAY = "accept"
    answer = client.post(reverse(name), {**DOORS[name], "file": SimpleUploadedFile("a.csv", b"a,b\n1,2\n")})
    assert "暂不能检查病毒" not in answer.content.decode()


def test_a_clean_list_is_read(world: PostageWorld, sign_in: SignIn, scanner: str, settings: Settings) -> None:
    settings.CLAMAV = scanner
    client = sign_in(world.cast.administrator)
    content = client.get(reverse("catalogue_csv")).content
    answer = client.post(
        reverse("catalogue"), {"act": "check", "file": SimpleUploadedFile("list.csv", content)}
    )
    assert "病毒" not in answer.content.decode(), "its reader has the last word"


def test_uploads_come_in_through_one_door() -> None:
    """Whoever takes bytes from a request is named here: a new form goes through `config.pages.incoming`."""
    rooms = ("config", "dossier", "ingest", "logistics", "ocr", "registry", "storage", "workers")
    found = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if HANDLES_BYTES.search(path.read_text())
    }
    assert found == {
        "config/pages/incoming.py",
        "config/idempotency.py",  # only its digest is taken
        "ingest/api.py",  # a paper, which `examine` asks about
        "config/pages/dossiers.py",  # a dossier to be verified in a child process, kept nowhere
        "dossier/api.py",  # the same
    }
