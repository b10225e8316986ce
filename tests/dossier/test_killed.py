"""A process that is killed (SIGKILL) in the middle of building, countersigning or renewing leaves the old state, and
the next attempt makes the new one, once."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dossier.models import Dossier, DossierState
from dossier.services import build, check_file, countersign, renew
from ingest.models import Handling
from registry.actors import SYSTEM
from registry.events import verify_chains
from registry.models import Event
from tests.cast import Cast
from tests.dossier.cases import LATER, file_of
from tests.dossier.test_renewing import move_clock
from tests.shared import ROOT

CLEAR = "from storage.scratch import clear_left_behind; clear_left_behind()"

pytestmark = pytest.mark.usefixtures("objects")


@pytest.fixture(autouse=True)
def authority(settings: Any, tmp_path: Path) -> Path:
    settings.AUTHORITY_DIR = tmp_path / "authority"
    return tmp_path / "authority"


def killed(outside: dict[str, str], authority: Path, act: str, place: str, key: int) -> None:
    """Run the act in a process of its own that dies right after the step; what it left on the disk is cleared."""
    scraps = authority.parent / "tmp"
    scraps.mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "tests.dossier.dying", act, place, "after", str(key)],
        cwd=ROOT,
        env={**outside, "DYING_AUTHORITY": str(authority), "TMPDIR": str(scraps)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    # What is recorded last is recorded after the folder has gone.
    assert bool(list(scraps.glob("tongban-act-dossier-*"))) == (not place.endswith("record"))
    subprocess.run(
        [sys.executable, "-c", CLEAR], cwd=ROOT, env={**outside, "TMPDIR": str(scraps)}, check=True
    )
    assert not list(scraps.glob("tongban-act-*"))


@pytest.mark.parametrize("place", ["seal", "record"])
def test_building(outside: dict[str, str], authority: Path, handling: Handling, place: str) -> None:
    killed(outside, authority, "build", place, handling.pk)
    begun = Dossier.objects.get()
    assert (begun.state, begun.revisions.count()) == (DossierState.BUILDING, 0)
    assert not Event.objects.filter(kind="dossier.signed").exists()
    done = build(handling=handling, version=1, actor=SYSTEM, now=LATER)
    assert (done.pk, done.token, done.made_at) == (begun.pk, begun.token, begun.made_at)
    assert (done.state, done.revisions.count()) == (DossierState.SIGNED, 1)
    assert Event.objects.filter(kind="dossier.signed").count() == 1
    assert not list(verify_chains())


@pytest.mark.parametrize("place", ["countersign.store"])
def test_countersigning(
    outside: dict[str, str], authority: Path, signed: Dossier, cast: Cast, tmp_path: Path, place: str
) -> None:
    killed(outside, authority, "countersign", place, signed.pk)
    after = Dossier.objects.get()
    assert (after.sha256, after.revisions.count()) == (signed.sha256, 1)
    assert check_file(path=file_of(after, tmp_path), dossier=after).is_valid
    assert not Event.objects.filter(kind="dossier.received").exists()
    done = countersign(dossier=after, actor=cast.officer, now=LATER)
    assert (done.signature_count, done.revisions.count()) == (4, 2)
    assert check_file(path=file_of(done, tmp_path), dossier=done).is_valid
    assert Event.objects.filter(kind="dossier.received").count() == 1


@pytest.mark.parametrize("place", ["renew.record"])
def test_renewing(
    outside: dict[str, str],
    authority: Path,
    signed: Dossier,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    ends = signed.stamp_ends_at
    assert ends is not None
    killed(outside, authority, "renew", place, signed.pk)
    after = Dossier.objects.get()
    assert (after.sha256, after.stamp_ends_at, after.revisions.count()) == (signed.sha256, ends, 1)
    now = move_clock(monkeypatch, ends - timedelta(days=150))
    done = renew(dossier=after, actor=SYSTEM, now=now)
    assert done.stamp_ends_at is not None
    assert done.stamp_ends_at > ends
    assert done.revisions.count() == 2
