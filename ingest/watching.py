"""Folders into which scanners write: each settled file is taken in as a stack of its window, once, and put where it says what became of it."""

import fcntl
import logging
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ingest.models import SourceFile, Stack
from ingest.stack_words import words_of
from ingest.stacks import receive_stack
from registry.actors import Actor
from registry.models import Window
from registry.time import to_the_minute
from storage.errors import Refused
from storage.scratch import scratch

log = logging.getLogger("tongban.watching")

TAKING, DONE, REFUSED = "taking", "done", "refused"
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
"""How programs name a file that they have not finished."""

RETRY_SECONDS = 30.0
"""Until a file that could not be taken in has another turn."""

_CHUNK = 1 << 20
_SENTENCE = ".txt"
_NO_FILE = "不是普通文件，没有收下。"


@dataclass(frozen=True)
class Look:
    """What a file was like when we looked: unchanged from one look to the next, it has settled."""

    inode: int
    size: int
    changed: int


@dataclass
class Watched:
    """One window's folder. Files are claimed by moving them to `taking/`, which nobody else writes into.

    All names are resolved below open descriptors and no symbolic link is followed, so that whoever can write into the
    folder reaches nothing outside it.
    """

    window: Window
    folder: Path
    settle_seconds: float = 2.0
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[Look, float]] = field(default_factory=dict)
    _next_turn: dict[str, float] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The scanner of the window: it may place pages there and do nothing else."""
        return Actor(
            kind="integration",
            id=f"scanner-{self.window.code}",
            label="监视文件夹",
            window_id=self.window.pk,
            scopes=frozenset({"scanner"}),
        )

    def round(self, now: datetime) -> int:
        """Claim what has settled and take in what is claimed; answers how many files found their end.

        Raises OSError when the folder cannot be worked in.
        """
        root = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in (TAKING, DONE, REFUSED):
                _make_folder(root, name)
            self._claim(root)
            return self._take_claimed(root, now)
        finally:
            os.close(root)

    def _claim(self, root: int) -> None:
        """Move settled files to `taking/`, under names that nothing there has."""
        found = {
            name: look
            for name in sorted(os.listdir(root))
            if _is_candidate(name) and (look := _look(root, name)) is not None
        }
        self._seen = {name: seen for name, seen in self._seen.items() if name in found}
        taking = _open_folder(root, TAKING)
        try:
            for name, look in found.items():
                if self._has_settled(name, look) and not _is_being_written(root, name):
                    os.rename(name, _free_name(taking, name), src_dir_fd=root, dst_dir_fd=taking)
                    del self._seen[name]
        finally:
            os.close(taking)

    def _has_settled(self, name: str, look: Look) -> bool:
        before = self._seen.get(name)
        if before is None or before[0] != look:
            self._seen[name] = (look, self.clock())
            return False
        return look.size > 0 and self.clock() - before[1] >= self.settle_seconds

    def _take_claimed(self, root: int, now: datetime) -> int:
        """Whatever lies in `taking/`: claimed just now, or by a process that was killed."""
        ended = 0
        taking = _open_folder(root, TAKING)
        try:
            for name in sorted(os.listdir(taking)):  # noqa: PTH208 — below a descriptor
                if self.clock() < self._next_turn.get(name, 0.0):
                    continue
                fate = self._try(taking, name, now)
                if fate is None:
                    self._next_turn[name] = self.clock() + RETRY_SECONDS
                    continue
                self._next_turn.pop(name, None)
                _put_away(root, taking, name, *fate)
                ended += 1
        finally:
            os.close(taking)
        return ended

    def _try(self, taking: int, name: str, now: datetime) -> tuple[str, str] | None:
        """Where one file goes, and the sentence beside it; None when it has to wait and the others have their turn."""
        try:
            return self._take(taking, name, now)
        except Refused as refused:
            if not refused.can_retry:
                return REFUSED, refused.message
            log.warning("a file of window %s waits: %s", self.window.code, refused.code)
        except Exception as fault:  # noqa: BLE001 — whatever it was, the file stays where it is
            log.error("a file of window %s waits: %s", self.window.code, type(fault).__name__)  # noqa: TRY400
        return None

    def _take(self, taking: int, name: str, now: datetime) -> tuple[str, str]:
        with scratch("watched") as folder:
            copy = folder / "file"
            if not _copy(taking, name, copy):
                return REFUSED, _NO_FILE
            stack = receive_stack(
                window=self.window, path=copy, original_name=name, actor=self.actor, now=now
            )
        return _fate_of(stack, now)


def _fate_of(stack: Stack, now: datetime) -> tuple[str, str]:
    place = REFUSED if stack.verdict == SourceFile.Verdict.REFUSED else DONE
    words = words_of(stack)
    if stack.uploaded_at != now:
        words = f"这份扫描件已于 {to_the_minute(stack.uploaded_at)} 收过，没有重复收入。{words}"
    return place, words


def _is_candidate(name: str) -> bool:
    hidden = name.startswith((".", "~"))
    return not hidden and name not in (TAKING, DONE, REFUSED) and not name.lower().endswith(UNFINISHED)


def _look(folder: int, name: str) -> Look | None:
    """None for what is no plain file, a symbolic link among them."""
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Look(seen.st_ino, seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else None


def _is_being_written(folder: int, name: str) -> bool:
    """Whether the kernel knows of somebody who has it open for writing (fcntl(2), leases).

    Network folders and other people's files have no leases; there the file's rest has to be enough.
    """
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return True  # gone, or turned into something else: looked at again
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def _copy(folder: int, name: str, copy: Path) -> bool:
    """A private copy, so that nobody can change the file while it is examined; False for what is no plain file."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return False
    with os.fdopen(file, "rb") as original:
        if not stat.S_ISREG(os.fstat(original.fileno()).st_mode):
            return False
        with copy.open("xb") as written:
            while block := original.read(_CHUNK):
                written.write(block)
    return True


def _put_away(root: int, taking: int, name: str, place: str, words: str) -> None:
    """The sentence first: whoever is killed in between says it again."""
    target = _open_folder(root, place)
    try:
        free = _free_name(target, name)
        _write_beside(target, free + _SENTENCE, words)
        os.rename(name, free, src_dir_fd=taking, dst_dir_fd=target)
    finally:
        os.close(target)


def _write_beside(folder: int, name: str, words: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(name, flags, dir_fd=folder), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)  # for whoever scans, whatever our own files are like
        file.write(f"{words}\n")


def _free_name(folder: int, name: str) -> str:
    """The name itself, or with a number where a file of that name lies already. We alone write there."""
    stem, dot, ending = name.rpartition(".") if "." in name[1:] else (name, "", "")
    free, number = name, 1
    while _exists(folder, free):
        number += 1
        free = f"{stem}-{number}{dot}{ending}"
    return free


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _make_folder(root: int, name: str) -> None:
    """As open to those who scan as the folder above it."""
    if _exists(root, name):
        return
    os.mkdir(name, dir_fd=root)
    made = _open_folder(root, name)
    try:
        os.fchmod(made, stat.S_IMODE(os.fstat(root).st_mode))
    finally:
        os.close(made)


def _open_folder(root: int, name: str) -> int:
    """A descriptor of a real folder of ours. Raises OSError for a symbolic link."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
