"""问题反馈单: reporting, answering, solving, opening again; a solved one drafts a question for the handbook."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from ingest.models import Case, HandbookEntry, Problem, ProblemEntry
from registry.actors import SYSTEM, Actor
from registry.calendar import current_calendar
from registry.events import record
from registry.models import NumberSequence, Office, ProblemTime, ServiceItem, Window
from registry.permissions import check_may, visible, yours
from registry.rules.handbook import EntryState
from registry.rules.problems import (
    REPORTED,
    WAITING,
    AnswerTime,
    ProblemKind,
    ProblemState,
    answer_due,
    problem_target,
)
from registry.rules.talk import checked_words, fitting
from registry.terms import Role
from registry.time import local_day
from storage.errors import Refused

Act = ProblemEntry.Act


@dataclass(frozen=True)
class Report:
    """What a report says when it is made: exactly one owner."""

    kind: ProblemKind
    words: str
    owner_office: Office | None = None
    owner_window: Window | None = None
    case: Case | None = None
    item: ServiceItem | None = None


def report_problem(*, report: Report, actor: Actor, now: datetime) -> Problem:
    """发现问题及时填报问题反馈单 (taizhou-2023 §三(三)1), from a case or alone, with an owner and a due date."""
    check_may(actor, "problem.report")
    if report.kind not in REPORTED:
        raise Refused("problem_kind", "请选择问题的类型。")
    if report.case is not None:
        check_may(actor, "problem.report", report.case)
    _check_one_owner(report.owner_office, report.owner_window)
    window, office = report.owner_window, report.owner_office
    if (window and window.pk == actor.window_id) or (office and office.pk == actor.office_id):
        raise Refused("problem_self", "责任单位不能是本单位，请选择对方部门或窗口。")
    words = checked_words(report.words, what="问题")
    with transaction.atomic():
        return _open(
            report,
            words,
            reporter_window_id=actor.window_id,
            reporter_office_id=actor.office_id,
            actor=actor,
            now=now,
        )


def follow_up(*, report: Report, actor: Actor, now: datetime) -> Problem:
    """差评回访: the report that a bad grade opens by itself, in the transaction of the grade. Nobody reported it."""
    return _open(report, report.words, reporter_window_id=None, reporter_office_id=None, actor=actor, now=now)


def answer_problem(*, problem: Problem, words: str, actor: Actor, now: datetime) -> Problem:
    """The owner says how it is done, or what was done."""
    check_may(actor, "problem.answer", problem)
    _check_owner(problem, actor)
    said = checked_words(words, what="答复")
    with transaction.atomic():
        _move(problem, "answer", Act.ANSWERED, said, actor, now, changes={"answered_at": now})
    return problem


def pass_on_problem(
    *,
    problem: Problem,
    office: Office | None,
    window: Window | None,
    words: str,
    actor: Actor,
    now: datetime,
) -> Problem:
    """转办: the owner says whose it is instead, and why. The day stays: the reporter does not wait longer for it."""
    check_may(actor, "problem.answer", problem)
    _check_owner(problem, actor)
    if problem.state not in WAITING:
        raise Refused("problem_pass_on", "已答复的反馈单不能转办。")
    _check_one_owner(office, window)
    if (office or window) == (problem.owner_office or problem.owner_window):
        raise Refused("problem_self", "转办的对象不能是原来的责任单位。")
    if (office and office.pk == problem.reporter_office_id) or (
        window and window.pk == problem.reporter_window_id
    ):
        raise Refused("problem_back", "不能转回反馈单位；请直接答复。")
    said = checked_words(words, what="转办的理由")
    with transaction.atomic():
        moved = Problem.objects.filter(
            pk=problem.pk,
            state=problem.state,
            owner_office_id=problem.owner_office_id,
            owner_window_id=problem.owner_window_id,
        ).update(owner_office=office, owner_window=window)
        if not moved:
            raise Refused("stale", "该反馈单刚刚已被处理，请刷新页面。")
        ProblemEntry.objects.create(problem=problem, act=Act.PASSED_ON, words=said, by=actor.label, at=now)
        problem.refresh_from_db()
        _tell("problem.passed_on", problem, actor, now)
    return problem


def watch_problems(*, now: datetime) -> int:
    """Say once of each report that its day has passed without an answer; answers how many it said."""
    late = Problem.objects.filter(
        state__in=WAITING, due_on__lt=local_day(now), overdue_told_at__isnull=True
    ).select_related("case", "owner_window", "owner_office")
    said = 0
    for problem in late:
        with transaction.atomic():
            fresh = Problem.objects.filter(
                pk=problem.pk, state__in=WAITING, due_on=problem.due_on, overdue_told_at__isnull=True
            )
            if fresh.update(overdue_told_at=now):
                _tell("problem.overdue", problem, SYSTEM, now)
                said += 1
    return said


def solve_problem(*, problem: Problem, actor: Actor, now: datetime) -> Problem:
    """问题解决后及时记录 (taizhou-2023 §三(三)1): its question and answer become a draft for the handbook."""
    check_may(actor, "problem.solve", problem)
    _check_reporter(problem, actor)
    with transaction.atomic():
        _move(problem, "solve", Act.SOLVED, "", actor, now, changes={"solved_at": now})
        if problem.kind != ProblemKind.RATING:
            _draft(problem, actor, now)
    return problem


def reopen_problem(*, problem: Problem, words: str, actor: Actor, now: datetime) -> Problem:
    """The answer does not help, or not any more: the owner's time begins anew."""
    check_may(actor, "problem.solve", problem)
    _check_reporter(problem, actor)
    said = checked_words(words, what="重新打开的理由")
    due = _due(problem.kind, local_day(now))
    with transaction.atomic():
        _move(
            problem, "reopen", Act.REOPENED, said, actor, now,
            changes={"due_on": due, "answered_at": None, "solved_at": None, "overdue_told_at": None},
        )  # fmt: skip
        HandbookEntry.objects.filter(problem=problem).update(state=EntryState.DROPPED)
    return problem


