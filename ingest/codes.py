"""Reads QR codes and barcodes off scans and photos, trying harder only when the easy way finds nothing.

The ladder of steps is measured, not guessed: see tests/logistics/test_labels_degraded.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from PIL import Image

from storage.errors import Refused

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
Corners = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]

MAX_PIXELS = 120_000_000
WORKING_SIDE = 4000
SMALLEST_SIDE = 16
UPSCALE_UP_TO = 2400
COLOURED_SPREAD = 40
QR = "QRCode"
CODE128 = "Code128"

_FORMATS = zxingcpp.barcode_formats_from_str("QRCode,Code128,Code39,DataMatrix")


class TooLarge(Refused):
    """More pixels than a scanner or a camera produces."""

    def __init__(self) -> None:
        super().__init__("image_too_large", "图像像素过多，无法识读条码，请用不高于 600 dpi 的扫描件重试。")


@dataclass(frozen=True)
class Code:
    """One symbol that was read.

    `position` holds its corners (top-left, top-right, bottom-right, bottom-left of the symbol itself) in pixels
    of the image that was given; `step` names the rung of the ladder that succeeded.
    """

    text: str
    format: str
    position: Corners
    step: str


@dataclass(frozen=True)
class _View:
    """One way of looking at the image: its pixels and the map from them back to the source."""

    step: str
    pixels: Pixels
    scale: float = 1.0
    binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage
    offset: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0

    def to_source(self, x: float, y: float) -> tuple[int, int]:
        if self.turn:
            height, width = self.pixels.shape[:2]
            back = cv2.getRotationMatrix2D((width / 2, height / 2), -self.turn, 1.0)
            x, y = back @ np.array([x, y, 1.0])
        return round(x / self.scale + self.offset[0]), round(y / self.scale + self.offset[1])


def read_codes(image: Image.Image | Pixels, *, expect: Iterable[str] = ()) -> list[Code]:
    """Every code on the image, in reading order.

    A ladder of steps (plain, red channel, upscale, flatten, threshold, sharpen, heal, turn) is climbed until one
    finds something, or, when `expect` names formats (`QR`, `CODE128`), until each of them has been found once.
    Takes a Pillow image or an RGB / gray array. Raises `TooLarge`.
    """
    wanted = set(expect)
    pixels = _pixels(image)
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        return []
    found: dict[tuple[str, str], Code] = {}
    for view in _views(pixels):
        for code in _read(view):
            found.setdefault((code.format, code.text), code)
        seen = {code.format for code in found.values()}
        if found and wanted <= seen:
            break
    return sorted(found.values(), key=lambda code: (code.position[0][1], code.position[0][0]))


def _read(view: _View) -> Iterator[Code]:
    barcodes = zxingcpp.read_barcodes(
        view.pixels,
        formats=_FORMATS,
        binarizer=view.binarizer,
        try_invert=view.step == "plain",
        text_mode=zxingcpp.TextMode.Plain,
    )
    for barcode in barcodes:
        corners = barcode.position
        points = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
        a, b, c, d = (view.to_source(point.x, point.y) for point in points)
        yield Code(text=barcode.text, format=_name(barcode.format), position=(a, b, c, d), step=view.step)


def _name(found: zxingcpp.BarcodeFormat) -> str:
    name = found.name
    return QR if name.startswith("QRCode") else name


def _pixels(image: Image.Image | Pixels) -> Pixels:
    if isinstance(image, Image.Image):
        if image.width * image.height > MAX_PIXELS:
            raise TooLarge
        if image.mode not in ("L", "RGB"):
            image = _on_white(image)
        image = np.asarray(image)
    elif image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise TooLarge
    return np.ascontiguousarray(image)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "1":
        return image.convert("L")
    if "A" in image.getbands() or "transparency" in image.info:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image.convert("RGB")


def _views(source: Pixels) -> Iterator[_View]:
    """The ladder, each rung computed only when it is reached."""
    shrink = min(1.0, WORKING_SIDE / max(source.shape[:2]))
    if shrink < 1.0:
        source = _resized(source, shrink)
    gray = source if source.ndim == 2 else _converted(source, cv2.COLOR_RGB2GRAY)
    yield _View("plain", gray, shrink)
    best = gray
    if source.ndim == 3 and _is_coloured(source):
        # Seal ink is nearly white in the red channel, the black modules below it stay black.
        best = np.ascontiguousarray(source[:, :, 0])
        yield _View("red", best, shrink)
    if max(best.shape) <= UPSCALE_UP_TO:
        yield _View("upscale", _resized(best, 2.0), shrink * 2)
    flat = _flattened(best)
    yield _View("flatten", flat, shrink)
    yield _View("threshold", _thresholded(flat), shrink, zxingcpp.Binarizer.GlobalHistogram)
    larger, factor = (_resized(flat, 2.0), 2.0) if max(flat.shape) <= UPSCALE_UP_TO else (flat, 1.0)
    yield _View("sharpen", _sharpened(larger), shrink * factor)
    for defect in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):
        yield _View("heal", _healed(best, defect), shrink)
    for degrees in (-20.0, 20.0):
        yield _View("turn", _turned(flat, degrees), shrink, turn=degrees)


def _is_coloured(source: Pixels) -> bool:
    sample = source[::7, ::7].astype(np.int16)
    return bool((np.ptp(sample, axis=2) > COLOURED_SPREAD).mean() > 0.0005)


def _resized(pixels: Pixels, factor: float) -> Pixels:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return _bytes(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how))


def _converted(pixels: Pixels, how: int) -> Pixels:
    return _bytes(cv2.cvtColor(pixels, how))


def _flattened(gray: Pixels) -> Pixels:
    """Divide by the paper's own brightness, so that shadows and faded print even out."""
    small = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((9, 9), np.uint8)), 21)
    paper = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    level = cv2.medianBlur(cv2.divide(gray, paper, scale=255), 3)
    darkest, brightest = int(level.min()), int(level.max())
    if darkest == brightest:
        return _bytes(level)
    return _bytes((level.astype(np.float32) - darkest) * (255 / (brightest - darkest)))


def _thresholded(gray: Pixels) -> Pixels:
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    return _bytes(cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def _sharpened(gray: Pixels) -> Pixels:
    soft = cv2.GaussianBlur(gray, (0, 0), 3)
    return _bytes(cv2.addWeighted(gray, 2.5, soft, -1.5, 0))


def _healed(gray: Pixels, defect: int) -> Pixels:
    """Remove pen strokes (close) or white scratches (open) that are thinner than a module."""
    return _bytes(cv2.morphologyEx(gray, defect, np.ones((5, 5), np.uint8)))


def _turned(gray: Pixels, degrees: float) -> Pixels:
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return _bytes(cv2.warpAffine(gray, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=255))


def _bytes(pixels: object) -> Pixels:
    return np.ascontiguousarray(pixels, dtype=np.uint8)
