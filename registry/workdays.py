"""Working days of the Chinese calendar, with its holidays and make-up days."""

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays


@dataclass(frozen=True)
class Deadline:
    """The last day of a promise. `certain` is False when the State Council had not yet published the year."""

    day: date
    certain: bool


def is_workday(day: date) -> tuple[bool, bool]:
    """Whether people work on this day, and whether the calendar of its year is known.

    A year that is not published yet is counted by weekdays alone; callers must say so.
    """
    try:
        return chinese_calendar.is_workday(day), True
    except NotImplementedError:
        return day.weekday() < 5, False


def add_workdays(start: date, count: int) -> Deadline:
    """The day on which `count` working days have passed since `start`, which itself does not count.

    A negative count goes back: the last day from which that many working days had passed by `start`.
    """
    day, certain = start, True
    while count < 0:
        works, known = is_workday(day)
        certain &= known
        count += works
        day -= timedelta(days=1)
    while count > 0:
        day += timedelta(days=1)
        works, known = is_workday(day)
        certain &= known
        count -= works
    return Deadline(day, certain)


def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; negative when `end` lies before `start`."""
    if end < start:
        return -workdays_between(end, start)
    return sum(is_workday(start + timedelta(days=step))[0] for step in range(1, (end - start).days + 1))


def covered_until() -> int:
    """The last year whose holidays the calendar knows."""
    return max(int(day.year) for day in holidays)
