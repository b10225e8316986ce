"""The life of a problem report, the handbook's two editions a year, grades, and rates, as pure rules."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.rules.figures import (
    DEFINITIONS,
    FEWEST,
    NONE,
    Figure,
    Row,
    Share,
    total_of,
)
from registry.rules.handbook import Edition, check_nothing_personal, edition_for, is_late
from registry.rules.problems import (
    STEPS,
    USUAL_WORKDAYS,
    WAITING,
    AnswerTime,
    ProblemKind,
    ProblemState,
    answer_due,
    is_overdue,
    problem_target,
    workdays_for,
)
from registry.rules.satisfaction import CONTENT, Concern, Grade, followed_up_by_office, grading_ends, is_bad
from registry.time import SHANGHAI
from storage.errors import Refused

DAY = date(2026, 3, 10)


@pytest.mark.parametrize("state", list(ProblemState))
@pytest.mark.parametrize("act", ["answer", "solve", "reopen"])
def test_an_act_leads_where_the_table_says_or_is_refused_with_the_way(act: str, state: ProblemState) -> None:
    (step,) = [step for step in STEPS if step.act == act]
    if state in step.sources:
        assert problem_target(act, state) == step.target
    else:
        with pytest.raises(Refused, match=f"现在是“{state.label}”.*才能{step.label}"):
            problem_target(act, state)


def test_every_report_can_be_solved() -> None:
    reached, before = {ProblemState.SOLVED.value}, 0
    while len(reached) != before:
        before = len(reached)
        reached |= {str(source) for step in STEPS if step.target in reached for source in step.sources}
    assert reached == set(ProblemState.values())


def test_the_newest_time_that_is_valid_counts() -> None:
    times = [
        AnswerTime("material", 3, date(2023, 5, 1)),
        AnswerTime("material", 2, date(2026, 3, 1)),
        AnswerTime("material", 1, date(2026, 4, 1)),
        AnswerTime("system", 9, date(2023, 5, 1)),
    ]
    assert workdays_for("material", date(2026, 2, 28), times) == 3
    assert workdays_for("material", DAY, times) == 2
    assert workdays_for("other", DAY, times) == USUAL_WORKDAYS


def test_an_answer_is_due_in_working_days() -> None:
    times = [AnswerTime("material", 3, date(2023, 5, 1))]
    assert answer_due("material", date(2026, 3, 12), times) == date(2026, 3, 17), "over a weekend"


@pytest.mark.parametrize("state", list(ProblemState))
def test_only_what_waits_for_an_answer_can_be_overdue(state: ProblemState) -> None:
    assert is_overdue(state=state, due_on=DAY, today=DAY + timedelta(days=1)) == (state in WAITING)
    assert not is_overdue(state=state, due_on=DAY, today=DAY)


@given(st.dates(date(2020, 1, 1), date(2060, 12, 31)))
def test_every_day_belongs_to_the_last_may_or_november(day: date) -> None:
    edition = edition_for(day)
    start = date(edition.year, edition.month, 1)
    assert edition.month in (5, 11)
    assert start <= day
    assert (day - start).days < 185
    assert is_late(edition, day) == ((day.year, day.month) != (edition.year, edition.month))


def test_an_edition_is_named_by_year_and_month() -> None:
    assert edition_for(date(2026, 4, 30)) == Edition(2025, 11)
    assert edition_for(date(2026, 5, 1)).label == "2026年5月版"
    assert edition_for(date(2026, 12, 1)).key == "2026-11"


def test_what_only_the_case_knows_does_not_get_into_an_example() -> None:
    known = ("欧阳建国", "", "张", "文献东路1288号")
    for text in ("欧阳 建国先生", "住文献东路 1288 号"):
        with pytest.raises(Refused, match="改写为不能认出当事人的说法"):
            check_nothing_personal(text, known=known, what="案例")
    check_nothing_personal("一家企业张罗迁址", known=known, what="案例")


def test_two_of_five_grades_are_bad() -> None:
    assert [grade.label for grade in Grade] == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    assert [is_bad(grade) for grade in Grade] == [False, False, False, True, True]
    assert {grade.value for grade in Grade if not is_bad(grade)} == set(CONTENT)
    assert [followed_up_by_office(concern) for concern in Concern] == [False, True, False]
    closed = datetime(2026, 3, 10, tzinfo=SHANGHAI)
    assert grading_ends(closed) == datetime(2026, 5, 9, tzinfo=SHANGHAI)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_rate_is_written_only_where_there_is_enough_below_it(above: int, more: int) -> None:
    share = Share(above, above + more)
    if share.below < FEWEST:
        assert share.percent == NONE
        return
    assert (share.percent == "100.0%") == (more == 0), "all is all, and nearly all is not"
    assert float(share.percent.removesuffix("%")) <= 100 * above / share.below


def test_a_month_without_cases_reads_a_dash_and_never_nought_percent() -> None:
    assert Share().percent == "—"
    assert Share().counts == ""
    assert Share(0, FEWEST).percent == "0.0%"
    assert Share(3, 4).counts == "3/4"


def test_the_total_adds_counts_and_not_rates() -> None:
    rows = [
        Row("a", "甲", {Figure.PUNCTUAL: Share(10, 10)}),
        Row("b", "乙", {Figure.PUNCTUAL: Share(0, 90), Figure.ONLINE: Share(1, 5)}),
    ]
    total = total_of(rows)
    assert total.share(Figure.PUNCTUAL).percent == "10.0%"
    assert total.share(Figure.ONLINE) == Share(1, 5)
    assert total.share(Figure.SATISFIED) == Share()


def test_every_rate_says_what_it_counts_and_whence() -> None:
    assert set(DEFINITIONS) == set(Figure)
    for words in DEFINITIONS.values():
        assert all((words.above, words.below, words.month, words.source))
        assert "§" in words.source


def test_people_do_not_report_a_grade() -> None:
    from registry.rules.problems import REPORTED

    assert ProblemKind.RATING not in REPORTED
