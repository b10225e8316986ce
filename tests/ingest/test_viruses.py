"""Files are checked for viruses where a scanner is configured: what it knows is refused, and so is what it cannot check."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from ingest.clamd import ScannerAway, TooLargeToScan, scan
from ingest.models import Page, SourceFile, Stack
from ingest.stacks import receive_stack
from ingest.uploads import receive_file
from registry.models import Event
from storage.errors import Refused
from storage.models import StoredObject
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import picture
from tests.ingest.scanners import CLAMD, MARK, NAME, STREAM_LIMIT, real_clamd, small_scanner

KINDS = [
    "small",
    "small-tcp",
    pytest.param(
        "clamd",
        marks=pytest.mark.skipif(CLAMD is None, reason="no clamd is installed (Debian: clamav-daemon)"),
    ),
]


@pytest.fixture
def nearby() -> Iterator[Path]:
    """A folder with a short path: the address of a Unix socket may not be long."""
    with tempfile.TemporaryDirectory(prefix="clam-") as folder:
        yield Path(folder)


@pytest.fixture(params=KINDS)
def scanner(request: pytest.FixtureRequest, nearby: Path) -> Iterator[str]:
    if request.param == "clamd":
        with real_clamd(nearby) as address:
            yield address
    else:
        with small_scanner(nearby, tcp=request.param == "small-tcp") as address:
            yield address


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def infected(folder: Path) -> Path:
    """A picture that is sound in every respect but one comment."""
    content = picture("infected")
    comment = b"\xff\xfe" + (len(MARK) + 2).to_bytes(2, "big") + MARK
    path = folder / "infected.jpg"
    path.write_bytes(content[:2] + comment + content[2:])
    return path


def clean(folder: Path) -> Path:
    path = folder / "clean.jpg"
    path.write_bytes(picture("clean"))
    return path


def bring(cast: Cast, path: Path) -> SourceFile:
    return receive_file(
        case=open_case(cast), material=None, path=path, original_name=path.name, actor=cast.clerk, now=NOW
    )


def test_clean_and_infected_files_are_told_apart(scanner: str, tmp_path: Path) -> None:
    assert scan(clean(tmp_path), scanner) == ""
    assert scan(infected(tmp_path), scanner) == f"{NAME}.UNOFFICIAL"
    assert scan(clean(tmp_path), scanner) == ""


def test_a_file_too_large_for_the_scanner_is_no_clean_file(scanner: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(3 * STREAM_LIMIT))
    with pytest.raises((TooLargeToScan, ScannerAway)):  # it may close before its answer is read
        scan(path, scanner)


@pytest.mark.usefixtures("objects")
def test_an_infected_file_is_refused_and_nothing_of_it_is_kept(
    scanner: str, cast: Cast, tmp_path: Path, settings: Settings
) -> None:
    settings.CLAMAV = scanner
    before = StoredObject.objects.count()
    file = bring(cast, infected(tmp_path))
    assert (file.verdict, file.code, file.stored) == ("refused", "infected", None)
    assert f"{NAME}.UNOFFICIAL" in file.reason
    assert not Page.objects.exists()
    assert StoredObject.objects.count() == before
    event = Event.objects.get(kind="file.refused")
    assert event.data["code"] == "infected"
    assert NAME in event.data["said"]
    assert bring(cast, clean(tmp_path)).verdict == "accepted"


@pytest.mark.usefixtures("objects")
def test_an_infected_stack_is_refused_as_a_whole(
    cast: Cast, tmp_path: Path, nearby: Path, settings: Settings
) -> None:
    with small_scanner(nearby) as address:
        settings.CLAMAV = address
        stack = receive_stack(
            window=cast.zhuji, path=infected(tmp_path), original_name="a.jpg", actor=cast.clerk, now=NOW
        )
    assert (stack.verdict, stack.code, stack.pages.count()) == ("refused", "infected", 0)
    assert NAME in Event.objects.get(kind="stack.refused").data["said"]


@pytest.mark.usefixtures("objects")
def test_a_signature_that_was_taken_back_lets_the_file_in(
    cast: Cast, tmp_path: Path, nearby: Path, settings: Settings
) -> None:
    case, path = open_case(cast), infected(tmp_path)

    def again() -> SourceFile:
        return receive_file(
            case=case, material=None, path=path, original_name="a.jpg", actor=cast.clerk, now=NOW
        )

    with small_scanner(nearby) as address:
        settings.CLAMAV = address
        assert again().code == "infected"
    settings.CLAMAV = ""
    assert again().verdict == "accepted"
    assert SourceFile.objects.count() == 1


@pytest.mark.usefixtures("objects")
def test_nothing_passes_while_the_scanner_is_away(cast: Cast, tmp_path: Path, settings: Settings) -> None:
    settings.CLAMAV = str(tmp_path / "nobody.sock")
    with pytest.raises(Refused, match="暂不能检查病毒") as refused:
        bring(cast, clean(tmp_path))
    assert (refused.value.code, refused.value.can_retry) == ("scanner_away", True)
    assert not SourceFile.objects.exists()
    with pytest.raises(Refused, match="暂不能检查病毒"):
        receive_stack(
            window=cast.zhuji, path=clean(tmp_path), original_name="a.jpg", actor=cast.clerk, now=NOW
        )
    assert not Stack.objects.exists()


@pytest.mark.usefixtures("objects")
def test_an_operator_may_let_files_pass_with_a_note(cast: Cast, tmp_path: Path, settings: Settings) -> None:
    settings.CLAMAV = "127.0.0.1:9"
    settings.CLAMAV_AWAY = "accept"
    file = bring(cast, clean(tmp_path))
    assert file.verdict == "accepted"
    assert "没有检查过病毒" in file.reason


@pytest.mark.usefixtures("objects")
def test_a_file_larger_than_the_scanner_takes_is_refused(
    cast: Cast, tmp_path: Path, nearby: Path, settings: Settings
) -> None:
    path = clean(tmp_path)
    content = path.read_bytes()
    comment = b"\xff\xfe\xff\xff" + bytes(65_533)
    path.write_bytes(content[:2] + comment * 40 + content[2:])
    with small_scanner(nearby) as address:
        settings.CLAMAV = address
        with pytest.raises(Refused, match="没有收下"):
            bring(cast, path)
    assert not SourceFile.objects.exists()


@pytest.mark.parametrize(
    "babble", [b"", b"\0", b"stream: maybe\0", b"x" * 10_000, b"INSTREAM: Can't allocate. ERROR\0"]
)
def test_babble_is_not_taken_for_a_clean_file(babble: bytes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(babble)

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(ScannerAway):
            scan(clean(tmp_path), f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()
