"""TIFF: each full-size page of the directory chain becomes a lossless PNG, bilevel pages stay bilevel."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, TiffImagePlugin

from ingest.inspect.limits import MAX_PAGES, MAX_TIFF_DIRECTORIES
from ingest.inspect.pages import PageWriter
from ingest.inspect.pixels import believable_dpi, check_memory, plain
from ingest.inspect.unacceptable import Unacceptable

_SUBFILE, _ACROSS, _DOWN, _UNIT = 254, 282, 283, 296
_REDUCED = 1  # a thumbnail beside the real page
_MAX_ENTRIES = 4096
_PRIVATE = {
    34853: "拍摄位置（GPS）",
    34665: "拍摄信息（EXIF）",
    700: "XMP 描述信息",
    33723: "图像软件写入的信息（IPTC）",
    34377: "图像软件写入的信息（IPTC）",
    270: "文字说明",
    315: "作者信息",
    316: "设备信息",
}


@dataclass(frozen=True)
class _Layout:
    """How a classic or a big TIFF writes its directories."""

    order: str
    count: str
    entry: int
    offset: str


def take_tiff(path: Path, pages: PageWriter) -> None:
    """Every page of a TIFF file, in order."""
    frames, looped = _page_frames(path)
    if looped:
        pages.note("文件的页目录首尾相接，重复的页已略去")
        pages.repaired = True
    if len(frames) > MAX_PAGES:
        raise Unacceptable("too_many_pages", pages=len(frames), limit=MAX_PAGES)
    try:
        with Image.open(path, formats=["TIFF"]) as picture:
            for number, frame in enumerate(frames, start=1):
                try:
                    _take_frame(picture, frame, pages)
                except Unacceptable as why:
                    raise why.on_page(number) from why
    except (OSError, SyntaxError, EOFError, ValueError, KeyError, struct.error) as error:
        raise Unacceptable("damaged") from error


def _take_frame(picture: Image.Image, frame: int, pages: PageWriter) -> None:
    assert isinstance(picture, TiffImagePlugin.TiffImageFile)
    try:
        picture.seek(frame)
        check_memory(picture)
        tags = picture.tag_v2
        density = _density(tags)
        pages.remove(*(what for tag, what in _PRIVATE.items() if tag in tags))
        picture.load()  # turns the picture upright by its orientation tag
    except (OSError, SyntaxError, EOFError, TypeError, struct.error) as error:
        raise Unacceptable("truncated" if "truncated" in str(error) else "damaged") from error
    flat, notes = plain(picture.copy())
    pages.note(*notes)
    flat, dpi = _square_dots(flat, density)
    pages.encode(flat, dpi=dpi, source="reencoded")


def _density(tags: TiffImagePlugin.ImageFileDirectory_v2) -> tuple[float, float] | None:
    per_inch = {2: 1.0, 3: 2.54}.get(tags.get(_UNIT, 2))
    across, down = tags.get(_ACROSS), tags.get(_DOWN)
    if per_inch is None or across is None or down is None:
        return None
    try:
        return float(across) * per_inch, float(down) * per_inch
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _square_dots(picture: Image.Image, density: tuple[float, float] | None) -> tuple[Image.Image, int | None]:
    """Fax pages have twice as many dots across as down (204×98): repeat rows so that dots are square."""
    dpi = believable_dpi(density, *picture.size)
    if dpi is not None or density is None:
        return picture, dpi
    across, down = density
    if not (min(across, down) >= 90 and max(across, down) <= 400):
        return picture, None
    finer = max(across, down)
    size = (round(picture.width * finer / across), round(picture.height * finer / down))
    return picture.resize(size, Image.Resampling.NEAREST), round(finer)


def _page_frames(path: Path) -> tuple[list[int], bool]:
    """Which directories of the chain are pages (not thumbnails), and whether the chain runs in a loop."""
    with path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        if head[2:4] in (b"+\0", b"\0+"):
            layout, at = _Layout(order, "Q", 20, "Q"), _number(head[8:16], order + "Q")
        else:
            layout, at = _Layout(order, "H", 12, "I"), _number(head[4:8], order + "I")
        frames: list[int] = []
        seen: set[int] = set()
        while at:
            if at in seen:
                return frames, True
            seen.add(at)
            if len(seen) > MAX_TIFF_DIRECTORIES:
                raise Unacceptable("too_many_pages", pages=len(seen), limit=MAX_PAGES)
            reduced, following = _directory(file, at, layout)
            if not reduced:
                frames.append(len(seen) - 1)
            at = following
    if not frames:
        raise Unacceptable("damaged")
    return frames, False


def _directory(file: BinaryIO, at: int, layout: _Layout) -> tuple[bool, int]:
    """Whether this directory is a thumbnail, and where the next one stands (0: none)."""
    file.seek(at)
    entries = _number(file.read(struct.calcsize(layout.count)), layout.order + layout.count)
    if entries > _MAX_ENTRIES:
        raise Unacceptable("damaged")
    table = file.read(entries * layout.entry)
    if len(table) < entries * layout.entry:
        raise Unacceptable("truncated")
    reduced = False
    for start in range(0, len(table), layout.entry):
        tag, kind = struct.unpack_from(layout.order + "HH", table, start)
        if tag == _SUBFILE and kind in (3, 4):
            value = table[start + layout.entry - struct.calcsize(layout.offset) :]
            reduced = bool(_number(value[: 2 if kind == 3 else 4], layout.order + "HI"[kind - 3]) & _REDUCED)
    after = file.read(struct.calcsize(layout.offset))
    if len(after) < struct.calcsize(layout.offset):
        return reduced, 0  # the chain's end was cut off; what stands before it is whole
    return reduced, _number(after, layout.order + layout.offset)


def _number(data: bytes, form: str) -> int:
    try:
        return int(struct.unpack(form, data)[0])
    except struct.error as error:
        raise Unacceptable("truncated") from error
