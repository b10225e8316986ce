"""问题反馈单: what waits for an answer, what is overdue, one report with all that was written, and how long answers may take."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.chips import ATTENTION, LATE, MOVING, OK, Chip
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from config.pages.naming import item_coded, office_named, window_named
from ingest.models import Case, Problem
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
)
from registry.actors import Actor
from registry.masking import mask_numbers_in
from registry.models import Office, ProblemTime, Window
from registry.permissions import may, visible
from registry.rules.problems import REPORTED, WAITING, ProblemKind, ProblemState
from registry.sheets.forms import day_of, labelled, whole_between
from registry.time import local_day
from storage.errors import Refused

PAGE_SIZE = 40
LISTS = {"waiting": "待答复", "late": "超期", "answered": "待确认", "all": "全部"}
_TONES = {
    ProblemState.OPEN: ATTENTION,
    ProblemState.REOPENED: ATTENTION,
    ProblemState.ANSWERED: MOVING,
    ProblemState.SOLVED: OK,
}


@page("problem.see")
def problems(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _list(request, actor)


@require_POST
@page("problem.report")
def report(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new report, about a case where the form names one."""
    told = request.POST

    def act() -> None:
        office, window = _owner_in(told)
        report_problem(
            report=Report(
                kind=labelled(ProblemKind, told.get("kind", "")),
                words=told.get("words", ""),
                owner_office=office,
                owner_window=window,
                case=_case(told["case"], actor) if told.get("case", "").strip() else None,
                item=item_coded(told["item"]) if told.get("item", "").strip() else None,
            ),
            actor=actor,
            now=timezone.now(),
        )

    return act_elsewhere(
        request,
        act=act,
        said="反馈单已提交，责任单位会在期限内答复。",
        at="report",
        back=f"{reverse('problems')}#report",
        refused=lambda fault: _list(request, actor, fault=fault),
    )


