"""Sets red ink apart: a seal must not hide the text under it, a red letterhead must still be read."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ocr.lines import Box

Pixels = npt.NDArray[np.uint8]
"""A picture as rows × columns (gray) or rows × columns × 3 (red, green, blue)."""

STANDS_OUT = 40
"""How far red must lie above green and blue, of 255, to be ink and not warm paper."""

ENOUGH = 0.0002
"""Share of red pixels below which a page has no red ink worth a second look."""

COARSE = 4
"""Seals are looked for in a picture this many times smaller."""

SEAL_SIDES = (0.06, 0.25)
"""A seal's width and height as shares of the page's longer side: 18 to 75 mm on A4 (official seals are 38 to 50 mm)."""

MIXED = 0.25
"""Dark ink of at least this share of the red ink in a box is print with a seal over it, less is red print."""

INK_DEPTH = 0.7
"""Ink is dark when it is below this share of its paper's brightness."""


@dataclass(frozen=True, slots=True)
class RedInk:
    """What is known of the red ink on one page, all in the page's working pixels."""

    mask: npt.NDArray[np.bool_]
    plain: Pixels
    clean: Pixels
    seals: tuple[tuple[int, int, int, int], ...]

    def ink_in(self, box: Box, gray: Pixels) -> str:
        """Say what the box holds: `black` print, print `under` red ink, `red` print, or a piece of a `seal`."""
        rows, columns = _around(box, gray)
        red = float(self.mask[rows, columns].mean())
        if red < ENOUGH * 10:
            return "black"
        part = gray[rows, columns]
        dark = float((part < np.percentile(part, 90) * INK_DEPTH).mean())
        if dark >= MIXED * red:
            return "under"
        return "seal" if self._in_seal(box) else "red"

    def _in_seal(self, box: Box) -> bool:
        x = sum(corner[0] for corner in box) / 4
        y = sum(corner[1] for corner in box) / 4
        return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in self.seals)


def separate_red(pixels: Pixels) -> tuple[Pixels, RedInk | None]:
    """Return gray pixels in which red ink is faint, and the red ink itself; None where there is hardly any."""
    if pixels.ndim == 2:
        return pixels, None
    plain = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    red, green, blue = (np.asarray(channel, np.uint8) for channel in cv2.split(pixels))
    mask = cv2.subtract(red, cv2.max(green, blue)) > STANDS_OUT
    if mask.mean() < ENOUGH:
        return plain, None
    gray = _laid_over(plain, red, mask)
    return gray, RedInk(mask, plain, _without(mask, gray), _seals(mask))


def _without(mask: npt.NDArray[np.bool_], gray: Pixels) -> Pixels:
    """Return the page with its red ink lifted to the brightness of the paper; what is dark under it stays dark."""
    paper = median(gray)
    ink = float(np.percentile(gray[mask], 60))
    lift = np.clip(np.arange(256, dtype=np.float32) * (paper / max(ink, 1.0)), 0, paper).astype(np.uint8)
    # The rim of a stroke is red mixed with paper: too pale for the mask, still visible. Take it along.
    rim = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return _laid_over(gray, np.asarray(cv2.max(gray, cv2.LUT(gray, lift)), np.uint8), rim)


def _laid_over(under: Pixels, over: Pixels, where: npt.NDArray[np.bool_]) -> Pixels:
    """Return a copy of `under` that shows `over` at the places; a page has 9 million, and numpy takes ten times as long."""
    result = under.copy()
    cv2.copyTo(over, where.view(np.uint8), result)
    return result


def median(gray: Pixels) -> float:
    """Return the median out of the 256 counts; sorting the pixels takes ten times as long."""
    counts = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel().cumsum(dtype=np.float64)
    middle = np.searchsorted(counts, [(gray.size - 1) // 2, gray.size // 2], side="right")
    return float(middle.mean())


def _seals(mask: npt.NDArray[np.bool_]) -> tuple[tuple[int, int, int, int], ...]:
    """Return (left, top, right, bottom) of red strokes that hang together and are as large and as square as a seal."""
    rows, columns = mask.shape
    size = max(1, columns // COARSE), max(1, rows // COARSE)
    # Whole squares only: OpenCV adds up those twice as fast as ones that end within a pixel.
    whole = mask.view(np.uint8)[: size[1] * COARSE, : size[0] * COARSE]
    small = cv2.resize(whole * 255, size, interpolation=cv2.INTER_AREA)
    joined = cv2.morphologyEx((small > 48).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(joined)
    least, most = (share * max(size) for share in SEAL_SIDES)
    return tuple(
        (int(left) * COARSE, int(top) * COARSE, int(left + width) * COARSE, int(top + height) * COARSE)
        for left, top, width, height, _area in stats[1:]
        if least <= width <= most and least <= height <= most and 0.5 <= width / height <= 2
    )


def _around(box: Box, pixels: Pixels) -> tuple[slice, slice]:
    xs, ys = [corner[0] for corner in box], [corner[1] for corner in box]
    left, top = max(int(min(xs)), 0), max(int(min(ys)), 0)
    return slice(top, max(int(max(ys)), top + 1)), slice(left, max(int(max(xs)), left + 1))
