"""Vertically merged cells: the text of the first counts for every row that the range spans, whatever wrote the file."""

from collections.abc import Iterable

Merges = dict[int, list[tuple[int, int]]]
"""By column (from 0), the first and last row (from 1) of each range; the topmost stands last."""


def by_column(ranges: Iterable[tuple[int, int, int]]) -> Merges:
    """Column, first row and last row of each range, in any order."""
    found: Merges = {}
    for column, top, bottom in ranges:
        found.setdefault(column, []).append((top, bottom))
    return {column: sorted(rows, reverse=True) for column, rows in found.items()}


def fill_down(number: int, row: list[str], merged: Merges, held: dict[int, tuple[int, str]]) -> None:
    """Give cells inside a merged range the text of the range's first row; `held` remembers it by column."""
    for column, ranges in merged.items():
        while ranges and ranges[-1][1] < number:
            ranges.pop()
        if not ranges or ranges[-1][0] > number or column >= max(len(row), 1) + 64:
            continue
        row.extend([""] * (column + 1 - len(row)))
        top, _ = ranges[-1]
        if number == top:
            held[column] = (top, row[column])
        elif column in held and held[column][0] == top and not row[column]:
            row[column] = held[column][1]
