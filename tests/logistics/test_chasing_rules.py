"""When a desk is told again of an overdue paper, when it has to answer for it, and what the line says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from logistics.rules.chasing import MOST_NAMES, ChaseStep, Pursuit, Told, chasing_words, next_step
from logistics.rules.overdue import Late
from registry.rules.deadlines import UNLESS_TOLD, DeadlineRules
from registry.workdays import Calendar

THURSDAY = date(2026, 3, 12)
FRIDAY, MONDAY, TUESDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4), date(2026, 3, 17)
LATE = Pursuit(since=THURSDAY)


def on(day: date, paper: Pursuit = LATE, rules: DeadlineRules = UNLESS_TOLD) -> ChaseStep | None:
    return next_step(paper, rules=rules, today=day)


def test_the_first_working_day_too_late_is_told_and_no_day_off() -> None:
    assert on(THURSDAY) is None, "still in time"
    assert on(FRIDAY) == ChaseStep.TELL
    assert [on(FRIDAY + timedelta(days=days)) for days in (1, 2)] == [None, None], "Saturday and Sunday"
    assert on(MONDAY) == ChaseStep.TELL, "whoever was not told on Friday is told on Monday"


def test_a_holiday_is_a_day_off_and_a_made_up_day_is_none() -> None:
    saturday = FRIDAY + timedelta(days=1)
    swapped = Calendar({2026: {FRIDAY: False, saturday: True}})
    told = [next_step(LATE, rules=UNLESS_TOLD, today=day, calendar=swapped) for day in (FRIDAY, saturday)]
    assert told == [None, ChaseStep.TELL]


@pytest.mark.parametrize(("every", "told"), [(1, [0, 3, 4, 5, 6]), (2, [0, 4, 6]), (3, [0, 5]), (9, [0])])
def test_told_again_every_few_working_days_until_it_is_an_incident(every: int, told: list[int]) -> None:
    paper, seen = LATE, []
    for days in range(9):
        today = FRIDAY + timedelta(days=days)
        step = on(today, paper, replace(UNLESS_TOLD, chase_days=every, incident_days=5))
        if step is None:
            continue
        seen.append((days, step))
        paper = replace(paper, chased_on=today, waits=step == ChaseStep.INCIDENT)
    assert seen == [*((days, ChaseStep.TELL) for days in told), (7, ChaseStep.INCIDENT)]


def test_nobody_answers_for_what_they_were_never_told() -> None:
    assert on(date(2026, 4, 20)) == ChaseStep.TELL, "late for weeks, and told for the first time"
    told = replace(LATE, chased_on=date(2026, 4, 20))
    assert on(date(2026, 4, 20), told) is None
    assert on(date(2026, 4, 21), told) == ChaseStep.INCIDENT


def test_whoever_answers_is_told_no_more() -> None:
    assert on(FRIDAY + timedelta(days=30), replace(LATE, waits=True)) is None


def test_an_answer_that_moved_nothing_gives_the_same_time_once_more() -> None:
    answered = replace(LATE, chased_on=date(2026, 3, 20), answered_on=date(2026, 3, 24))
    days = [on(date(2026, 3, 24) + timedelta(days=days), answered) for days in range(9)]
    assert days[:3] == [None, None, ChaseStep.TELL]
    assert days[7:] == [ChaseStep.TELL, ChaseStep.INCIDENT], "six working days after the answer"


def test_what_was_told_of_an_earlier_lateness_does_not_count() -> None:
    before = Pursuit(since=TUESDAY, chased_on=FRIDAY, answered_on=MONDAY)
    assert on(TUESDAY, before) is None
    assert on(TUESDAY + timedelta(days=1), before) == ChaseStep.TELL


def test_a_line_names_papers_days_and_parcel_once_each() -> None:
    papers = [
        Told("营业执照", Late.UNSENT, THURSDAY),
        Told("章程", Late.UNSENT, THURSDAY),
        Told("许可证", Late.ROAD, FRIDAY, "JJ-1"),
    ]
    assert chasing_words("诸暨窗口", papers, answers=False).splitlines() == [
        "原件超期，请诸暨窗口处理：",
        "应寄未寄：营业执照、章程（期限 2026-03-12）",
        "寄递超期：许可证（期限 2026-03-13，寄件 JJ-1，请向承运商查询）",
    ]
    many = [Told(f"第{number}份", Late.KEPT, THURSDAY) for number in range(MOST_NAMES + 2)]
    words = chasing_words("台州部门", many, answers=True)
    assert f"等 {MOST_NAMES + 2} 件" in words
    assert "第5份" not in words
    assert words.endswith("已登记异常，由台州部门负责。")
