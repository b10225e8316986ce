"""Where the pieces of an upload wait until it is whole: files that exist entirely or not at all."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

MOST_PIECES = 10_000
"""Of one upload: whoever sends single bytes is stopped before a folder becomes slow."""

_CHUNK = 1 << 20
_DIGITS = 16


class OffsetTaken(Exception):
    """The piece does not begin where the pieces so far end; `offset` is where they end."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the next byte is {offset}")
        self.offset = offset


class TooManyPieces(Exception):
    """The upload comes in more pieces than anybody needs."""


class Spool:
    """The folder of one upload. A piece is a file named by its offset, so the folder itself tells how much is there.

    A piece is written under a name that nobody looks at, made durable, and then linked to its own name, which fails
    when another piece has that name. So a process that is killed, and a connection that is still alive when the
    sender believes it dead, leave nothing half or twice; no lock is needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> None:
        """Make the folder, readable by us alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def offset(self) -> int:
        """Bytes that are here without a gap."""
        return sum(size for _, size in self._pieces())

    def put(self, at: int, blocks: Iterator[bytes], *, accept: Callable[[], bool] = lambda: True) -> int:
        """Keep a piece that begins at byte `at`; answers the offset behind it. Raises OffsetTaken, TooManyPieces.

        `blocks` may end early, as those of a lost connection do: what came is kept. When `accept()`, asked after
        the last block, is False, nothing is.
        """
        here = list(self._pieces())
        offset = sum(size for _, size in here)
        if at != offset:
            raise OffsetTaken(offset)
        if len(here) >= MOST_PIECES:
            raise TooManyPieces
        draft = self.folder / f".{secrets.token_hex(8)}"
        try:
            size = _write(draft, blocks)
            if size and accept():
                self._link(draft, at)
        finally:
            draft.unlink(missing_ok=True)
        return self.offset

    def assemble(self, path: Path) -> int:
        """Write everything that is here without a gap into one new file; answers its size.

        Less than there was when somebody discards the upload meanwhile, who took it in by another request.
        """
        total = 0
        with path.open("xb") as whole, suppress(FileNotFoundError):
            for piece, size in self._pieces():
                with piece.open("rb") as part:
                    shutil.copyfileobj(part, whole, _CHUNK)
                total += size
        return total

    def discard(self) -> None:
        """Nothing of it remains. Safe to repeat, and beside somebody who does the same."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _link(self, draft: Path, at: int) -> None:
        try:
            os.link(draft, self.folder / f"{at:0{_DIGITS}d}")
        except FileExistsError as taken:
            raise OffsetTaken(self.offset) from taken
        _make_durable(self.folder)

    def _pieces(self) -> Iterator[tuple[Path, int]]:
        """The pieces in their order, as far as each begins where the one before ends."""
        at = 0
        while True:
            piece = self.folder / f"{at:0{_DIGITS}d}"
            try:
                size = piece.stat().st_size
            except FileNotFoundError:
                return
            yield piece, size
            at += size


def _write(path: Path, blocks: Iterator[bytes]) -> int:
    """The bytes on the disk, durable; answers how many."""
    size = 0
    with path.open("xb") as file:
        for block in blocks:
            file.write(block)
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    return size


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
