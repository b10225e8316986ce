"""Tells which pages carry on the paper that began before them: by printed page numbers, or by a sentence that runs over."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ocr.fields.view import narrow
from ocr.lines import Line
from ocr.order import Run, levelled, page_direction

MARGIN_ROWS = 2
"""A page number stands in the first or the last rows of print."""

NUMBER = r"(\d{1,4}|[一二三四五六七八九十]{1,3})"
SAID = re.compile(rf"第{NUMBER}页(?:[,、/]?[(]?共{NUMBER}页)?|共{NUMBER}页[,、/]?第{NUMBER}页")
OF = re.compile(r"[-—–·.]*(\d{1,4})/(\d{1,4})[-—–·.]*")
DASHED = re.compile(r"[-—–一·.]{1,3}(\d{1,4})[-—–一·.]{1,3}")
BARE = re.compile(r"\d{1,3}")
HIGHEST = 9_999

ENDS = "。！？；：.!?;:"
"""Marks after which a text may end."""

FULL = 0.9
"""A row fills its column from this share of its width on."""

FEWEST_ROWS = 4
"""With fewer rows of print a page says nothing of its margins."""

LONGEST_ROW_GAP = 3.0
"""A row that stands alone by more than so many text heights belongs to no sentence."""

INDENT = 1.0
"""What begins so many text heights right of the margin begins a paragraph."""

_DIGITS = {letter: value for value, letter in enumerate("一二三四五六七八九", 1)}


@dataclass(frozen=True, slots=True)
class Edges:
    """What a page says of its neighbours: its printed number and of how many (0 where none is), and its open sentences."""

    number: int = 0
    total: int = 0
    begins_within: bool = False
    breaks_off: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page among those that came with it. Keys: its own, its file's, of the material it lies in, and points to itself."""

    page: int
    file: int
    lies: int | None
    points_to: int | None
    edges: Edges


def edges_of(lines: Iterable[Line]) -> Edges:
    """Return what the lines of a page, in reading order, say of the pages before and behind it."""
    printed = [line for line in lines if line.text and not line.seal]
    rows = [list(row) for _number, row in itertools.groupby(printed, key=lambda line: line.row)]
    number, total, at = _page_number(rows)
    text = [row for place, row in enumerate(rows) if place != at]
    if len(text) < FEWEST_ROWS or any(line.vertical for line in printed):
        return Edges(number, total)
    begins_within, breaks_off = _open_ends(text)
    return Edges(number, total, begins_within, breaks_off)


def carried_on(leaves: Sequence[Leaf]) -> dict[int, int]:
    """Return the material of each page that carries on the one before it, by the pages' keys.

    `leaves` are in the order in which they came, blank backs left out. A page whose own text points somewhere, or
    that calls itself the first, begins a paper.
    """
    found: dict[int, int] = {}
    for before, leaf in itertools.pairwise(leaves):
        paper = before.points_to or found.get(before.page) or before.lies
        if leaf.points_to is None and paper is not None and _follows(before, leaf):
            found[leaf.page] = paper
    return found


def _follows(before: Leaf, leaf: Leaf) -> bool:
    one, other = before.edges, leaf.edges
    numbered = 0 < one.number == other.number - 1
    if before.file != leaf.file:
        # Each sheet a file of its own: only "page 2 of 3" behind "page 1 of 3" is proof enough.
        return numbered and 0 < one.total == other.total
    if other.number == 1 or (one.total and other.total and one.total != other.total):
        return False
    # A first page often bears no number.
    unnumbered_first = before.points_to is not None and one.number == 0 and other.number == 2
    if numbered or unnumbered_first:
        return True
    return not (one.number and other.number) and one.breaks_off and other.begins_within


def _page_number(rows: Sequence[Sequence[Line]]) -> tuple[int, int, int]:
    """Return the printed number, of how many, and the row it stands in; 0, 0, -1 without one."""
    last = len(rows) - 1
    places = [*range(max(0, len(rows) - MARGIN_ROWS), len(rows)), *range(min(MARGIN_ROWS, len(rows)))]
    for place in sorted(set(places), key=lambda place: (last - place) % len(rows)):
        text = "".join("".join(narrow(line.text).split()) for line in rows[place])
        if said := SAID.search(text):
            number, total, total_first, number_behind = said.groups()
            found = _value(number or number_behind), _value(total or total_first)
        elif of := OF.fullmatch(text):
            found = int(of.group(1)), int(of.group(2))
        elif dashed := DASHED.fullmatch(text):
            found = int(dashed.group(1)), 0
        elif place == last and BARE.fullmatch(text):
            found = int(text), 0
        else:
            continue
        if 0 < found[0] <= HIGHEST and not 0 < found[1] < found[0]:
            return *found, place
    return 0, 0, -1


def _value(number: str | None) -> int:
    if not number:
        return 0
    if number.isdecimal():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)


def _open_ends(rows: Sequence[Sequence[Line]]) -> tuple[bool, bool]:
    """Say whether the first row of print carries a sentence on, and whether the last one breaks off."""
    angle, slope = page_direction([line for row in rows for line in row])
    runs = [levelled(row, angle, slope) for row in rows]
    left = min(run.left for row in runs for run in row)
    right = max(run.right for row in runs for run in row)
    first, last = runs[0], runs[-1]

    def fills(row: list[Run]) -> bool:
        return len(row) == 1 and row[0].right - left >= FULL * (right - left)

    begins = fills(first) and first[0].left - left < INDENT * first[0].height
    ends = fills(last) and not narrow(rows[-1][-1].text).endswith(tuple(ENDS))
    gap = last[0].middle - runs[-2][0].middle
    return begins, ends and gap <= LONGEST_ROW_GAP * last[0].height
