"""Makes a page ready for reading: its pixels come from a limited child, red ink is set apart here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ingest.inspect import NotUnpacked, Unpacked, unpack
from ocr.red import Pixels, RedInk, separate_red
from storage.errors import Refused
from storage.scratch import scratch

LONGEST_SIDE = 4000
"""Pixels of the longer side above which a page is made smaller before it is read: A4 at 340 dpi."""

TOO_LARGE = "图像尺寸过大，无法识别文字；请以 300 dpi 重新扫描此页。"
UNREADABLE = "图像无法打开或不完整，请重新扫描此页。"
TOO_MUCH = frozenset({"too_heavy", "too_many_pixels"})


class UnreadablePicture(Refused):
    """The picture cannot be decoded, or would need more memory than one page may take."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page ready to be read; one pixel of it is `scale` stored pixels wide, the stored picture `width` × `height`.

    `gray` sees red ink as red light does: faint, so that text under a seal stays. `red` is there on colour pages only.
    """

    gray: Pixels
    width: int
    height: int
    scale: float
    red: RedInk | None = None

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it that an engine could find."""
        return min(self.gray.shape) < 8 or int(self.gray.max()) - int(self.gray.min()) < 8


def open_picture(source: Path | Unpacked | Pixels) -> Picture:
    """Return the page in the pixel order in which it is stored (EXIF turns are not applied).

    A path is a page's JPEG or PNG file; its bytes are a stranger's, and a limited child decodes them. Raises
    UnreadablePicture.
    """
    if isinstance(source, Path):
        with scratch("pixels", in_memory=True) as folder:
            return open_picture(_unpacked(source, folder / "page"))
    pixels, width, height = (
        (source.take(), source.width, source.height)
        if isinstance(source, Unpacked)
        else (source, source.shape[1], source.shape[0])
    )
    rows, columns = pixels.shape[:2]
    if not rows or not columns:
        raise UnreadablePicture("picture_empty", "图像没有内容，请重新扫描。")
    if max(rows, columns) > LONGEST_SIDE:
        factor = LONGEST_SIDE / max(rows, columns)
        size = max(1, round(columns * factor)), max(1, round(rows * factor))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    gray, red = separate_red(pixels)
    return Picture(gray, width, height, width / pixels.shape[1], red)


def _unpacked(page: Path, target: Path) -> Unpacked:
    try:
        return unpack(page, target, side=LONGEST_SIDE)
    except NotUnpacked as refusal:
        if refusal.code in TOO_MUCH:
            raise UnreadablePicture("picture_too_large", TOO_LARGE) from refusal
        raise UnreadablePicture("picture_unreadable", UNREADABLE) from refusal
