"""Finds where text stands on a page: boxes around lines, in whichever way the page lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ocr.engines.sessions import Session
from ocr.lines import Box, as_box
from ocr.red import Pixels

LONGEST_SIDE = 960
"""The page is looked at in this size. Measured on 35 pages: 736 → 0.95 % wrong characters, 960 → 0.15 %, 1280 → 0.9 %."""

GRID = 32
"""The network halves its input five times."""

WARM = 0.3
"""Places of the heat map above this belong to text."""

SURE = 0.5
"""A rectangle whose mean heat is below this holds no text."""

GROWTH = 1.6
"""The network marks the core of a line; each side of the line lies this many times area by perimeter further out."""

THINNEST = 3.0
"""Of a core, in places of the heat map."""

Corners = npt.NDArray[np.float32]
Rotated = tuple[Sequence[float], Sequence[float], float]
"""Middle, size and angle of a rectangle, as OpenCV has them."""


class Detector:
    """The detection model, and the reading of its heat map."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, page: Pixels) -> list[Box]:
        """Return boxes in the page's pixels, corners clockwise from the page's own top left, in no certain order."""
        return self._find(page) or self._find_at_the_edge(page)

    def _find(self, page: Pixels) -> list[Box]:
        rows, columns = page.shape[:2]
        factor = min(1.0, LONGEST_SIDE / max(rows, columns))
        size = _on_grid(columns * factor), _on_grid(rows * factor)
        small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
        tensor = np.repeat((small.astype(np.float32) * (2 / 255) - 1)[None, None], 3, axis=1)
        heat = self._session.run(tensor)[0, 0]
        across, down = columns / heat.shape[1], rows / heat.shape[0]
        return [
            as_box(
                (min(max(x * across, 0), columns - 1), min(max(y * down, 0), rows - 1)) for x, y in corners
            )
            for corners in lines_in(heat)
        ]

    def _find_at_the_edge(self, page: Pixels) -> list[Box]:
        """Text that fills a cut-out to its edges is only seen with a margin around it."""
        margin = max(page.shape) // 4
        wider = cv2.copyMakeBorder(page, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        boxes = self._find(np.asarray(wider, np.uint8))
        return [as_box((x - margin, y - margin) for x, y in box) for box in boxes]


def lines_in(heat: npt.NDArray[np.float32]) -> Iterator[Corners]:
    """Yield the corners of each line in a heat map, in its places, clockwise from the top left one (Differentiable
    Binarization, Liao et al. 2020)."""
    warm = cv2.dilate((heat > WARM).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _hierarchy = cv2.findContours(warm, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        middle, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < THINNEST or _mean_heat(heat, (middle, (width, height), angle)) < SURE:
            continue
        growth = GROWTH * width * height / (width + height)  # both sides together
        # A contour runs through the middles of its outermost places, so that half a place is missing on either side.
        grown = cv2.boxPoints((middle, (width + growth + 1, height + growth + 1), angle))
        first = int(grown.sum(axis=1).argmin())
        yield np.roll(np.asarray(grown, np.float32), -first, axis=0)


def _mean_heat(heat: npt.NDArray[np.float32], core: Rotated) -> float:
    corners = cv2.boxPoints(core)
    rows, columns = heat.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (columns - 1, rows - 1)) + 1
    inside = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(heat[top:bottom, left:right], inside)[0])


def _on_grid(side: float) -> int:
    return max(GRID, round(side / GRID) * GRID)
