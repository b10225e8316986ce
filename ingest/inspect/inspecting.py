"""The one call: a file in, a verdict and its pages out."""

import hashlib
import logging
import shutil
import signal
import stat
import tempfile
from pathlib import Path

from pydantic import ValidationError

from ingest.inspect import messages
from ingest.inspect.findings import Inspection, PageImage, TextLine
from ingest.inspect.limits import MAX_PAGES, VECTORS
from ingest.inspect.pool import Child, ChildDied, ChildGone, ChildOverTime, Pool, shared_pool
from ingest.inspect.sentences import REFUSALS, acceptance, refusal

log = logging.getLogger(__name__)

_CHUNK = 1024 * 1024
_ATTEMPTS = 3


def inspect_file(
    path: Path, out_dir: Path, *, password: str | None = None, pool: Pool | None = None
) -> Inspection:
    """Inspect one file and write its pages into `out_dir` (made if missing).

    Always answers with an Inspection: whatever the file does to its parser is a refusal with a
    sentence. A refused file leaves nothing in `out_dir`. Pages are named 0001.jpg, 0002.png, …;
    `out_dir` must hold no such files yet (FileExistsError).
    """
    if not path.is_file():
        return _refused("missing", {}, sha256="", size=0, media_type="")
    digest, size = _sha256(path), path.stat().st_size
    if size == 0:
        return _refused("empty", {}, sha256=digest, size=0, media_type="")
    out_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".inspect-", dir=out_dir))
    try:
        verdict, pages = _ask(pool or shared_pool(), path.resolve(), folder.resolve(), password)
        if isinstance(verdict, messages.Refusal):
            return _refused(
                verdict.refused,
                verdict.figures,
                sha256=digest,
                size=size,
                media_type=verdict.media_type,
            )
        settled = tuple(_settle(page, folder, out_dir) for page in pages)
        vectors = _settle_vectors(pages, folder, out_dir)
    finally:
        shutil.rmtree(folder)
    return Inspection(
        verdict=verdict.done,
        code="ok",
        reason=acceptance(len(settled), repaired=verdict.done == "repaired", notes=verdict.notes),
        media_type=verdict.media_type,
        sha256=digest,
        size=size,
        pages=settled,
        removed=verdict.removed,
        notes=verdict.notes,
        vectors=vectors,
    )


def _ask(
    pool: Pool, path: Path, folder: Path, password: str | None
) -> tuple[messages.Refusal | messages.Done, list[messages.Page]]:
    """Give the file to a child; one that ended while it waited is replaced, which says nothing of the file."""
    for _ in range(_ATTEMPTS):
        with pool.child() as child:
            try:
                return _listen(child, path, folder, password)
            except ChildGone:
                log.warning("an inspection child had ended while it waited")
    return _died("crashed"), []


def _listen(
    child: Child, path: Path, folder: Path, password: str | None
) -> tuple[messages.Refusal | messages.Done, list[messages.Page]]:
    """The child's verdict and pages; its death, delay or babble is a refusal too."""
    pages: list[messages.Page] = []
    try:
        for raw in child.inspect(path, folder, password):
            message = messages.parse(raw)
            if isinstance(message, messages.Finished):
                pages.append(message.page)
                continue
            if isinstance(message, messages.Refusal):
                return _known(message), []
            if 0 < len(pages) <= MAX_PAGES:
                return message, pages
        log.error("inspection child gave a verdict without pages")
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


def _settle(page: messages.Page, folder: Path, out_dir: Path) -> PageImage:
    """Move a finished page to its place; its digest is taken here, not believed."""
    made = folder / page.name
    if not stat.S_ISREG(made.lstat().st_mode):
        raise ValueError("inspection child left something that is not a file")
    place = out_dir / page.name
    if place.exists():
        raise FileExistsError(place)
    made.rename(place)
    return PageImage(
        path=place,
        media_type=page.media_type,
        width=page.width,
        height=page.height,
        dpi=page.dpi,
        rotation=page.rotation,
        sha256=_sha256(place),
        source=page.source,
        text=tuple(TextLine(text=line.text, box=line.box) for line in page.text),
        vector=page.vector,
        faults=page.faults,
    )


def _settle_vectors(pages: list[messages.Page], folder: Path, out_dir: Path) -> Path | None:
    """Move the file of pages that may stay, when a page is in it."""
    if all(page.vector is None for page in pages):
        return None
    made, place = folder / VECTORS, out_dir / VECTORS
    if not stat.S_ISREG(made.lstat().st_mode):
        raise ValueError("inspection child left something that is not a file")
    if place.exists():
        raise FileExistsError(place)
    made.rename(place)
    return place


def _refused(
    code: str, figures: dict[str, int | str], *, sha256: str, size: int, media_type: str
) -> Inspection:
    return Inspection(
        verdict="refused",
        code=code,
        reason=refusal(code, figures),
        media_type=media_type,
        sha256=sha256,
        size=size,
        pages=(),
        removed=(),
        notes=(),
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
