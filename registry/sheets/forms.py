"""Workbooks of known tables: found by their headers, read row by row, every fault noted with its place."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from registry.sheets.limits import Limits
from registry.sheets.tables import open_tables
from registry.terms import Term
from storage.errors import Refused

_DAY = re.compile(r"(20\d\d)\D(\d{1,2})\D(\d{1,2})")
V = TypeVar("V")
T = TypeVar("T", bound=Term)


@dataclass(frozen=True)
class Fault:
    """What is wrong where; `row` as the spreadsheet counts, 0 for a whole sheet."""

    sheet: str
    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Line:
    """One row of a table by column name."""

    sheet: str
    row: int
    cells: Mapping[str, str]


@dataclass
class Faults:
    """Everything that is wrong with a file; reading goes on after each."""

    found: list[Fault] = field(default_factory=list)

    def note(self, sheet: str, row: int, column: str, message: str) -> None:
        self.found.append(Fault(sheet, row, column, message))

    def value(
        self, read: Callable[[str], V], text: str, otherwise: V, *, sheet: str, row: int, column: str
    ) -> V:
        """What the cell says; a fault is noted and `otherwise` stands in, so that the reading goes on."""
        try:
            return read(text)
        except Refused as fault:
            self.note(sheet, row, column, fault.message)
            return otherwise

    def cell(self, line: Line, column: str, read: Callable[[str], V], *, otherwise: V) -> V:
        return self.value(read, line.cells[column], otherwise, sheet=line.sheet, row=line.row, column=column)


def read_forms(path: Path, headers: Mapping[str, Sequence[str]], limits: Limits) -> dict[str, list[Line]]:
    """The tables of a file. One begins with a row that holds all the names that `headers` wants, and a sheet, as which a
    CSV counts, may hold several below each other. Raises UnreadableSheet.
    """
    found: dict[str, list[Line]] = {}
    wanted = {name: frozenset(columns) for name, columns in headers.items()}
    for table in open_tables(path, limits):
        name, header = "", tuple[str, ...]()
        for number, row in table.rows():
            cells = tuple(cell.strip() for cell in row)
            begun = next((known for known, columns in wanted.items() if columns.issubset(cells)), "")
            if begun:
                name, header = begun, cells
                found.setdefault(name, [])
            elif name:
                found[name].append(Line(name, number, _cells(header, row)))
    return found


def _cells(header: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    padded = [*row, *[""] * (len(header) - len(row))]
    return {name: cell.strip().lstrip("'") for name, cell in zip(header, padded, strict=False)}


def filled(text: str) -> str:
    if not text:
        raise Refused("empty", "请填写。")
    return text


def day_of(text: str) -> date:
    match = _DAY.match(text)
    try:
        return date.fromisoformat("-".join(part.zfill(2) for part in match.groups()) if match else text)
    except ValueError as fault:
        raise Refused("bad_date", f"“{text[:20]}”不是日期，应写成“2026-01-01”。") from fault


def labelled(term: type[T], text: str) -> T:
    for member in term:
        if text in (member.label, member.value):
            return member
    raise Refused("bad_word", f"“{text[:20]}”不在可选项内：{'、'.join(member.label for member in term)}。")


def yes_or_no(text: str) -> bool:
    if text not in ("是", "否"):
        raise Refused("not_yes_no", f"“{text[:20]}”应为“是”或“否”。")
    return text == "是"


def whole_between(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = text.removesuffix(".0").removesuffix(".00")
        if not (plain.isascii() and plain.isdigit() and len(plain) < 10) or not low <= int(plain) <= high:
            raise Refused("not_whole", f"“{text[:20]}”应为 {low} 到 {high} 的整数。")
        return int(plain)

    return read


def at_most(length: int, *, needed: bool = False) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > length:
            raise Refused("too_long", f"超过 {length} 个字。")
        return filled(text) if needed else text

    return read
