"""The work lists: what must I do next, by when, and why is it here; the most urgent first."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.case_rows import Row, handling_rows, lead_rows
from config.pages.frame import page
from config.pages.keyset import Slice, by_deadline, newest_first
from ingest.models import ON_THE_DESK, Handling, Material, overdue
from ingest.rules import ENDED, CaseState, HandlingState
from ingest.services.talking import unread_in
from registry.actors import Actor
from registry.permissions import visible
from registry.terms import Mode, Role
from registry.time import local_day

PAGE_SIZE = 40
H = HandlingState
RUNNING = (CaseState.SUBMITTED, CaseState.PRE_REVIEW, CaseState.ACCEPTED, CaseState.SUPPLEMENT)
# Named one by one: "in none of the others" is asked of every case that a window has ever ended.
WITH_THE_OFFICE = (
    CaseState.SUBMITTED,
    CaseState.PRE_REVIEW,
    CaseState.ACCEPTED,
    CaseState.DECIDED,
    CaseState.DELIVERING,
)
OPEN_PROMISES = Material.objects.filter(deferred_until__isnull=False, promise_kept_at__isnull=True).values(
    "case"
)


@dataclass(frozen=True)
class WorkList:
    """One list: for which role, which handlings, which of their states a filter may narrow it to."""

    role: str
    title: str
    about: str
    empty: str
    chosen: Q
    states: tuple[str, ...]
    rows: Callable[[list[Handling], Actor], list[Row]]
    most_urgent_first: bool = True


WORK_LISTS = {
    "intake": WorkList(
        Role.CLERK,
        "收件",
        "本窗口正在收的件，和部门要求补正的件。",
        "现在没有要收或要补的件。",
        Q(is_lead=True, case__state__in=[CaseState.DRAFT, CaseState.SUPPLEMENT]),
        (CaseState.DRAFT, CaseState.SUPPLEMENT),
        lead_rows,
    ),
    "running": WorkList(
        Role.CLERK,
        "在办",
        "已提交、尚未归结的件，先到期的在前。",
        "现在没有在办的件。",
        Q(is_lead=True, case__state__in=WITH_THE_OFFICE),
        WITH_THE_OFFICE,
        lead_rows,
    ),
    "promised": WorkList(
        Role.CLERK,
        "容缺待补",
        "申请人承诺以后补交、还没有补齐材料的在办件。",
        "没有等待补交的容缺材料。",
        Q(is_lead=True, case__state__in=RUNNING, case__pk__in=OPEN_PROMISES),
        RUNNING,
        lead_rows,
    ),
    "ended": WorkList(
        Role.CLERK,
        "已归结",
        "已送达归结、不予受理或撤回的件，新的在前。",
        "还没有归结的件。",
        Q(is_lead=True, case__state__in=ENDED),
        tuple(sorted(ENDED)),
        lead_rows,
        most_urgent_first=False,
    ),
    "pre-review": WorkList(
        Role.OFFICER,
        "待预审",
        "窗口新提交的件。预审通过后，窗口才寄出原件。",
        "没有等待预审的件。",
        Q(state=H.PENDING) & ~Q(case__mode=Mode.WINDOW_ACCEPT.value),
        (),
        handling_rows,
    ),
    "review": WorkList(
        Role.OFFICER,
        "待审核",
        "预审已通过或已受理的件，和等待寄出的审批结果。",
        "没有等待审核的件。",
        ON_THE_DESK
        & (
            Q(state__in=[H.PRE_REVIEW, H.ACCEPTED])
            | Q(state=H.PENDING, case__mode=Mode.WINDOW_ACCEPT.value)
            | Q(unsent=True)
        ),
        (H.PENDING, H.PRE_REVIEW, H.ACCEPTED, H.DECIDED),
        handling_rows,
    ),
    "decided": WorkList(
        Role.OFFICER,
        "已办",
        "本部门已作出决定、不予受理或要求补正的件，新的在前。",
        "还没有办过的件。",
        Q(state__in=[H.DECIDED, H.REFUSED, H.WITHDRAWN, H.SUPPLEMENT]),
        (H.DECIDED, H.SUPPLEMENT, H.REFUSED, H.WITHDRAWN),
        handling_rows,
        most_urgent_first=False,
    ),
}


@page("case.see")
def worklist(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """A page of one work list; with HTMX only its table."""
    shown = WORK_LISTS.get(name)
    if shown is None or shown.role != actor.role:
        raise Http404
    found = _filtered(visible(actor, "case.see", Handling.objects.filter(shown.chosen)), shown, request)
    order = by_deadline if shown.most_urgent_first else newest_first
    part: Slice[Handling] = order(found, after=request.GET.get("after", ""), size=PAGE_SIZE)
    rows = shown.rows(part.rows, actor)
    context = {
        "list": shown,
        "name": name,
        "rows": rows,
        "unread": unread_in(numbers=[row.number for row in rows], actor=actor),
        "next": part.next,
        "after": request.GET.get("after", ""),
        "states": _state_choices(shown),
        "today": local_day(timezone.now()),
    }
    template = "work/_list.html" if request.headers.get("HX-Target") == "list" else "work/list.html"
    return render(request, template, context)


def _filtered(handlings: QuerySet[Handling], shown: WorkList, request: HttpRequest) -> QuerySet[Handling]:
    state = request.GET.get("state", "")
    if state in shown.states:
        field = "case__state" if shown.role == Role.CLERK else "state"
        handlings = handlings.filter(**{field: state})
    if request.GET.get("late"):
        handlings = handlings.filter(overdue(local_day(timezone.now())))
    if text := request.GET.get("item", "").strip():
        handlings = handlings.filter(case__item__name__icontains=text)
    return handlings


def _state_choices(shown: WorkList) -> list[tuple[str, str]]:
    term = CaseState if shown.role == Role.CLERK else HandlingState
    return [(state, term(state).label) for state in map(str, shown.states)]
