"""Folders for the files of one act: gone when the act ends, also when its process was killed in the middle of it."""

import fcntl
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "tongban-act-"
BEGUN = ".tongban-begun-"
"""A folder before it is locked; it is still empty, so one that a killed process left tells nothing."""
DJANGO_UPLOADS = "tmp*.upload*"
UPLOAD_HOURS = 24
"""A form's file that Django wrote to the disk belongs to a request; none lasts this long."""

MEMORY = Path("/dev/shm")  # noqa: S108  # names in it are made by mkdtemp
ROOM = 1 << 30
"""Bytes that must be free there, else it is passed over: containers often have no more than 64 MB of it."""

_swept: set[int] = set()


@contextmanager
def scratch(purpose: str, *, in_memory: bool = False) -> Iterator[Path]:
    """An empty folder of this process in the system's temporary folder, readable by its owner alone.

    With `in_memory`, for what is handed to another process at once, it lies in memory where there is room for that.

    It is locked as long as the process lives, and the kernel opens the lock of a process that is killed; so what a
    killed process left is told from what is in use, and goes when any process first needs a folder, or by the clock.
    `purpose` is a short word for whoever looks at the disk; it must hold nothing personal.
    """
    if os.getpid() not in _swept:
        _swept.add(os.getpid())
        clear_left_behind()
    folder, lock = _locked_folder(purpose, MEMORY if in_memory and _has_room(MEMORY) else None)
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder)
        finally:
            os.close(lock)


def clear_left_behind() -> int:
    """Remove the folders of processes that are no more, and uploads of yesterday; how many there were."""
    place, cleared = Path(tempfile.gettempdir()), 0
    for folder in itertools.chain(place.glob(f"{PREFIX}*"), MEMORY.glob(f"{PREFIX}*")):
        with suppress(OSError):  # somebody else's, gone meanwhile, or not a folder
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.getuid() and _takes(lock):
                    shutil.rmtree(folder)
                    cleared += 1
            finally:
                os.close(lock)
    for upload in place.glob(DJANGO_UPLOADS):
        with suppress(OSError):
            found = upload.lstat()
            if found.st_uid == os.getuid() and found.st_mtime < time.time() - UPLOAD_HOURS * 3600:
                upload.unlink()
                cleared += 1
    return cleared


def _has_room(place: Path) -> bool:
    try:
        free = os.statvfs(place)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize >= ROOM and os.access(place, os.W_OK)


def _locked_folder(purpose: str, place: Path | None) -> tuple[Path, int]:
    begun = Path(tempfile.mkdtemp(prefix=BEGUN, dir=place))
    lock = os.open(begun, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = begun.with_name(f"{PREFIX}{purpose}-{begun.name.removeprefix(BEGUN)}")
    begun.rename(folder)
    return folder, lock


def _takes(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
