"""The text that a PDF page brought along stays its text; what was read only adds what the PDF does not say."""

from collections.abc import Iterable, Sequence

from dossier.contents import Box, TextLine
from ingest.inspect import TextLine as OwnLine

SAID_ALREADY = 0.3
"""A line that was read is left out when this share of its area lies under the page's own lines."""
Rectangle = tuple[float, float, float, float]


def keep_own(own: Sequence[OwnLine], read: Iterable[TextLine]) -> tuple[TextLine, ...]:
    """The page's own lines, then those read where it has none (a stamp, a picture of a paper in the page)."""
    kept = [TextLine(line.text, _corners(line.box), 1.0) for line in _said(own)]
    places = [line.box for line in own]
    return (*kept, *(line for line in read if _covered(_bounds(line.box), places) < SAID_ALREADY))


def own_count(own: Sequence[OwnLine]) -> int:
    """How many of the lines that `keep_own` gives are the page's own."""
    return len(_said(own))


def _said(own: Sequence[OwnLine]) -> list[OwnLine]:
    return [line for line in own if line.text.strip()]


def _corners(box: Rectangle) -> Box:
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _bounds(box: Box) -> Rectangle:
    across, down = [x for x, _ in box], [y for _, y in box]
    return min(across), min(down), max(across), max(down)


def _covered(box: Rectangle, others: Iterable[Rectangle]) -> float:
    left, top, right, bottom = box
    area = max((right - left) * (bottom - top), 1e-6)
    shared = 0.0
    for other in others:
        width = min(right, other[2]) - max(left, other[0])
        height = min(bottom, other[3]) - max(top, other[1])
        if width > 0 and height > 0:
            shared += width * height
    return shared / area
