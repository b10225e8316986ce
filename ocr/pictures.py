"""Opens a stored page picture for reading: bounded in memory, flattened on white, red ink set apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin

from ocr.red import Pixels, RedInk, separate_red
from storage.errors import Refused

LONGEST_SIDE = 4000
"""Pixels of the longer side above which a page is made smaller before it is read: A4 at 340 dpi."""

DECODED_BYTES = 288 * 2**20
"""What one decoded picture may take in memory; the largest sound scan (A3 at 600 dpi, colour) needs 280 MB."""

STRIP_PIXELS = 4 * 2**20
"""Decoded pixels are made gray or coloured, flattened on paper and made smaller so many at a time."""

BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
"""How the decoder keeps pixels; every other mode takes four bytes."""

SHORTS = frozenset({"I", "I;16", "I;16L", "I;16B"})
LAYERED = frozenset({"LA", "PA", "RGBA", "RGBa", "La"})

TOO_LARGE = "图像尺寸过大，无法识别文字；请以 300 dpi 重新扫描此页。"


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


def open_picture(source: Path | Pixels) -> Picture:
    """Return the page in the pixel order in which it is stored (EXIF turns are not applied).

    Raises UnreadablePicture.
    """
    pixels, width, height = (
        _decode(source) if isinstance(source, Path) else (source, source.shape[1], source.shape[0])
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


def _decode(path: Path) -> tuple[Pixels, int, int]:
    """Return the pixels (a large JPEG already reduced by its decoder) with the stored width and height."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no reason not to read the page
            with _opened(path) as image:
                width, height = image.size
                image.draft(None, _reduced(width, height))
                _check_memory(image, stored_pixels=width * height)
                image.load()
                return _flat(image), width, height
    except Image.DecompressionBombError as error:
        raise UnreadablePicture("picture_too_large", TOO_LARGE) from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise UnreadablePicture("picture_unreadable", "图像无法打开或不完整，请重新扫描此页。") from error


def _opened(path: Path) -> Image.Image:
    """Open a picture; a JPEG beyond Pillow's pixel limit too, because its decoder can halve it on the way."""
    try:
        return Image.open(path)
    except Image.DecompressionBombError:
        if path.open("rb").read(2) != b"\xff\xd8":
            raise
        return JpegImagePlugin.JpegImageFile(path)


def _reduced(width: int, height: int) -> tuple[int, int]:
    """Return the size to ask the decoder for: its own halving must never go below the size we read at."""
    factor = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, int(width * factor)), max(1, int(height * factor))


def _check_memory(image: Image.Image, *, stored_pixels: int) -> None:
    """Refuse what would not fit. A progressive JPEG keeps all its coefficients, whatever the reduction."""
    needed = image.width * image.height * BYTES_PER_PIXEL.get(image.mode, 4)
    if image.format == "JPEG" and image.info.get("progressive"):
        needed += 3 * stored_pixels
    if needed > DECODED_BYTES:
        raise UnreadablePicture("picture_too_large", TOO_LARGE)


def _flat(image: Image.Image) -> Pixels:
    """Return gray or colour pixels on white paper, whatever mode the file has.

    Strip by strip, and a page far beyond the size we read at made smaller on the way: a palette of colours with
    transparency would take twenty times its decoded size if it were turned as a whole.
    """
    factor = max(1, max(image.size) // LONGEST_SIDE)
    brightest = _brightest(image)
    return np.concatenate([_on_paper(strip, brightest, factor) for strip in _strips(image, factor)])


def _strips(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    """Yield the picture from the top down, each strip but the last a multiple of `factor` rows high."""
    rows = max(1, STRIP_PIXELS // image.width // factor) * factor
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _brightest(image: Image.Image) -> float:
    """Return the level of white in modes deeper than a byte."""
    if image.mode != "F":
        return 65535.0
    _darkest, brightest = image.getextrema()
    return max(float(brightest), 1.0)  # type: ignore[arg-type]  # one pair: this mode has one band


def _on_paper(strip: Image.Image, brightest: float, factor: int) -> Pixels:
    if strip.mode in SHORTS or strip.mode == "F":
        deep = np.asarray(strip, np.float32)
        flat = Image.fromarray(np.asarray(np.clip(deep * (255.0 / brightest), 0, 255), np.uint8))
    elif strip.mode in LAYERED or "transparency" in strip.info:
        layered = strip.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    else:
        flat = strip.convert("L" if strip.mode in {"1", "L"} else "RGB")
    return np.asarray(flat.reduce(factor) if factor > 1 else flat)
