"""Scans of any kind to the pages of a dossier without a case: inspected, read, hashed. Knows no Django."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dossier.contents import MaterialPlan, OriginalPlan, PagePlan, TextLine, VectorPlan
from dossier.own_text import keep_own, own_count
from ingest.inspect import Inspection, PageImage, inspect_file
from ocr.ahead import for_reader
from ocr.batch import Outcome, Readers
from storage.scratch import scratch


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of the files: materials in the order given, and the files that were refused with the reason."""

    materials: tuple[MaterialPlan, ...]
    originals: tuple[OriginalPlan, ...]
    refused: tuple[tuple[Path, str], ...]


def gather(
    files: Sequence[Path],
    folder: Path,
    *,
    readers: Readers,
    now: datetime,
    heard: Callable[[int, int], None] = lambda _done, _total: None,
) -> Gathered:
    """Inspect every file in its limited child process, read every page, one material a file.

    `heard` is told how many pages are read of how many known so far. Raises EngineFailed when the reader cannot be started.
    """
    inspected: list[tuple[Path, Inspection]] = []
    plans: list[PagePlan] = []
    # Readers begin with the first page while later files are still being inspected. What they say of a page is far
    # larger than its plan, and is not kept.
    handed_out, read = itertools.tee(_pages(files, folder, inspected))
    with scratch("ahead", in_memory=True) as ahead:
        images = (for_reader(page, ahead, jobs=readers.jobs) for page, _, _ in handed_out)
        for outcome, (page, path, vectors) in zip(readers.read(images), read, strict=True):
            plans.append(_page(page, outcome, path, vectors, now))
            heard(len(plans), sum(len(found.pages) for _, found in inspected if not found.refused))
    good = [(path, found) for path, found in inspected if not found.refused]
    pages = iter(plans)
    return Gathered(
        materials=tuple(
            MaterialPlan(path.stem, tuple(itertools.islice(pages, len(found.pages)))) for path, found in good
        ),
        originals=_originals(good),
        refused=tuple((path, found.reason) for path, found in inspected if found.refused),
    )


def _pages(
    files: Sequence[Path], folder: Path, inspected: list[tuple[Path, Inspection]]
) -> Iterator[tuple[PageImage, Path, Path | None]]:
    """The pages of all files, with their file and its vectors; each file is inspected when its first page is asked
    for, and put on the list."""
    for number, path in enumerate(files):
        found = inspect_file(path, folder / f"{number:04d}", judged=False)  # nobody is asked to scan again
        inspected.append((path, found))
        if not found.refused:
            yield from ((page, path, found.vectors) for page in found.pages)


def _originals(good: Sequence[tuple[Path, Inspection]]) -> tuple[OriginalPlan, ...]:
    """Pictures whose pages are not their own bytes travel along (HEIC, WebP, TIFF)."""
    kept = {
        found.sha256: OriginalPlan(
            f"{found.sha256[:16]}.{found.media_type.rpartition('/')[2]}", path, found.media_type, found.sha256
        )
        for path, found in good
        if found.media_type.startswith("image/") and any(page.source == "reencoded" for page in found.pages)
    }
    return tuple(kept.values())


def _page(page: PageImage, outcome: Outcome, source: Path, vectors: Path | None, now: datetime) -> PagePlan:
    text = outcome.text
    found = [line for line in text.lines if not line.seal] if text else []
    read = [TextLine(line.text, line.box, line.confidence) for line in found]
    return PagePlan(
        path=page.path,
        media_type=page.media_type,
        sha256=page.sha256,
        width=page.width,
        height=page.height,
        dpi=page.dpi or 0,
        rotation=text.angle if text and text.lines else page.rotation,
        source_name_hash=hashlib.sha256(source.name.encode()).hexdigest(),
        captured_at=now,
        lines=keep_own(page.text, read),
        angle=text.slope if text else 0.0,
        reader=outcome.engine.name,
        reader_version=outcome.engine.version,
        unreadable=text is None and not page.text,
        own_lines=own_count(page.text),
        vector=VectorPlan(vectors, page.vector) if vectors and page.vector is not None else None,
        corrections=() if page.source == "as_captured" else (page.source,),
    )
