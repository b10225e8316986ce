"""Reads one page picture: opens it, lets an engine find its lines, orders them and says how the page lies."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ingest.inspect import Unpacked
from ocr.engines.interface import Engine
from ocr.lines import Angle, Box, Line, as_box
from ocr.order import in_reading_order, page_direction, row_text
from ocr.pictures import Picture, open_picture
from ocr.red import Pixels
from ocr.ruled import find_cells


@dataclass(frozen=True, slots=True)
class PageText:
    """What stands on one page.

    `angle` is the clockwise turn in degrees that makes the stored picture upright, `slope` how many degrees its lines
    then still fall to the right. Boxes are in pixels of the picture as stored, which is `width` × `height`.
    """

    angle: Angle
    slope: float
    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The page's print, one printed line per line; pieces of seals are left out."""
        printed = (line for line in self.lines if not line.seal)
        rows = itertools.groupby(printed, key=lambda line: line.row)
        return "\n".join(row_text(list(row)) for _number, row in rows)

    @property
    def uncertain(self) -> int:
        """How many lines a person should look at."""
        return sum(line.uncertain for line in self.lines)


def read_page(source: Path | Unpacked | Pixels | Picture, engine: Engine) -> PageText:
    """Return the text of a stored page, of its pixels (gray, or red, green, blue), or of one that was opened already.

    Raises UnreadablePicture when it cannot be opened and EngineFailed when the engine gives up; a page without text
    is a result without lines.
    """
    picture = source if isinstance(source, Picture) else open_picture(source)
    found = [] if picture.blank else engine.read(picture)
    angle, slope = page_direction(line for line in found if not line.seal)
    ordered = in_reading_order(found, partial(find_cells, picture.gray))
    lines = (replace(line, box=_as_stored(line.box, picture)) for line in ordered)
    return PageText(angle, slope, picture.width, picture.height, tuple(lines))


def _as_stored(box: Box, picture: Picture) -> Box:
    """Return the box in stored pixels, and within the picture."""
    return as_box(
        (min(max(x * picture.scale, 0), picture.width), min(max(y * picture.scale, 0), picture.height))
        for x, y in box
    )
