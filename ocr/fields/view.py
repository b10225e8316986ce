"""A printed row as one string that still knows which line and pixel each of its characters came from."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ocr.lines import Box, Line, direction_of, height_of

GAP = " "
"""Stands between two lines of one row."""

# Only forms of one character for one, so that places stay true.
_NARROW = str.maketrans(
    {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)} | {"\u3000": " ", "〔": "(", "〕": ")"}
)


@dataclass(frozen=True, slots=True)
class Part:
    """A line within a row: its number on the page and where it begins in the row's text."""

    line: Line
    number: int
    begins: int

    @property
    def text(self) -> str:
        return narrow(self.line.text)


@dataclass(frozen=True, slots=True)
class RowText:
    """One printed row; `text` has narrow letters and digits."""

    text: str
    parts: tuple[Part, ...]

    def locate(self, start: int, end: int) -> tuple[int, int, int, Box, float]:
        """Return line number, span in that line, box and least confidence of the characters `start:end`.

        A span over several lines is placed in the first. Its box reaches over all that stand side by side; of a value
        wrapped in its cell no straight box can hold more than the first line.
        """
        touched = [part for part in self.parts if part.begins < end and start < part.begins + len(part.text)]
        spans = [(max(start - p.begins, 0), min(end - p.begins, len(p.text))) for p in touched]
        boxes = [part.line.box_of(*span) for part, span in zip(touched, spans, strict=True)]
        first, last = boxes[0], boxes[-1]
        confidence = min(_confidence(part.line, *span) for part, span in zip(touched, spans, strict=True))
        box = first if _wrapped(first, last) else (first[0], last[1], last[2], first[3])
        return touched[0].number, *spans[0], box, confidence


def rows_of(lines: Sequence[Line]) -> list[RowText]:
    """Return the page's rows; pieces of seals are no text."""
    numbered = [(number, line) for number, line in enumerate(lines) if not line.seal]
    rows = []
    for _row, members in itertools.groupby(numbered, key=lambda pair: pair[1].row):
        text, parts = "", []
        for number, line in members:
            text += GAP if text else ""
            parts.append(Part(line, number, len(text)))
            text += narrow(line.text)
        rows.append(RowText(text, tuple(parts)))
    return rows


def narrow(text: str) -> str:
    """Return the text with full-width letters, digits and marks made half-width, at the same length."""
    return text.translate(_NARROW)


def _wrapped(first: Box, last: Box) -> bool:
    """Whether the last box begins before the first one ends, by more than boxes overlap."""
    across, down = direction_of(first)
    onwards = (last[0][0] - first[1][0]) * across + (last[0][1] - first[1][1]) * down
    return first != last and onwards < -height_of(first) / 2


def _confidence(line: Line, start: int, end: int) -> float:
    if len(line.chars) != len(line.text):
        return line.confidence
    return min(char.confidence for char in line.chars[start:end])
