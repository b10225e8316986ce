"""Reading the State Council's yearly notice of holidays as an administrator types it."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from storage.errors import Refused

LINE = re.compile(
    r"(?P<first>\d{4}-\d{1,2}-\d{1,2})(?:\s*(?:至|到|~|—|–)\s*(?P<last>\d{4}-\d{1,2}-\d{1,2}))?\s+"
    r"(?P<what>放假|上班)(?:\s+(?P<name>\S.{0,19}))?"
)
LONGEST = 15
"""No holiday of the notice has lasted longer (days)."""
FEWEST_OFF, MOST_OFF = 11, 60
"""The law gives 13 days off from 2025, 11 before; with weekends and bridges no notice has come near the upper bound."""


class HolidayFault(Refused):
    """The list cannot be the notice of that year; the sentence names every fault."""


@dataclass(frozen=True)
class SpecialDay:
    """A day on which the notice breaks the rhythm of the week, or names a holiday within it."""

    day: date
    works: bool
    name: str


def read_holidays(text: str, *, year: int) -> tuple[SpecialDay, ...]:
    """One line for a day or a span: “2027-02-05 至 2027-02-11 放假 春节”, “2027-02-14 上班”.

    Raises HolidayFault with every fault at once; nothing is taken from a list with a fault.
    """
    faults: list[str] = []
    found: dict[date, SpecialDay] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            days = _read_line(line.strip(), year)
        except ValueError as fault:
            faults.append(f"第 {number} 行：{fault}")
            continue
        for day in days:
            if day.day in found:
                faults.append(f"第 {number} 行：{day.day:%Y-%m-%d} 重复")
            found[day.day] = day
    off = sum(not day.works for day in found.values())
    if not faults and not FEWEST_OFF <= off <= MOST_OFF:
        faults.append(f"全年放假共 {off} 天，与国务院办公厅通知不符，请补全")
    if faults:
        raise HolidayFault("holidays", "；".join(faults) + "。")
    return tuple(found[day] for day in sorted(found))


def _read_line(line: str, year: int) -> list[SpecialDay]:
    """Raises ValueError with what is wrong, in words."""
    read = LINE.fullmatch(line)
    if read is None:
        raise ValueError("应写作“年-月-日 至 年-月-日 放假 节日”或“年-月-日 上班”")
    first = _day(read["first"])
    last = _day(read["last"]) if read["last"] else first
    if {first.year, last.year} != {year}:
        raise ValueError(f"日期不在 {year} 年")
    if not 0 <= (last - first).days < LONGEST:
        raise ValueError("起止日期颠倒或跨度过长")
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    works = read["what"] == "上班"
    if works and any(day.weekday() < 5 for day in days):
        raise ValueError("调休上班应为周六或周日")
    return [SpecialDay(day, works, read["name"] or "") for day in days]


def _day(text: str) -> date:
    try:
        return date(*map(int, text.split("-")))
    except ValueError as fault:
        raise ValueError(f"没有 {text} 这一天") from fault
