"""What stands below a heading in a table or form: the same column, row after row."""

from collections.abc import Iterator, Sequence

from ocr.fields.view import Part, RowText
from ocr.lines import Line, direction_of, height_of

DEEPEST = 60
"""Rows that are looked at below a heading."""


def below(heading: Part, rows: Sequence[RowText]) -> Iterator[tuple[int, Part]]:
    """Yield the first part of each row that stands under the heading, with the row's place in `rows`.

    Rows with nothing there are passed over.
    """
    for place, row in enumerate(rows[:DEEPEST]):
        part = next((part for part in row.parts if _stands_under(part.line, heading.line)), None)
        if part is not None:
            yield place, part


def _stands_under(line: Line, heading: Line) -> bool:
    """Say whether a line begins, in the text's own direction, within the heading or a letter left of it."""
    across, down = direction_of(heading.box)
    begin, end, left = (x * across + y * down for x, y in (heading.box[0], heading.box[1], line.box[0]))
    return begin - height_of(heading.box) <= left <= end
