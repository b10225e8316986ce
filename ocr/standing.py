"""What stands on a page by now: a reading, with what people corrected or confirmed laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ocr.fields import Field, Kind, find_fields
from ocr.lines import Box, Char, Line, box_bounds

SAME_PLACE = 0.5
"""A correction belongs to the line of another reading that covers at least this share of its place."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person says stands in one place of a page; the same text as was read confirms it."""

    box: Box
    original: str
    text: str
    by: str
    at: datetime

    @property
    def confirms(self) -> bool:
        """Whether the reading was right."""
        return self.text == self.original


@dataclass(frozen=True, slots=True)
class Standing:
    """The lines and fields that count; `marks` are what people said, by the number of the line.

    Lines keep the numbers of the reading. What a person added where the reading has no line comes after them; a line
    without text is one of which a person said that nothing is printed there.
    """

    lines: tuple[Line, ...]
    fields: tuple[Field, ...]
    marks: Mapping[int, Mark]

    @property
    def open(self) -> tuple[int, ...]:
        """Numbers of the lines that a person should still look at: doubted themselves, or with a doubted field."""
        doubted = {field.line for field in self.fields if not field.certain}
        return tuple(
            number
            for number, line in enumerate(self.lines)
            if number not in self.marks and not line.seal and (line.uncertain or number in doubted)
        )

    @property
    def printed(self) -> tuple[Line, ...]:
        """The lines of print, in reading order, without pieces of seals and without what is none."""
        return tuple(line for line in self.lines if line.text and not line.seal)


def standing(lines: Sequence[Line], fields: Sequence[Field], marks: Sequence[Mark]) -> Standing:
    """Lay marks (the oldest first) over a reading's lines and fields; the latest mark of a place counts."""
    if not marks:
        return Standing(tuple(lines), tuple(fields), {})
    now, placed = list(lines), dict[int, Mark]()
    for mark in marks:
        number = _line_at(mark.box, now)
        if number is None:
            now.append(Line("", mark.box, 1.0, row=now[-1].row + 1 if now else 0))
            number = len(now) - 1
        now[number] = _as_said(now[number], mark.text)
        placed[number] = mark
    if all(mark.confirms for mark in placed.values()):
        return Standing(tuple(now), tuple(fields), placed)
    return Standing(tuple(now), tuple(_fields_again(now, fields, placed)), placed)


def _fields_again(lines: Sequence[Line], before: Sequence[Field], marks: Mapping[int, Mark]) -> list[Field]:
    """Find the fields in the corrected text; where nobody touched a line, its second readings stay."""
    known = {(field.line, field.start, field.value): field.second for field in before}
    again = [
        field
        if field.line in marks
        else replace(field, second=known.get((field.line, field.start, field.value)))
        for field in find_fields(lines)
    ]
    # Only the image tells whether a place is blank; what a person said of its line closes it.
    blank = [field for field in before if field.kind == Kind.BLANK_SIGNATURE and field.line not in marks]
    return again + blank


def _as_said(line: Line, text: str) -> Line:
    """Return the line with a person's text; letters keep their places where their number is the same."""
    if text == line.text:
        return replace(line, confidence=1.0, chars=tuple(replace(c, confidence=1.0) for c in line.chars))
    if len(line.chars) == len(text):
        places = [(char.start, char.end) for char in line.chars]
    else:
        places = [(n / len(text), (n + 1) / len(text)) for n in range(len(text))]
    chars = tuple(Char(letter, *place, 1.0) for letter, place in zip(text, places, strict=True))
    return replace(line, text=text, confidence=1.0, chars=chars, vertical=False)


def _line_at(box: Box, lines: Sequence[Line]) -> int | None:
    """Return the line that covers most of a place, at least half of it."""
    shares = [(_share(box, line.box), -number) for number, line in enumerate(lines)]
    share, number = max(shares, default=(0.0, 0))
    return -number if share >= SAME_PLACE else None


def _share(box: Box, other: Box) -> float:
    left, top, right, bottom = box_bounds(box)
    left_2, top_2, right_2, bottom_2 = box_bounds(other)
    width = min(right, right_2) - max(left, left_2)
    height = min(bottom, bottom_2) - max(top, top_2)
    if width <= 0 or height <= 0:
        return 0.0
    # Against the larger of the two: a place inside a much larger box is another place.
    areas = ((right - left) * (bottom - top), (right_2 - left_2) * (bottom_2 - top_2))
    return width * height / max(*areas, 1e-6)
