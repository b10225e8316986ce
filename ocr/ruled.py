"""Finds the cells of tables and forms from their ruled lines, so that what stands in one cell stays together."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ocr.lines import Angle, Rect
from ocr.red import Pixels, median

LONGEST_SIDE = 1600
"""Rules are looked for in this size: 0.2 mm to a pixel of A4."""

SHORTEST_RULE = 1 / 40
"""Of the longer side, 7 mm on A4: longer than any stroke of print in a table."""

NARROWEST, LOWEST = 20, 14
"""A cell has room for a letter of about eight points."""

FILLED = 0.6
"""A cell fills this share of the rectangle around it."""

DARKER = 12
"""How far a rule lies below the brightness of its neighbourhood, of 255."""


def find_cells(gray: Pixels, angle: Angle, slope: float) -> list[Rect]:
    """Return the areas that rules enclose on every side, in the coordinates of `order.levelled`.

    A rule that is broken lets its cells run into one another or into the paper's margin; then they are no cells.
    """
    level, (left, top), factor = _levelled(gray, angle, slope)
    rules = _rules(level)
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(
        (rules == 0).astype(np.uint8), connectivity=4
    )
    rows, columns = rules.shape
    return [
        ((x + left) / factor, (y + top) / factor, (x + width + left) / factor, (y + height + top) / factor)
        for x, y, width, height, area in stats[1:].tolist()
        if x > 0 and y > 0 and x + width < columns and y + height < rows
        if width >= NARROWEST and height >= LOWEST and area >= FILLED * width * height
    ]


def _levelled(gray: Pixels, angle: Angle, slope: float) -> tuple[Pixels, tuple[float, float], float]:
    """Return the page upright, level and small, where its corner lies, and how much smaller it is."""
    rows, columns = gray.shape
    factor = min(1.0, LONGEST_SIDE / max(rows, columns))
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    turn = math.radians(slope - angle)
    across, down = math.cos(turn), math.sin(turn)
    corners = [(x * across + y * down, y * across - x * down) for x in (0, size[0]) for y in (0, size[1])]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    width, height = max(x for x, _ in corners) - left, max(y for _, y in corners) - top
    moved = np.array([[across, down, -left], [-down, across, -top]], np.float64)
    paper = int(median(small))
    level = cv2.warpAffine(small, moved, (math.ceil(width), math.ceil(height)), borderValue=paper)
    return np.asarray(level, np.uint8), (left, top), factor


def _rules(level: Pixels) -> Pixels:
    """Return a mask of long level and upright lines, small gaps in them closed."""
    dark = cv2.adaptiveThreshold(
        level, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, blockSize=31, C=DARKER
    )
    length = max(NARROWEST, round(max(level.shape) * SHORTEST_RULE))
    ways = [np.ones((1, length), np.uint8), np.ones((length, 1), np.uint8)]
    gaps = [np.ones((1, length // 4), np.uint8), np.ones((length // 4, 1), np.uint8)]
    found = np.zeros_like(dark)
    for way, gap in zip(ways, gaps, strict=True):
        whole = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, gap[:3, :3])
        rule = cv2.morphologyEx(whole, cv2.MORPH_OPEN, way)
        found = cv2.bitwise_or(found, cv2.morphologyEx(rule, cv2.MORPH_CLOSE, gap))
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8)
