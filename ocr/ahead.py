"""Unpacks pages in this process's warm children before they are handed to readers in other processes."""

from __future__ import annotations

from pathlib import Path

from ingest.inspect import NotUnpacked, PageImage, Unpacked, unpack
from ocr.pictures import LONGEST_SIDE

LARGEST = 12_000_000
"""Pixels of a page up to which its bytes may lie about until a reader is free: A4 at 360 dpi."""


def for_reader(page: PageImage, folder: Path, *, jobs: int) -> Path | Unpacked:
    """Return what to give to `read_pages`: with several `jobs` the page's pixels in a file of `folder`.

    The file is gone once it is read. Very large pages, and those that cannot be decoded, are given as they are: their
    readers ask children of their own, and say what is wrong.
    """
    if jobs <= 1 or page.width * page.height > LARGEST:
        return page.path
    try:
        return unpack(page.path, folder / f"{page.path.parent.name}-{page.path.name}", side=LONGEST_SIDE)
    except NotUnpacked:
        return page.path
