"""Deadlines count the days on which Chinese halls work."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.workdays import add_workdays, covered_until, is_workday, workdays_between


def test_a_promise_over_the_spring_festival_skips_it_and_counts_the_make_up_day() -> None:
    # 2026: holiday from 15 to 23 February, made up on Saturdays 14 and 28 February.
    assert add_workdays(date(2026, 2, 13), 1).day == date(2026, 2, 14)
    assert add_workdays(date(2026, 2, 13), 2).day == date(2026, 2, 24)
    assert is_workday(date(2026, 2, 28)) == (True, True)


def test_a_year_that_is_not_published_is_counted_by_weekdays_and_said_so() -> None:
    beyond = covered_until() + 1
    deadline = add_workdays(date(beyond, 6, 1), 5)
    assert not deadline.certain


@given(st.dates(date(2024, 1, 1), date(2026, 11, 1)), st.integers(0, 60))
def test_adding_and_counting_agree(start: date, count: int) -> None:
    deadline = add_workdays(start, count)
    assert workdays_between(start, deadline.day) == count
    assert workdays_between(deadline.day, start) == -count


@pytest.mark.parametrize("day", [date(2026, 10, 1), date(2026, 5, 1)])
def test_public_holidays_are_not_working_days(day: date) -> None:
    assert is_workday(day) == (False, True)
