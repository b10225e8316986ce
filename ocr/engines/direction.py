"""Finds which way a page lies from the boxes that reading needs anyway and a few lines read both ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from ocr.lines import Angle, Box, Line

LONG = 1.5
"""A box counts as lying or standing when one side is this many times the other."""

BEST_SHAPE = 7.0
"""Sides' ratio of the most telling sample: enough characters to be sure, few enough to be quick."""

DECIDED = 0.5
"""Difference of summed confidence between the two ways at which no further sample is read."""

MOST_SAMPLES = 8

SIDEWAYS = frozenset({90, 270})


@dataclass(frozen=True, slots=True)
class Found:
    """The page's angle, and the lines that were read on the way, by the index of their box."""

    angle: Angle
    lines: dict[int, Line]

    def as_vertical(self) -> Found:
        """Return what was found when the lines, not the page, run downwards."""
        lines = {index: replace(line, vertical=True) for index, line in self.lines.items()}
        return Found(cast("Angle", (self.angle + 90) % 360), lines)


def find_direction(boxes: Sequence[Box], read: Callable[[Box], Line]) -> Found:
    """Return the page's direction; 0 where nothing was found that could tell.

    `boxes` have their corners in the picture's order, `read` reads a box whose first corner is the text's own.
    """
    axis = _axis(boxes)
    ways = (axis, cast(Angle, axis + 180))
    sums = dict.fromkeys(ways, 0.0)
    lines: dict[Angle, dict[int, Line]] = {way: {} for way in ways}
    for count, index in enumerate(_samples(boxes, axis), start=1):
        for way in ways:
            line = read(turned(boxes[index], way))
            lines[way][index] = line
            sums[way] += line.confidence * min(len(line.text), 8) / 8
        if count >= 2 and abs(sums[ways[0]] - sums[ways[1]]) >= DECIDED:
            break
    best = max(ways, key=lambda way: sums[way])
    return Found(best, lines[best])


def turned(box: Box, angle: Angle) -> Box:
    """Return the same box with the corner first that is the top left one once the page stands upright."""
    by = angle // 90
    return cast(Box, box[4 - by :] + box[: 4 - by])


def sides(box: Box) -> tuple[float, float]:
    """Return width and height of a box in the order of its corners, in pixels."""
    return math.dist(box[0], box[1]), math.dist(box[0], box[3])


def _axis(boxes: Sequence[Box]) -> Literal[0, 90]:
    """Return 90 when most of the text, by its length, stands instead of lying."""
    lying = standing = 0.0
    for box in boxes:
        width, height = sides(box)
        if width > LONG * height:
            lying += width
        elif height > LONG * width:
            standing += height
    return 90 if standing > lying else 0


def _samples(boxes: Sequence[Box], axis: Literal[0, 90]) -> list[int]:
    """Return the boxes worth reading both ways, the most telling first."""

    def unlikeness(index: int) -> float:
        width, height = sides(turned(boxes[index], axis))
        return abs(math.log(max(width, 1.0) / max(height, 1.0) / BEST_SHAPE))

    return sorted(range(len(boxes)), key=unlikeness)[:MOST_SAMPLES]
