"""Puts lines into reading order: rows along the page's own slope, cells of tables whole, prose columns one by one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import cast

from ocr.lines import Angle, Line, Point, Rect, direction_of, height_of, length_of

SAME_ROW = 0.5
"""Two runs stand in one row when their middles differ by less than this share of the lower one's height."""

FEWEST_COLUMN_LINES = 4
NARROWEST_COLUMN = 8.0
"""A prose column is at least this many text heights wide; what is narrower is a table or form."""

FILLED = 0.8
"""A line fills its column from this share of the width on; half of a prose column's lines do, a table's do not."""


SPANS = 1.5
"""A cell this many times as high as the topmost one beside it spans several rows."""

MOST_CELLS = 1_000
"""With more of them the rules are a pattern, not a table."""

LONGEST_VALUE = 3
"""A value wrapped in its cell has at most so many lines; what has more is running text."""


@dataclass(frozen=True, slots=True)
class Run:
    """A line seen on the page as it is read: x along the text, y downwards, in pixels; `below` follows in its cell."""

    line: Line
    left: float
    right: float
    middle: float
    height: float
    below: tuple[Run, ...] = ()


Row = list[Run]
FindCells = Callable[[Angle, float], Sequence[Rect]]


def page_direction(lines: Iterable[Line]) -> tuple[Angle, float]:
    """Return by how much the page must be turned clockwise to stand upright, and its remaining slope in degrees.

    The slope is positive where lines fall to the right. A page without text stands upright and level.
    """
    x = y = 0.0
    lines = list(lines)
    for line in lines:
        across, down = _upright_direction(line)
        x += across * length_of(line.box)
        y += down * length_of(line.box)
    if not math.hypot(x, y):
        return 0, 0.0
    angle = cast(Angle, round(math.degrees(math.atan2(-y, x)) / 90) % 4 * 90)
    slopes = [
        (degrees, length_of(line.box))
        for line in lines
        if abs(degrees := _slope(line, angle)) < 30 and length_of(line.box) > 3 * height_of(line.box)
    ]
    return angle, _weighted_median(slopes)


def in_reading_order(lines: Sequence[Line], cells_of: FindCells | None = None) -> list[Line]:
    """Return the lines as a person reads them, numbered by row; pieces of seals come last.

    `cells_of` tells, for the page's angle and slope, where rules enclose cells: what stands in one cell is read together.
    """
    printed = [line for line in lines if not line.seal]
    angle, slope = page_direction(printed)
    ordered: list[Line] = []
    count = 0
    runs = levelled(printed, angle, slope)
    vertical = sum(line.vertical for line in printed) * 2 > len(printed)
    if cells_of and not vertical and _side_by_side(runs):
        runs = _in_cells(runs, cells_of(angle, slope))
    for row in _from_the_right(runs) if vertical else _columns(_rows(runs)):
        for printed_row in _with_below(row):
            ordered += [replace(run.line, row=count) for run in printed_row]
            count += 1
    for seal in (line for line in lines if line.seal):
        ordered.append(replace(seal, row=count))
        count += 1
    return ordered


def row_text(lines: Sequence[Line]) -> str:
    """Return one printed line: parts of it that stand apart are separated by a space, touching ones are not."""
    text = ""
    for index, line in enumerate(lines):
        text += (
            " " + line.text
            if index and _gap(lines[index - 1], line) > 0.6 * height_of(line.box)
            else line.text
        )
    return text


def _gap(before: Line, after: Line) -> float:
    across, down = direction_of(before.box)
    end, begin = before.box[1], after.box[0]
    return (begin[0] - end[0]) * across + (begin[1] - end[1]) * down


def _upright_direction(line: Line) -> Point:
    """Return where the page's own right is, as far as this line tells: across vertical writing, along any other."""
    across, down = direction_of(line.box)
    return (down, -across) if line.vertical else (across, down)


def _slope(line: Line, angle: Angle) -> float:
    across, down = _upright_direction(line)
    return (math.degrees(math.atan2(down, across)) + angle + 180) % 360 - 180


def _weighted_median(values: list[tuple[float, float]]) -> float:
    half = sum(weight for _value, weight in values) / 2
    passed = 0.0
    for value, weight in sorted(values):
        passed += weight
        if passed >= half:
            return value
    return 0.0


def levelled(lines: Iterable[Line], angle: Angle, slope: float) -> list[Run]:
    """Return the lines in the upright, level page."""
    turn = math.radians(slope - angle)
    across, down = math.cos(turn), math.sin(turn)
    runs = []
    for line in lines:
        xs = [x * across + y * down for x, y in line.box]
        ys = [y * across - x * down for x, y in line.box]
        runs.append(Run(line, min(xs), max(xs), sum(ys) / 4, height_of(line.box)))
    return runs


def _side_by_side(runs: Sequence[Run]) -> bool:
    """Whether any run begins right of where another ends; on a page of plain text none does."""
    return bool(runs) and max(run.left for run in runs) > min(run.right for run in runs)


