"""A scanner writes into a watched folder: every file is taken in once, is lost never, and says what became of it."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from config.services.processes import wait_until
from ingest.models import Page, Stack
from ingest.stacks import print_separators
from ingest.watching import DONE, REFUSED, RETRY_SECONDS, TAKING, Watched
from registry.models import Event
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import picture
from tests.ingest.stacks import paper, scan, sheets_of
from tests.processes import Start, kill, starting

SECONDS = 60
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


class Clock:
    """A monotonic clock that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    made.mkdir()
    return made


@pytest.fixture
def watched(cast: Cast, folder: Path, clock: Clock) -> Watched:
    return Watched(cast.zhuji, folder, clock=clock)


def look(watched: Watched, clock: Clock) -> int:
    """Two rounds with time enough between them for a file to have settled."""
    ended = watched.round(NOW)
    clock.now += watched.settle_seconds
    return ended + watched.round(NOW)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_scan_finds_its_case_and_says_so(cast: Cast, watched: Watched, folder: Path, clock: Clock) -> None:
    case = open_case(cast)
    sheets = sheets_of(print_separators(case=case, actor=cast.clerk, now=NOW))
    original = scan(folder / "SCAN_0001.pdf", [sheets[0], paper("甲"), paper("乙")]).read_bytes()
    assert look(watched, clock) == 1
    assert names(folder) == [DONE, REFUSED, TAKING]
    assert names(folder / DONE) == ["SCAN_0001.pdf", "SCAN_0001.pdf.txt"]
    assert (folder / DONE / "SCAN_0001.pdf").read_bytes() == original
    assert "2 页已归入 1 个办件" in (folder / DONE / "SCAN_0001.pdf.txt").read_text()
    assert Page.objects.filter(case=case).count() == 2
    event = Event.objects.get(kind="stack.received")
    assert (event.actor_kind, event.actor_id) == ("integration", "scanner-330681-01")


def test_a_scanner_reaches_no_other_windows_cases(cast: Cast, folder: Path, clock: Clock) -> None:
    case = open_case(cast)
    sheets = sheets_of(print_separators(case=case, actor=cast.clerk, now=NOW))
    scan(folder / "a.pdf", [sheets[0], paper("甲")])
    assert look(Watched(cast.taizhou_window, folder, clock=clock), clock) == 1
    assert not Page.objects.exists()
    assert "1 页未归类" in (folder / DONE / "a.pdf.txt").read_text()


def test_the_same_scan_again_is_said_and_nothing_more(
    cast: Cast, watched: Watched, folder: Path, clock: Clock
) -> None:
    (folder / "a.jpg").write_bytes(picture("one"))
    look(watched, clock)
    (folder / "a.jpg").write_bytes(picture("one"))
    watched.round(NOW)
    clock.now += 5
    assert watched.round(NOW + timedelta(minutes=1)) == 1
    assert names(folder / DONE) == ["a-2.jpg", "a-2.jpg.txt", "a.jpg", "a.jpg.txt"]
    assert "没有重复收入" in (folder / DONE / "a-2.jpg.txt").read_text()
    assert Stack.objects.count() == 1


def test_what_is_no_scan_is_put_aside_with_the_reason(watched: Watched, folder: Path, clock: Clock) -> None:
    (folder / "notes.pdf").write_text("这不是 PDF。")
    assert look(watched, clock) == 1
    assert names(folder / REFUSED) == ["notes.pdf", "notes.pdf.txt"]
    assert "拒收" in (folder / REFUSED / "notes.pdf.txt").read_text()


def test_a_file_is_left_alone_until_it_rests(watched: Watched, folder: Path, clock: Clock) -> None:
    content = picture("slow")
    growing = folder / "slow.jpg"
    growing.write_bytes(content[:500])
    watched.round(NOW)
    clock.now += 10
    growing.write_bytes(content)
    assert watched.round(NOW) == 0, "it grew since the last look"
    clock.now += watched.settle_seconds - 0.1
    assert watched.round(NOW) == 0, "it has not rested long enough"
    clock.now += 0.1
    assert watched.round(NOW) == 1


def test_a_file_that_somebody_still_writes_is_left_alone(
    watched: Watched, folder: Path, clock: Clock
) -> None:
    with (folder / "open.jpg").open("wb") as scanner:
        scanner.write(picture("open"))
        scanner.flush()
        assert look(watched, clock) == 0
        assert names(folder / TAKING) == []
    assert look(watched, clock) == 1


@pytest.mark.parametrize("name", [".hidden.jpg", "~a.jpg", "a.jpg.part", "a.tmp", "empty.jpg"])
def test_what_is_not_finished_stays(watched: Watched, folder: Path, clock: Clock, name: str) -> None:
    (folder / name).write_bytes(b"" if name == "empty.jpg" else picture("x"))
    assert look(watched, clock) == 0
    assert (folder / name).exists()


