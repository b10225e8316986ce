"""One question to a limited child, and its answer: whatever the file does to the child, an answer it is."""

import logging
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ingest.inspect import messages
from ingest.inspect.limits import MAX_PAGES
from ingest.inspect.pool import Child, ChildDied, ChildGone, ChildOverTime, Pool, shared_pool
from ingest.inspect.sentences import REFUSALS

log = logging.getLogger(__name__)

_ATTEMPTS = 3
_PAGES_WITH = {
    messages.Done: range(1, MAX_PAGES + 1),
    messages.Drawn: range(1),
    messages.Registered: range(1),
    messages.Set: range(1),
    messages.Unpacked: range(1),
    messages.Coded: range(1),
}
V = TypeVar(
    "V",
    messages.Done,
    messages.Drawn,
    messages.Registered,
    messages.Set,
    messages.Unpacked,
    messages.Coded,
)


def ask_child(
    request: Mapping[str, Any], wanted: type[V], pool: Pool | None = None
) -> tuple[messages.Refusal | V, list[messages.Page]]:
    """Give the request to a child; one that ended while it waited is replaced, which says nothing of the file.

    `wanted` is the verdict that answers the request when the file is sound.
    """
    for _ in range(_ATTEMPTS):
        with (pool or shared_pool()).child() as child:
            try:
                return _listen(child, request, wanted)
            except ChildGone:
                log.warning("an inspection child had ended while it waited")
    return _died("crashed"), []


def left_by_child(path: Path, *, size: int | None = None) -> Path:
    """What the child left in its work folder under this name, of `size` bytes if that is known.

    Raises ValueError for a link or anything but such a file, FileNotFoundError.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("inspection child left something that is not a file")
    if size is not None and found.st_size != size:
        raise ValueError("inspection child left more or less than it said")
    return path


def _listen(
    child: Child, request: Mapping[str, Any], wanted: type[V]
) -> tuple[messages.Refusal | V, list[messages.Page]]:
    """The child's verdict and pages; its death, delay or babble is a refusal too."""
    pages: list[messages.Page] = []
    try:
        for raw in child.ask(request):
            message = messages.parse(raw)
            if isinstance(message, messages.Finished):
                pages.append(message.page)
                continue
            if isinstance(message, messages.Refusal):
                return _known(message), []
            if isinstance(message, wanted) and len(pages) in _PAGES_WITH[wanted]:
                return message, pages
        log.error("inspection child gave a verdict on something else")
    except ChildOverTime:
        return _died("too_slow"), []
    except ChildDied as death:
        log.warning("inspection child died with code %s", death.returncode)
        over = (-signal.SIGXCPU, -signal.SIGALRM)
        return _died("too_slow" if death.returncode in over else "crashed"), []
    except (ValidationError, ValueError):
        log.exception("inspection child gave an answer that is not one")
        child.kill()
    return _died("crashed"), []


def _known(message: messages.Refusal) -> messages.Refusal:
    if message.unforeseen:
        log.warning("inspection met an unforeseen parser error: %s", message.unforeseen)
    return message if message.refused in REFUSALS else _died("damaged")


def _died(code: str) -> messages.Refusal:
    return messages.Refusal(refused=code, figures={}, media_type="")