def _in_cells(runs: Sequence[Run], cells: Sequence[Rect]) -> list[Run]:
    """Let runs in cells stand at their table row's middle, wherever in the cell they are, and stacked ones follow the first.

    A cell with nothing beside it is a frame around text, which is left as it is. One that spans several rows is read
    with the first of them.
    """
    filled = _filled(runs, cells)
    found = {id(run): run for run in runs}
    for cell, inside in filled:
        beside = [other for other, _ in filled if _beside(cell, other)]
        rows = _rows(inside)
        if not beside or (len(rows) > 1 and any(len(row) > 1 for row in rows)):
            continue
        middle = _level_of(cell, beside)
        if len(rows) == 1:
            found |= {id(run): replace(run, middle=middle) for run in inside}
            continue
        first, *below = (row[0] for row in rows)
        found[id(first)] = replace(
            first,
            left=min(run.left for run in inside),
            right=max(run.right for run in inside),
            middle=middle,
            below=tuple(below),
        )
        for run in below:
            del found[id(run)]
    return list(found.values())


def _filled(runs: Iterable[Run], cells: Sequence[Rect]) -> list[tuple[Rect, list[Run]]]:
    """Return the cells that hold anything, with what they hold; each run belongs to one cell at most."""
    filled: dict[Rect, list[Run]] = {}
    for run in runs if len(cells) <= MOST_CELLS else ():
        x, y = (run.left + run.right) / 2, run.middle
        cell = next((cell for cell in cells if cell[0] <= x <= cell[2] and cell[1] <= y <= cell[3]), None)
        if cell is not None:
            filled.setdefault(cell, []).append(run)
    return list(filled.items())


def _level_of(cell: Rect, beside: Iterable[Rect]) -> float:
    """Return the middle of the table row with which a cell is read."""
    top = min(beside, key=lambda other: other[1])
    spans = cell[3] - cell[1] > SPANS * (top[3] - top[1])
    return (top[1] + top[3]) / 2 if spans else (cell[1] + cell[3]) / 2


def _beside(cell: Rect, other: Rect) -> bool:
    """Whether two cells stand in one row of a table: they share half the height of the lower one, and no width."""
    shared = min(cell[3], other[3]) - max(cell[1], other[1])
    apart = cell[2] <= other[0] or other[2] <= cell[0]
    return apart and 2 * shared > min(cell[3] - cell[1], other[3] - other[1])


def _with_below(row: Row) -> list[Row]:
    """Return a row with what follows in its cells: a wrapped value in the same row, running text in rows of its own."""
    first: Row = []
    later: list[Row] = []
    for run in row:
        first.append(run)
        if len(run.below) < LONGEST_VALUE:
            first += run.below
        else:
            later += [[under] for under in run.below]
    return [first, *later]


def _from_the_right(runs: Iterable[Run]) -> list[Row]:
    """Vertical writing: each line is a row, the rightmost first."""
    return [[run] for run in sorted(runs, key=lambda run: -(run.left + run.right))]


def _rows(runs: Iterable[Run]) -> list[Row]:
    """Group runs whose middles lie on one level, each row from left to right, from the top down."""
    rows: list[Row] = []
    for run in sorted(runs, key=lambda run: run.middle):
        row = rows[-1] if rows else []
        level = sum(other.middle for other in row) / len(row) if row else 0.0
        if row and run.middle - level < SAME_ROW * min(run.height, median(other.height for other in row)):
            row.append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.left) for row in rows]


def _columns(rows: list[Row]) -> list[Row]:
    """Read prose columns one after the other; rows of tables and forms stay together."""
    found = _widest_gutter(rows)
    if found is None:
        return rows
    first, last, gutter = found
    runs = [run for row in rows[first:last] for run in row]
    left = _rows(run for run in runs if run.right <= gutter)
    right = _rows(run for run in runs if run.right > gutter)
    return rows[:first] + left + _columns(right) + _columns(rows[last:])


def _widest_gutter(rows: list[Row]) -> tuple[int, int, float] | None:
    """Return the longest stretch of rows `first:last` with one gutter between two columns of prose, and where it is."""
    best: tuple[int, int, float] | None = None
    for first, row in enumerate(rows):
        for before, after in itertools.pairwise(row):
            last, gutter = _stretch(rows, first, before.right, after.left)
            longest = best[1] - best[0] if best else FEWEST_COLUMN_LINES - 1
            if last - first > longest and _both_prose(rows[first:last], gutter):
                best = first, last, gutter
    return best


def _stretch(rows: list[Row], first: int, left: float, right: float) -> tuple[int, float]:
    """Follow the gap downwards while no run crosses it; return the row after the last one, and the gap's middle."""
    last = first
    for row in rows[first:]:
        near_left = max(
            [left, *(run.right for run in row if (run.left + run.right) / 2 < (left + right) / 2)]
        )
        near_right = min(
            [right, *(run.left for run in row if (run.left + run.right) / 2 >= (left + right) / 2)]
        )
        if near_right - near_left < 0.8 * min(run.height for run in row):
            break
        left, right, last = near_left, near_right, last + 1
    return last, (left + right) / 2


def _both_prose(rows: list[Row], gutter: float) -> bool:
    runs = [run for row in rows for run in row]
    return _prose([run for run in runs if run.right <= gutter]) and _prose(
        [run for run in runs if run.left >= gutter]
    )


def _prose(runs: list[Run]) -> bool:
    """Say whether the runs look like continuous text: many, wide, and mostly filling their column."""
    if len(runs) < FEWEST_COLUMN_LINES:
        return False
    width = max(run.right for run in runs) - min(run.left for run in runs)
    filling = sum(run.right - run.left >= FILLED * width for run in runs)
    return width >= NARROWEST_COLUMN * median(run.height for run in runs) and filling * 2 >= len(runs)