def set_problem_time(
    *, kind: ProblemKind, workdays: int, valid_from: date, source: str, actor: Actor, now: datetime
) -> ProblemTime:
    """How long an answer may take from a day on. What is running keeps its day."""
    check_may(actor, "directory.edit")
    source = fitting(source, what="依据")
    if not source:
        raise Refused("problem_time_source", "请填写依据（文件或会议纪要）。")
    with transaction.atomic():
        made, fresh = ProblemTime.objects.get_or_create(
            kind=kind.value,
            valid_from=valid_from,
            defaults={"workdays": workdays, "source": source},
        )
        if not fresh:
            raise Refused("problem_time_known", "这类问题在同一天生效的期限已经登记，请换一个生效日期。")
        record(
            kind="problem.time_set",
            actor=actor,
            subject=made,
            now=now,
            data={"kind": kind.value, "workdays": workdays, "from": str(valid_from)},
        )
    return made


def problems_of(*, actor: Actor, today: date, which: str = "waiting") -> QuerySet[Problem]:
    """Reports in reach: `waiting` for an answer, `late`, `answered` and to be confirmed, or all."""
    rows = visible(actor, "problem.see", Problem.objects.all())
    if which == "waiting":
        rows = rows.filter(state__in=WAITING)
    elif which == "late":
        rows = rows.filter(state__in=WAITING, due_on__lt=today)
    elif which == "answered":
        rows = rows.filter(state=ProblemState.ANSWERED)
    entries = ProblemEntry.objects.order_by("pk")
    return rows.select_related(
        "item", "case", "owner_window", "owner_office", "reporter_window", "reporter_office"
    ).prefetch_related(Prefetch("entries", entries))


