"""问题反馈单: from a case or alone, an owner with a day, and what was solved becomes a draft for the handbook."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from ingest.models import Case, HandbookEntry, Problem, ProblemEntry
from ingest.rules import CaseState
from ingest.services.problems import (
    Report,
    answer_problem,
    find_problem,
    pass_on_problem,
    problems_of,
    reopen_problem,
    report_problem,
    set_problem_time,
    solve_problem,
    watch_problems,
)
from registry.actors import Actor
from registry.events import verify_chains
from registry.models import Event, Office, Window
from registry.permissions import NotYours
from registry.rules.handbook import EntryState
from registry.rules.problems import ProblemKind, ProblemState
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, further_on, open_case

LATER = NOW + timedelta(days=1)
QUESTION, ANSWER = "两地对章程的要求不同", "复印件加盖公章即可"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return further_on(open_case(cast), CaseState.SUBMITTED)


def ask(cast: Cast, case: Case | None = None) -> Problem:
    report = Report(ProblemKind.MATERIAL, QUESTION, owner_office=cast.taizhou, case=case)
    return report_problem(report=report, actor=cast.clerk, now=NOW)


def solved(cast: Cast, case: Case | None = None) -> Problem:
    problem = ask(cast, case)
    answer_problem(problem=problem, words=ANSWER, actor=cast.officer, now=LATER)
    return solve_problem(problem=problem, actor=cast.clerk, now=LATER)


def test_a_report_has_an_owner_and_a_day_and_is_told_without_its_words(cast: Cast, case: Case) -> None:
    problem = ask(cast, case)
    assert problem.number == "WT-2026-00001"
    assert (problem.state, problem.owner, problem.reporter) == ("open", cast.taizhou.name, cast.zhuji.name)
    assert problem.item == case.item
    assert problem.due_on == date(2026, 3, 13), "three working days for 材料不同"
    event = Event.objects.get(kind="problem.reported")
    assert event.case_number == case.number
    assert event.data["owner"] == cast.taizhou.code
    assert QUESTION not in str(event.data)
    assert list(verify_chains(case.number)) == []


def test_a_report_may_stand_alone(cast: Cast) -> None:
    report = Report(ProblemKind.SYSTEM, "无法登录", owner_window=cast.zhuji, item=cast.item)
    problem = report_problem(report=report, actor=cast.officer, now=NOW)
    assert (problem.case, problem.owner, problem.reporter) == (None, cast.zhuji.name, cast.taizhou.name)
    assert problem.due_on == date(2026, 3, 12)


def test_the_day_is_policy_with_dates(cast: Cast) -> None:
    set_problem_time(
        kind=ProblemKind.MATERIAL,
        workdays=1,
        valid_from=local_day(NOW),
        source="会议纪要",
        actor=cast.administrator,
        now=NOW,
    )
    assert ask(cast).due_on == date(2026, 3, 11)
    with pytest.raises(NotYours):
        set_problem_time(
            kind=ProblemKind.OTHER,
            workdays=1,
            valid_from=date(2026, 4, 1),
            source="x",
            actor=cast.clerk,
            now=NOW,
        )


def test_what_a_report_must_not_be(cast: Cast, case: Case) -> None:
    def report(**changes: object) -> None:
        told = {"kind": ProblemKind.OTHER, "words": QUESTION, "owner_office": cast.taizhou, **changes}
        report_problem(report=Report(**told), actor=cast.clerk, now=NOW)  # type: ignore[arg-type]

    with pytest.raises(Refused, match="二者只选其一"):
        report(owner_window=cast.taizhou_window)
    with pytest.raises(Refused, match="二者只选其一"):
        report(owner_office=None)
    with pytest.raises(Refused, match="不能是本单位"):
        report(owner_office=None, owner_window=cast.zhuji)
    with pytest.raises(Refused, match="选择问题的类型"):
        report(kind=ProblemKind.RATING)
    with pytest.raises(Refused, match="身份证件号码"):
        report(words="331002199003077736 的章程")
    with pytest.raises(NotYours):
        report_problem(
            report=Report(ProblemKind.OTHER, QUESTION, owner_office=cast.taizhou, case=case),
            actor=cast.other_clerk,
            now=NOW,
        )
    assert not Problem.objects.exists()


def test_the_owner_answers_and_the_reporter_says_whether_it_is_solved(cast: Cast) -> None:
    problem = ask(cast)
    with pytest.raises(Refused, match="由台州市住房和城乡建设局答复"):
        answer_problem(problem=problem, words=ANSWER, actor=cast.clerk, now=LATER)
    with pytest.raises(Refused, match="只有“已答复”时才能确认解决"):
        solve_problem(problem=problem, actor=cast.clerk, now=LATER)
    answer_problem(problem=problem, words=ANSWER, actor=cast.officer, now=LATER)
    with pytest.raises(Refused, match="确认是否解决"):
        solve_problem(problem=problem, actor=cast.officer, now=LATER)
    solve_problem(problem=problem, actor=cast.clerk, now=LATER)
    assert problem.state == ProblemState.SOLVED
    assert problem.solved_at == LATER
    kinds = list(Event.objects.filter(kind__startswith="problem.").values_list("kind", flat=True))
    assert kinds == ["problem.reported", "problem.answered", "problem.solved"]


def test_a_solved_one_is_a_draft_for_the_handbook(cast: Cast, case: Case) -> None:
    solved(cast, case)
    entry = HandbookEntry.objects.get()
    assert (entry.question, entry.answer, entry.state) == (QUESTION, ANSWER, EntryState.DRAFT)
    assert entry.item == case.item


def test_opened_again_the_time_begins_anew_and_the_draft_waits(cast: Cast) -> None:
    problem = solved(cast)
    again = NOW + timedelta(days=6)
    reopen_problem(problem=problem, words="窗口仍被要求原件", actor=cast.clerk, now=again)
    assert problem.state == ProblemState.REOPENED
    assert problem.due_on == date(2026, 3, 19)
    assert HandbookEntry.objects.get().state == EntryState.DROPPED
    answer_problem(problem=problem, words="已通知各窗口", actor=cast.officer, now=again)
    solve_problem(problem=problem, actor=cast.clerk, now=again)
    entry = HandbookEntry.objects.get()
    assert (entry.answer, entry.state) == ("已通知各窗口", EntryState.DRAFT)
    acts = list(problem.entries.values_list("act", flat=True))
    assert acts == ["asked", "answered", "solved", "reopened", "answered", "solved"]


def test_the_owner_passes_on_what_is_another_ones_and_the_day_stays(cast: Cast) -> None:
    problem = ask(cast)
    due = problem.due_on

    def pass_on(actor: Actor = cast.officer, **to: Office | Window | None) -> None:
        told = {"office": None, "window": None, **to}
        pass_on_problem(problem=problem, words="由县局负责", actor=actor, now=LATER, **told)  # type: ignore[arg-type]

    with pytest.raises(Refused, match="由台州市住房和城乡建设局答复"):
        pass_on(cast.clerk, office=cast.wenling)
    with pytest.raises(Refused, match="二者只选其一"):
        pass_on()
    with pytest.raises(Refused, match="不能是原来的责任单位"):
        pass_on(office=cast.taizhou)
    with pytest.raises(Refused, match="不能转回反馈单位"):
        pass_on(window=cast.zhuji)
    pass_on(office=cast.wenling)
    assert (problem.owner, problem.due_on, problem.state) == (cast.wenling.name, due, "open")
    assert Event.objects.get(kind="problem.passed_on").data["owner"] == cast.wenling.code
    with pytest.raises(NotYours):
        find_problem(pk=problem.pk, actor=cast.officer)
    answer_problem(problem=problem, words=ANSWER, actor=cast.other_officer, now=LATER)
    assert list(problem.entries.values_list("act", flat=True)) == ["asked", "passed_on", "answered"]
    with pytest.raises(Refused, match="已答复的反馈单不能转办"):
        pass_on(cast.other_officer, office=cast.taizhou)


def test_a_day_that_passed_without_an_answer_is_said_once(cast: Cast) -> None:
    problem = ask(cast)
    assert watch_problems(now=NOW) == 0
    late = NOW + timedelta(days=4)
    assert [watch_problems(now=late) for _ in range(2)] == [1, 0]
    event = Event.objects.get(kind="problem.overdue")
    assert (event.actor_kind, event.data["number"]) == ("system", problem.number)
    problem.refresh_from_db()
    answer_problem(problem=problem, words=ANSWER, actor=cast.officer, now=late)
    reopen_problem(problem=problem, words="没有用", actor=cast.clerk, now=late)
    assert watch_problems(now=late) == 0
    assert watch_problems(now=late + timedelta(days=10)) == 1


def test_lists_tell_waiting_late_and_answered(cast: Cast) -> None:
    first, second = ask(cast), ask(cast)
    answer_problem(problem=second, words=ANSWER, actor=cast.officer, now=NOW)

    def listed(which: str, today: date = local_day(NOW)) -> list[Problem]:  # noqa: B008
        return list(problems_of(actor=cast.officer, today=today, which=which))

    assert listed("waiting") == [first]
    assert listed("late") == []
    assert listed("late", first.due_on + timedelta(days=1)) == [first]
    assert listed("answered") == [second]
    assert len(listed("all")) == 2


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("clerk", True), ("officer", True), ("administrator", True),
        ("other_clerk", False), ("other_officer", False), ("finance", False), ("auditor", False),
    ],
)  # fmt: skip
def test_only_the_two_sides_and_who_supervises_find_it(who: str, found: bool, cast: Cast) -> None:
    problem, actor = ask(cast), getattr(cast, who)
    assert problems_of(actor=actor, today=local_day(NOW), which="all").exists() == found
    if not found:
        with pytest.raises(NotYours):
            find_problem(pk=problem.pk, actor=actor)
        with pytest.raises(NotYours):
            answer_problem(problem=problem, words=ANSWER, actor=actor, now=NOW)


def test_words_are_encrypted(cast: Cast) -> None:
    ask(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM ingest_problementry")
        (stored,) = cursor.fetchone()
    assert QUESTION not in stored


@pytest.mark.usefixtures("append_only")
def test_the_database_lets_nobody_edit_what_was_written(cast: Cast) -> None:
    ask(cast)
    for statement in ("UPDATE ingest_problementry SET words = 'x'", "DELETE FROM ingest_problementry"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert ProblemEntry.objects.get().words == QUESTION


def test_whoever_is_faster_wins(cast: Cast) -> None:
    problem = ask(cast)
    stale = Problem.objects.get(pk=problem.pk)
    answer_problem(problem=problem, words=ANSWER, actor=cast.officer, now=LATER)
    with pytest.raises(Refused, match="刚刚已被处理"):
        answer_problem(problem=stale, words="另一个答复", actor=cast.officer, now=LATER)
    assert problem.entries.count() == 2