def test_links_lead_nowhere(watched: Watched, folder: Path, clock: Clock, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(picture("secret"))
    (folder / "link.jpg").symlink_to(secret)
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    assert look(watched, clock) == 0
    assert (folder / "link.jpg").is_symlink()
    (folder / TAKING / "swapped.jpg").symlink_to(secret)
    assert look(watched, clock) == 1
    assert "不是普通文件" in (folder / REFUSED / "swapped.jpg.txt").read_text()
    assert secret.read_bytes() == picture("secret")
    assert not Stack.objects.exists()


def test_a_folder_that_was_swapped_for_a_link_is_not_entered(
    watched: Watched, folder: Path, clock: Clock, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / DONE).symlink_to(elsewhere)
    (folder / "a.jpg").write_bytes(picture("one"))
    watched.round(NOW)
    clock.now += 5
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        watched.round(NOW)
    assert names(elsewhere) == []
    (folder / DONE).unlink()
    assert watched.round(NOW) == 1
    assert (folder / DONE / "a.jpg").read_bytes() == picture("one")


def test_a_file_waits_while_something_that_it_needs_is_away(
    watched: Watched, folder: Path, clock: Clock, settings: Settings, tmp_path: Path
) -> None:
    settings.CLAMAV = str(tmp_path / "nobody.sock")
    (folder / "a.jpg").write_bytes(picture("one"))
    (folder / "b.txt").write_text("refused all the same")
    assert look(watched, clock) == 1
    assert names(folder / TAKING) == ["a.jpg"]
    settings.CLAMAV = ""
    assert watched.round(NOW) == 0, "it has its turn later"
    clock.now += RETRY_SECONDS
    assert watched.round(NOW) == 1
    assert names(folder / DONE) == ["a.jpg", "a.jpg.txt"]


@pytest.fixture
def start(outside: dict[str, str], folder: Path, tmp_path: Path) -> Iterator[Start]:
    environment = {**outside, "TONGBAN_WATCH_FOLDERS": f'{{"330681-01": "{folder}"}}'}
    with starting(environment, tmp_path / "log") as start_one:
        yield start_one


WATCH = [sys.executable, "manage.py", "watch_folder", "--every=0.05", "--settle=0.2"]


def until(holds: Callable[[], bool], tmp_path: Path) -> None:
    try:
        wait_until(holds, seconds=SECONDS, pause=0.01)
    except TimeoutError:
        pytest.fail((tmp_path / "log").read_text()[-4000:])


@pytest.mark.django_db(transaction=True)
def test_a_watcher_killed_again_and_again_takes_everything_once(
    start: Start, cast: Cast, folder: Path, tmp_path: Path
) -> None:
    contents = {f"scan-{number}.jpg": picture(f"scan {number}") for number in range(6)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for claimed in (1, 2, 4):
        watcher = start(*WATCH)
        until(lambda enough=claimed: Stack.objects.count() >= enough, tmp_path)  # type: ignore[misc]
        kill(watcher)
        lying = [path for path in folder.rglob("*.jpg") if path.is_file()]
        assert sorted(path.name for path in lying) == sorted(contents), "each lies at one place"
    watcher = start(*WATCH)
    until(lambda: len(list((folder / DONE).glob("*.jpg"))) == len(contents), tmp_path)
    watcher.terminate()
    assert watcher.wait(SECONDS) == 0
    assert {path.name: path.read_bytes() for path in (folder / DONE).glob("*.jpg")} == contents
    assert {path.name for path in (folder / DONE).glob("*.txt")} == {f"{name}.txt" for name in contents}
    assert Stack.objects.count() == len(contents)
    assert Event.objects.filter(kind="stack.received").count() == len(contents)


@pytest.mark.django_db(transaction=True)
def test_one_look_is_enough_for_a_timer(start: Start, cast: Cast, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(picture("one"))
    assert start(*WATCH, "--once").wait(SECONDS) == 0
    assert names(folder / DONE) == ["a.jpg", "a.jpg.txt"]


@pytest.mark.django_db(transaction=True)
def test_a_folder_of_no_window_is_said_at_once(outside: dict[str, str], cast: Cast, tmp_path: Path) -> None:
    for folders in ("{}", '{"999999-99": "/nowhere"}'):
        with starting({**outside, "TONGBAN_WATCH_FOLDERS": folders}, tmp_path / "log") as start_one:
            assert start_one(*WATCH).wait(SECONDS) == 1
    said = (tmp_path / "log").read_text()
    assert "set TONGBAN_WATCH_FOLDERS" in said
    assert "there is no window 999999-99" in said
