"""Tells vertical writing from a page that lies on its side: in both, lines run downwards, but not the letters' feet."""

from __future__ import annotations

import cv2
import numpy as np

from ocr.engines.recognition import HEIGHT, Recogniser, straighten
from ocr.lines import Line
from ocr.red import Pixels

FEWEST_LETTERS = 3

AS_SURE = 0.85
"""Vertical writing is read at least this nearly as surely with its letters put side by side."""


def letters_stand(recogniser: Recogniser, page: Pixels, line: Line) -> bool:
    """Say whether the line's letters stand upright although it runs downwards.

    Each letter is cut out and turned by itself; on a page that lies on its side they then lie, and read badly.
    """
    if len(line.chars) < FEWEST_LETTERS:
        return False
    strip = straighten(page, line.box)
    cells = [_cell(strip, char.start, char.end) for char in line.chars if not char.text.isspace()]
    again = recogniser.read_strip(np.hstack(cells), line.box)
    return again.confidence >= AS_SURE * line.confidence and 2 * len(again.text) > len(line.text)


def _cell(strip: Pixels, start: float, end: float) -> Pixels:
    """Return one letter, turned clockwise by a quarter."""
    width = strip.shape[1]
    left = min(int(start * width), width - 1)
    letter = np.rot90(strip[:, left : max(int(end * width), left + 1)], -1)
    factor = HEIGHT / letter.shape[0]
    size = max(8, min(round(letter.shape[1] * factor), 2 * HEIGHT)), HEIGHT
    return np.asarray(cv2.resize(np.ascontiguousarray(letter), size, interpolation=cv2.INTER_AREA), np.uint8)
