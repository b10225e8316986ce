"""The one call: a file in, a verdict and its pages out."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from ingest.inspect import messages
from ingest.inspect.asking import ask_child, left_by_child
from ingest.inspect.findings import FoundCode, Inspection, PageImage, Sheet, TextLine
from ingest.inspect.limits import MAX_PAGES, VECTORS
from ingest.inspect.pool import Pool
from ingest.inspect.sentences import acceptance, refusal

_CHUNK = 1024 * 1024


def inspect_file(
    path: Path,
    out_dir: Path,
    *,
    password: str | None = None,
    pool: Pool | None = None,
    codes: bool = False,
    separators: bool = False,
    judged: bool = True,
    most_pages: int = MAX_PAGES,
) -> Inspection:
    """Inspect one file and write its pages into `out_dir` (made if missing).

    Always answers with an Inspection: whatever the file does to its parser is a refusal with a
    sentence. A refused file leaves nothing in `out_dir`. Pages are named 0001.jpg, 0002.png, …;
    `out_dir` must hold no such files yet (FileExistsError). With `codes` every QR code and barcode on the pages
    is read, too, as hard as `ingest.codes` can; with `separators` what a page has of a separator sheet. Pages that are
    not to be `judged` are called neither faulty nor blank. A file of more than `most_pages` is refused.
    """
    if not path.is_file():
        return _refused("missing", {}, sha256="", size=0, media_type="")
    digest, size = _sha256(path), path.stat().st_size
    if size == 0:
        return _refused("empty", {}, sha256=digest, size=0, media_type="")
    out_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".inspect-", dir=out_dir))
    try:
        request = {
            "path": str(path.resolve()),
            "folder": str(folder.resolve()),
            "password": password,
            "codes": codes,
            "separators": separators,
            "judged": judged,
            "most_pages": most_pages,
        }
        verdict, pages = ask_child(request, messages.Done, pool)
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


def _settle(page: messages.Page, folder: Path, out_dir: Path) -> PageImage:
    """Move a finished page to its place; its digest is taken here, not believed."""
    place = _moved(page.name, folder, out_dir)
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
        codes=tuple(FoundCode(code.text, code.format, code.position, code.step) for code in page.codes),
        blank=page.blank,
        sheet=Sheet(page.sheet.barred, page.sheet.texts) if page.sheet else None,
    )


def _settle_vectors(pages: list[messages.Page], folder: Path, out_dir: Path) -> Path | None:
    """Move the file of pages that may stay, when a page is in it."""
    if all(page.vector is None for page in pages):
        return None
    return _moved(VECTORS, folder, out_dir)


def _moved(name: str, folder: Path, out_dir: Path) -> Path:
    made, place = left_by_child(folder / name), out_dir / name
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
