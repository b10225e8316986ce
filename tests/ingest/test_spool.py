"""Pieces of an upload exist entirely or not at all, whoever dies or comes twice meanwhile."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.services.processes import wait_until
from ingest.spool import MOST_PIECES, OffsetTaken, Spool, TooManyPieces
from tests.shared import ROOT

WRITER = """
import sys, time
from pathlib import Path
from ingest.spool import Spool

def blocks():
    yield b"x" * 70_000
    Path(sys.argv[2]).touch()
    time.sleep(300)

Spool(Path(sys.argv[1])).put(3, blocks())
"""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "upload")
    spool.open()
    return spool


def test_pieces_become_the_file(spool: Spool, tmp_path: Path) -> None:
    assert spool.put(0, iter([b"ab", b"c"])) == 3
    assert spool.put(3, iter([b"def"])) == 6
    assert spool.offset == 6
    assert spool.assemble(tmp_path / "whole") == 6
    assert (tmp_path / "whole").read_bytes() == b"abcdef"
    spool.discard()
    assert spool.offset == 0


def test_pieces_that_go_while_they_are_joined_are_missing(spool: Spool, tmp_path: Path) -> None:
    """A finish that is asked for again while the first one still ends."""

    class Taken(Spool):
        def _pieces(self) -> Iterator[tuple[Path, int]]:
            for piece in super()._pieces():
                self.discard()
                yield piece

    spool.put(0, iter([b"abc"]))
    assert Taken(spool.folder).assemble(tmp_path / "whole") == 0


def test_a_piece_that_does_not_continue_is_refused(spool: Spool) -> None:
    spool.put(0, iter([b"abc"]))
    for at in (0, 2, 4):
        with pytest.raises(OffsetTaken) as refused:
            spool.put(at, iter([b"x"]))
        assert refused.value.offset == 3


def test_of_two_pieces_for_one_place_the_first_to_be_whole_stays(spool: Spool, tmp_path: Path) -> None:
    """A connection that the sender believes dead may still be alive."""

    def slow() -> Iterator[bytes]:
        yield b"old"
        spool.put(0, iter([b"new!"]))

    with pytest.raises(OffsetTaken):
        spool.put(0, slow())
    assert spool.offset == 4
    spool.assemble(tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == b"new!"


def test_a_piece_that_is_not_accepted_leaves_nothing(spool: Spool) -> None:
    assert spool.put(0, iter([b"abc"]), accept=lambda: False) == 0
    assert list(spool.folder.iterdir()) == []


def test_nobody_may_send_single_bytes_forever(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.spool.MOST_PIECES", 3)
    for at in range(3):
        spool.put(at, iter([b"x"]))
    with pytest.raises(TooManyPieces):
        spool.put(3, iter([b"x"]))
    assert MOST_PIECES > 3


def test_a_process_killed_while_it_writes_leaves_what_was_whole(spool: Spool, tmp_path: Path) -> None:
    spool.put(0, iter([b"abc"]))
    begun = tmp_path / "begun"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(spool.folder), str(begun)], cwd=ROOT)
    try:
        wait_until(begun.exists, seconds=30, alive=lambda: writer.poll() is None)
    finally:
        writer.kill()
        writer.wait()
    assert spool.offset == 3
    assert spool.put(3, iter([b"def"])) == 6
