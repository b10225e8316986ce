"""A folder of one act goes with the act, and when its process was killed, with the next look."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from storage import scratch as module
from storage.scratch import PREFIX, clear_left_behind, scratch
from tests.shared import ROOT

HOLDING = """
import sys, time
from storage.scratch import scratch
with scratch("reading") as folder:
    (folder / "page").write_bytes(b"somebody's page")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test alone, for this process and its children."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(module, "MEMORY", memory)
    return place


def test_a_folder_is_the_owners_alone_and_goes_with_the_act(place: Path) -> None:
    with scratch("copy") as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "inner").mkdir()
        (folder / "inner" / "page").write_bytes(b"page")
    assert not list(place.iterdir())


def test_an_act_that_fails_leaves_nothing(place: Path) -> None:
    def act() -> None:
        with scratch("copy") as folder:
            (folder / "page").write_bytes(b"page")
            (folder / "page").mkdir()

    with pytest.raises(FileExistsError):
        act()
    assert not list(place.iterdir())


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        theirs = Path(holder.stdout.readline().strip())
        with scratch("copy") as ours:
            assert clear_left_behind() == 0
            assert (theirs / "page").exists()
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            assert (theirs / "page").exists()
            assert clear_left_behind() == 1
            assert not theirs.exists()
            assert ours.exists()


def test_the_first_act_of_a_process_clears_what_others_left(place: Path) -> None:
    left = place / f"{PREFIX}dossier-abc"
    left.mkdir()
    (left / "unsigned.pdf").write_bytes(b"%PDF")
    asked = "from storage.scratch import scratch\nwith scratch('copy'): pass"
    subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True)
    assert not left.exists()


def test_only_our_folders_and_uploads_of_yesterday_are_touched(place: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (place / f"{PREFIX}link").symlink_to(kept)
    (place / f"{PREFIX}file").write_bytes(b"not a folder")
    (place / "somebody-elses").mkdir()
    fresh, old = place / "tmp1.upload.pdf", place / "tmp2.upload.pdf"
    for upload in (fresh, old):
        upload.write_bytes(b"%PDF")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    assert clear_left_behind() == 1
    assert not old.exists()
    left = {path.name for path in place.iterdir()}
    assert left == {f"{PREFIX}link", f"{PREFIX}file", "somebody-elses", "tmp1.upload.pdf"}
    assert kept.exists()


def test_a_folder_lies_in_memory_where_there_is_room(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch("pixels", in_memory=True) as folder:
        assert folder.parent == module.MEMORY
    assert not list(module.MEMORY.iterdir())
    monkeypatch.setattr(module, "ROOM", 1 << 60)
    with scratch("pixels", in_memory=True) as folder:
        assert folder.parent == place
    monkeypatch.setattr(module, "MEMORY", place / "no-such-folder")
    with scratch("pixels", in_memory=True) as folder:
        assert folder.parent == place


def test_what_was_left_in_memory_goes_too() -> None:
    left = module.MEMORY / f"{PREFIX}pixels-abc"
    left.mkdir()
    (left / "page").write_bytes(b"somebody's page")
    assert clear_left_behind() == 1
    assert not left.exists()