def find_problem(*, pk: int, actor: Actor, act: str = "problem.see") -> Problem:
    """The report in reach. Raises NotYours."""
    return yours(visible(actor, act, problems_of(actor=actor, today=date.min, which="all")).filter(pk=pk))


def _open(
    report: Report,
    words: str,
    *,
    reporter_window_id: int | None,
    reporter_office_id: int | None,
    actor: Actor,
    now: datetime,
) -> Problem:
    day = local_day(now)
    item = report.item or (report.case.item if report.case else None)
    problem = Problem.objects.create(
        number=f"WT-{day.year}-{NumberSequence.take(f'problem:{day.year}'):05d}",
        kind=report.kind.value,
        case=report.case,
        item=item,
        reporter_window_id=reporter_window_id,
        reporter_office_id=reporter_office_id,
        owner_window=report.owner_window,
        owner_office=report.owner_office,
        due_on=_due(report.kind, day),
        created_at=now,
    )
    ProblemEntry.objects.create(problem=problem, act=Act.ASKED, words=words, by=actor.label, at=now)
    _tell("problem.reported", problem, actor, now)
    return problem


def _due(kind: str, day: date) -> date:
    times = [
        AnswerTime(time.kind, time.workdays, time.valid_from)
        for time in ProblemTime.objects.filter(kind=kind, valid_from__lte=day)
    ]
    return answer_due(kind, day, times, current_calendar())


def _check_one_owner(office: Office | None, window: Window | None) -> None:
    if (office is None) == (window is None):
        raise Refused("problem_owner", "请选择由哪个部门或窗口答复，二者只选其一。")


def _check_owner(problem: Problem, actor: Actor) -> None:
    if not problem.is_owned_by(actor):
        raise Refused("problem_not_owner", f"由{problem.owner}答复。")


def _check_reporter(problem: Problem, actor: Actor) -> None:
    """Whoever reported it says whether it is solved; after a bad grade the supervising administrator does."""
    if actor.role != Role.ADMINISTRATOR and not problem.is_reported_by(actor):
        who = problem.reporter if problem.reporter_window_id or problem.reporter_office_id else "管理员"
        raise Refused("problem_not_reporter", f"由{who}确认是否解决。")


def _move(
    problem: Problem,
    act: str,
    told: ProblemEntry.Act,
    words: str,
    actor: Actor,
    now: datetime,
    *,
    changes: dict[str, object],
) -> None:
    target = problem_target(act, problem.state)
    moved = Problem.objects.filter(pk=problem.pk, state=problem.state).update(state=target, **changes)
    if not moved:
        raise Refused("stale", "该反馈单刚刚已被处理，请刷新页面。")
    ProblemEntry.objects.create(problem=problem, act=told, words=words, by=actor.label, at=now)
    problem.refresh_from_db()
    _tell(f"problem.{target}", problem, actor, now)


def _draft(problem: Problem, actor: Actor, now: datetime) -> None:
    """The question and its last answer, for the editor to look at; what stood there before is replaced."""
    words = {entry.act: entry.words for entry in problem.entries.order_by("pk")}
    entry, _ = HandbookEntry.objects.update_or_create(
        problem=problem,
        defaults={
            "item": problem.item,
            "kind": problem.kind,
            "question": words[Act.ASKED],
            "answer": words[Act.ANSWERED],
            "state": EntryState.DRAFT,
            "edited_by": "",
            "edited_at": None,
        },
    )
    record(kind="handbook.drafted", actor=actor, subject=entry, now=now, data={"problem": problem.number})


def _tell(kind: str, problem: Problem, actor: Actor, now: datetime) -> None:
    """Without its words. About a case, it stands in the case's own chain."""
    owner = problem.owner_window or problem.owner_office
    record(
        kind=kind,
        actor=actor,
        subject=problem,
        now=now,
        case_number=problem.case.number if problem.case else "",
        data={
            "number": problem.number,
            "kind": problem.kind,
            "owner": owner.code if owner else "",
            "due": str(problem.due_on),
        },
    )