@page("problem.see")
def problem(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _one(request, actor, pk)


@require_POST
@page("problem.answer")
def answer(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found, words = find_problem(pk=pk, actor=actor, act="problem.answer"), request.POST.get("words", "")
    return _on_one(
        request,
        actor,
        pk,
        lambda: answer_problem(problem=found, words=words, actor=actor, now=timezone.now()),
        "已答复，等反馈单位确认。",
    )


@require_POST
@page("problem.answer")
def pass_on(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """To its right owner; whoever passed it on sees it no more, unless they reported it."""
    found, told = find_problem(pk=pk, actor=actor, act="problem.answer"), request.POST

    def act() -> None:
        office, window = _owner_in(told)
        pass_on_problem(
            problem=found,
            office=office,
            window=window,
            words=told.get("why", ""),
            actor=actor,
            now=timezone.now(),
        )

    return act_elsewhere(
        request,
        act=act,
        said=f"{found.number} 已转办，期限不变。",
        at="list",
        back=f"{reverse('problems')}#list",
        refused=lambda fault: _one(request, actor, pk, fault=replace(fault, at="pass-on")),
    )


@require_POST
@page("problem.solve")
def solve(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found = find_problem(pk=pk, actor=actor, act="problem.solve")
    return _on_one(
        request,
        actor,
        pk,
        lambda: solve_problem(problem=found, actor=actor, now=timezone.now()),
        "已确认解决，问答已送手册审定。" if found.kind != ProblemKind.RATING else "已确认回访完成。",
    )


@require_POST
@page("problem.solve")
def reopen(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found, words = find_problem(pk=pk, actor=actor, act="problem.solve"), request.POST.get("words", "")
    return _on_one(
        request,
        actor,
        pk,
        lambda: reopen_problem(problem=found, words=words, actor=actor, now=timezone.now()),
        "已重新打开，答复期限重新起算。",
    )


@require_POST
@page("directory.edit")
def problem_time(request: HttpRequest, actor: Actor) -> HttpResponse:
    told = request.POST
    return act_elsewhere(
        request,
        act=lambda: set_problem_time(
            kind=labelled(ProblemKind, told.get("kind", "")),
            workdays=whole_between(1, 60)(told.get("workdays", "")),
            valid_from=day_of(told.get("valid_from", "")),
            source=told.get("source", ""),
            actor=actor,
            now=timezone.now(),
        ),
        said="答复期限已登记。",
        at="times",
        back=f"{reverse('problems')}#times",
        refused=lambda fault: _list(request, actor, fault=fault),
    )


def _list(request: HttpRequest, actor: Actor, *, fault: Fault | None = None) -> HttpResponse:
    today = local_day(timezone.now())
    which = request.GET.get("list", "")
    which = which if which in LISTS else "waiting"
    rows = problems_of(actor=actor, today=today, which=which)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [(row, _chip(row, today), row.is_late(today), _question(row)) for row in part.rows],
        "next": part.next,
        "lists": LISTS.items(),
        "which": which,
        "late": problems_of(actor=actor, today=today, which="late").count(),
        "today": today,
        "may_report": may(actor, "problem.report"),
        "may_set": may(actor, "directory.edit"),
        "kinds": [(kind.value, kind.label) for kind in REPORTED],
        "all_kinds": ProblemKind.choices(),
        **_about(request.GET.get("case", ""), actor),
        "times": list(ProblemTime.objects.all()) if may(actor, "directory.edit") else [],
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "work/problems.html", context, status=409 if fault else 200)


def _one(request: HttpRequest, actor: Actor, pk: int, *, fault: Fault | None = None) -> HttpResponse:
    found = find_problem(pk=pk, actor=actor)
    owns = found.is_owned_by(actor)
    today = local_day(timezone.now())
    rating = getattr(found, "rating", None) if found.kind == ProblemKind.RATING else None
    context = {
        "problem": found,
        "chip": _chip(found, today),
        "late": found.is_late(today),
        "entries": list(found.entries.all()),
        "may_answer": may(actor, "problem.answer") and owns and found.state in WAITING,
        "may_close": may(actor, "problem.solve") and not owns,
        "sees_case": found.case is not None and may(actor, "case.see"),
        "words": mask_numbers_in(rating.words) if rating else "",
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "work/problem.html", context, status=409 if fault else 200)


def _on_one(
    request: HttpRequest, actor: Actor, pk: int, act: Callable[[], object], said: str
) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        at="act",
        back=f"{reverse('problem', args=[pk])}#act",
        refused=lambda fault: _one(request, actor, pk, fault=fault),
    )


def _owner_in(told: QueryDict) -> tuple[Office | None, Window | None]:
    """Whom a form names as the owner; either field may be left empty."""
    office, window = told.get("office", "").strip(), told.get("window", "").strip()
    return office_named(office) if office else None, window_named(window) if window else None


def _case(number: str, actor: Actor) -> Case:
    wanted = number.strip().upper()
    found = visible(actor, "problem.report", Case.objects.filter(number=wanted)).first()
    if found is None:
        raise Refused("problem_case", f"没有编号为“{wanted[:40]}”的办件，或不在您的权限范围内。")
    return found


def _about(number: str, actor: Actor) -> dict[str, str]:
    """What the form says when it is opened from a case: the other side answers."""
    case = visible(actor, "problem.report", Case.objects.filter(number=number)).first() if number else None
    if case is None:
        return {}
    if actor.window_id is None:
        return {"about": number, "ask_window": case.window.name}
    return {"about": number, "ask_office": case.lead_office().name}


def _chip(problem: Problem, today: date) -> Chip:
    state = ProblemState(problem.state)
    late = problem.is_late(today)
    return Chip(f"{state.label}，已超期" if late else state.label, LATE if late else _TONES[state])


def _question(problem: Problem) -> str:
    """What was asked, from the entries that came along."""
    first = next(iter(problem.entries.all()), None)
    return first.words if first else ""
