"""The limited children: whatever a file does to them, the caller gets a sentence and the next child works."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ingest.inspect import Pool, inspect_file, limits
from ingest.inspect import pool as pool_module
from tests.ingest import hostile


def test_ordinary_pages_share_a_warm_child(pool: Pool, tmp_path: Path) -> None:
    scan = tmp_path / "scan.jpg"
    hostile.paper((2480, 3508)).save(scan, "JPEG", quality=85, dpi=(300, 300))
    inspect_file(scan, tmp_path / "first", pool=pool)
    (pid,) = pool.idle_pids()
    for number in range(20):
        assert inspect_file(scan, tmp_path / str(number), pool=pool).verdict == "accepted"
    assert pool.idle_pids() == [pid]


def test_a_child_retires_after_its_share_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "FILES_PER_CHILD", 2)
    scan = hostile.jpeg(tmp_path / "scan.jpg")
    children = Pool(size=1)
    seen = []
    for number in range(4):
        inspect_file(scan, tmp_path / str(number), pool=children)
        seen.append(children.idle_pids())
    children.close()
    assert [len(pids) for pids in seen] == [1, 0, 1, 0]
    assert seen[0] != seen[2]


def test_a_child_killed_in_the_middle_is_a_refusal_and_the_next_file_is_fine(tmp_path: Path) -> None:
    children = Pool(size=1)
    long = hostile.tiff(tmp_path / "long.tiff", pages=300, compression="tiff_lzw")
    scan = hostile.jpeg(tmp_path / "scan.jpg")
    inspect_file(scan, tmp_path / "warm", pool=children)
    (pid,) = children.idle_pids()
    threading.Timer(0.15, os.kill, (pid, signal.SIGKILL)).start()
    found = inspect_file(long, tmp_path / "out", pool=children)
    assert (found.verdict, found.code) == ("refused", "crashed")
    assert found.pages == ()
    assert list((tmp_path / "out").iterdir()) == []
    assert inspect_file(scan, tmp_path / "after", pool=children).verdict == "accepted"
    children.close()


def test_a_child_that_ended_while_it_waited_does_not_cost_a_file(tmp_path: Path) -> None:
    children = Pool(size=1)
    scan = hostile.jpeg(tmp_path / "scan.jpg")
    for number in range(3):
        found = inspect_file(scan, tmp_path / str(number), pool=children)
        assert found.verdict == "accepted"
        (pid,) = children.idle_pids()
        os.kill(pid, signal.SIGKILL)
    children.close()


def test_a_child_without_progress_is_killed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children = Pool(size=1)
    scan = hostile.jpeg(tmp_path / "scan.jpg")
    inspect_file(scan, tmp_path / "warm", pool=children)
    (pid,) = children.idle_pids()
    monkeypatch.setattr(pool_module, "STEP_SECONDS", 0.3)
    os.kill(pid, signal.SIGSTOP)  # as good as an endless loop, without burning a core
    begun = time.monotonic()
    found = inspect_file(scan, tmp_path / "out", pool=children)
    assert found.code == "too_slow"
    assert time.monotonic() - begun < 3
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    children.close()


def test_children_have_hard_limits_and_nothing_of_ours(pool: Pool, tmp_path: Path) -> None:
    marked = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(marked, True)  # noqa: FBT003 - the only way to say it
    children = Pool(size=1)
    inspect_file(hostile.jpeg(tmp_path / "scan.jpg"), tmp_path / "out", pool=children)
    (pid,) = children.idle_pids()
    rows = Path(f"/proc/{pid}/limits").read_text().splitlines()
    table = {row[:26].strip(): row[26:].split() for row in rows}
    assert table["Max address space"][:2] == [str(limits.CHILD_MEMORY_BYTES)] * 2
    assert table["Max core file size"][0] == "0"
    assert int(table["Max file size"][1]) < 2 * limits.MAX_FILE_BYTES
    opened = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    assert str(tmp_path) not in opened
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"TONGBAN" not in environment
    assert b"DJANGO" not in environment
    os.close(marked)
    children.close()


def test_answers_that_are_not_answers_are_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child taken over by a file may say anything; it must not reach outside its folder."""
    children = Pool(size=1)
    scan = hostile.jpeg(tmp_path / "scan.jpg")
    escaping = {
        "page": {
            "name": "../../etc/passwd",
            "media_type": "image/jpeg",
            "width": 1,
            "height": 1,
            "dpi": None,
            "rotation": 0,
            "source": "as_captured",
            "text": [],
        }
    }
    monkeypatch.setattr(pool_module.Child, "_receive", lambda *_: escaping)
    found = inspect_file(scan, tmp_path / "out", pool=children)
    assert (found.verdict, found.code) == ("refused", "crashed")
    assert children.idle_pids() == []
    children.close()


def test_many_threads_get_their_own_answers(tmp_path: Path) -> None:
    children = Pool(size=2)
    sizes: dict[int, int] = {}

    def look(number: int) -> None:
        path = tmp_path / f"{number}.png"
        hostile.paper((100 + number, 200)).save(path)
        sizes[number] = inspect_file(path, tmp_path / str(number), pool=children).pages[0].width

    threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    children.close()
    assert sizes == {number: 100 + number for number in range(8)}
