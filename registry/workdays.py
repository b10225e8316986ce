"""Working days of the Chinese calendar, with its holidays and make-up days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays


@dataclass(frozen=True)
class Calendar:
    """What the State Council published: by year, the days that break the rhythm of the week (True: people work).

    A year that is here is told by these days alone; for the others the library's calendar counts.
    """

    years: Mapping[int, Mapping[date, bool]] = field(default_factory=dict)


LIBRARY = Calendar()
"""What the installed library knows, and nothing else."""


@dataclass(frozen=True)
class Deadline:
    """The last day of a promise. `certain` is False when the State Council had not yet published the year."""

    day: date
    certain: bool


def is_workday(day: date, calendar: Calendar = LIBRARY) -> tuple[bool, bool]:
    """Whether people work on this day, and whether the calendar of its year is known.

    A year that is not published yet is counted by weekdays alone; callers must say so.
    """
    by_week = day.weekday() < 5
    if (published := calendar.years.get(day.year)) is not None:
        return published.get(day, by_week), True
    try:
        return chinese_calendar.is_workday(day), True
    except NotImplementedError:
        return by_week, False


def add_workdays(start: date, count: int, calendar: Calendar = LIBRARY) -> Deadline:
    """The day on which `count` working days have passed since `start`, which itself does not count.

    A negative count goes back: the last day from which that many working days had passed by `start`.
    """
    day, certain = start, True
    while count < 0:
        works, known = is_workday(day, calendar)
        certain &= known
        count += works
        day -= timedelta(days=1)
    while count > 0:
        day += timedelta(days=1)
        works, known = is_workday(day, calendar)
        certain &= known
        count -= works
    return Deadline(day, certain)


def workdays_between(start: date, end: date, calendar: Calendar = LIBRARY) -> int:
    """Working days after `start` up to and including `end`; negative when `end` lies before `start`."""
    if end < start:
        return -workdays_between(end, start, calendar)
    days = (start + timedelta(days=step) for step in range(1, (end - start).days + 1))
    return sum(is_workday(day, calendar)[0] for day in days)


def covered_until() -> int:
    """The last year whose holidays the library knows."""
    return max(int(day.year) for day in holidays)


def years_unknown(today: date, calendar: Calendar = LIBRARY) -> tuple[int, ...]:
    """Of this year and the next, those that nobody has told us: deadlines in them are provisional."""
    return tuple(
        year for year in (today.year, today.year + 1) if not is_workday(date(year, 1, 1), calendar)[1]
    )
