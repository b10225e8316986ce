"""Values that every engine gives and every reader takes: points, boxes, lines and whole pages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

Angle = Literal[0, 90, 180, 270]
"""Degrees by which a stored picture must be turned clockwise to stand upright."""

Point = tuple[float, float]
Box = tuple[Point, Point, Point, Point]
"""Four corners in image pixels, clockwise, beginning at the text's *own* top left corner.

A box therefore says which way its text runs: on an upside-down page the first corner is the lowest right one.
"""

Rect = tuple[float, float, float, float]
"""Left, top, right and bottom on the levelled page: x along the text, y downwards."""

CERTAIN = 0.9
"""Below this mean confidence a line is kept but marked uncertain, so that a person looks at it."""


@dataclass(frozen=True, slots=True)
class Char:
    """One character; `start` and `end` are fractions of its line's length, 0 at the beginning."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Line:
    """A run of text found in one place; `row` counts printed lines from the top and is set by the reading order.

    `seal` marks a piece of a red seal: kept, but no part of what the page says. `vertical` marks writing that runs
    downwards with its letters upright; its box begins, as always, at the corner where reading begins.
    """

    text: str
    box: Box
    confidence: float
    chars: tuple[Char, ...] = ()
    row: int = 0
    seal: bool = False
    vertical: bool = False

    @property
    def uncertain(self) -> bool:
        """Whether a person should look: the engine doubted printed text, or it is vertical."""
        return (self.confidence < CERTAIN or self.vertical) and not self.seal

    def box_of(self, start: int, end: int) -> Box:
        """Return the corners around the characters `start:end`, the whole line where the engine gave no places."""
        if len(self.chars) != len(self.text) or not 0 <= start < end <= len(self.text):
            return self.box
        return part_of(self.box, self.chars[start].start, self.chars[end - 1].end)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; characters are packed as [[start, end, confidence], …] beside the text."""
        return {
            "text": self.text,
            "box": [[round(x, 1), round(y, 1)] for x, y in self.box],
            "confidence": round(self.confidence, 4),
            "uncertain": self.uncertain,
            "row": self.row,
            "seal": self.seal,
            "vertical": self.vertical,
            "chars": [[round(c.start, 4), round(c.end, 4), round(c.confidence, 3)] for c in self.chars],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Rebuild what `to_json` gave."""
        text = value["text"]
        places = value["chars"]
        chars = (
            tuple(Char(letter, *place) for letter, place in zip(text, places, strict=True)) if places else ()
        )
        return cls(
            text,
            as_box(value["box"]),
            value["confidence"],
            chars,
            value["row"],
            value["seal"],
            value["vertical"],
        )


def as_box(corners: Iterable[Iterable[float]]) -> Box:
    """Return four (x, y) pairs as a Box; anything else is a ValueError."""
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    return first, second, third, fourth


def part_of(box: Box, start: float, end: float) -> Box:
    """Return the part of a box between two fractions of its length."""
    top_left, top_right, bottom_right, bottom_left = box
    return (
        _between(top_left, top_right, start),
        _between(top_left, top_right, end),
        _between(bottom_left, bottom_right, end),
        _between(bottom_left, bottom_right, start),
    )


def box_bounds(box: Box) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the smallest upright rectangle around a box."""
    across, down = [x for x, _ in box], [y for _, y in box]
    return min(across), min(down), max(across), max(down)


def length_of(box: Box) -> float:
    """Return how far the text runs, in pixels."""
    return (math.dist(box[0], box[1]) + math.dist(box[3], box[2])) / 2


def height_of(box: Box) -> float:
    """Return how tall the text is, in pixels."""
    return (math.dist(box[0], box[3]) + math.dist(box[1], box[2])) / 2


def direction_of(box: Box) -> Point:
    """Return the unit vector along which the text runs; (1, 0) for a box without length."""
    x = box[1][0] - box[0][0] + box[2][0] - box[3][0]
    y = box[1][1] - box[0][1] + box[2][1] - box[3][1]
    length = math.hypot(x, y)
    return (x / length, y / length) if length else (1.0, 0.0)


def _between(a: Point, b: Point, fraction: float) -> Point:
    return a[0] + (b[0] - a[0]) * fraction, a[1] + (b[1] - a[1]) * fraction
