"""Finance: statements in, differences decided. No dossiers, no page images, no names."""

from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from config.pages.statement_uploads import take_file
from logistics.models import Carrier, Discrepancy, Statement, StatementLine, StatementUpload
from logistics.postage.services import ask_check, outcome_of, resolve_discrepancies
from logistics.rules.checks import Code
from logistics.rules.disputes import MOVES, DiscrepancyState
from logistics.rules.uploads import UploadState
from registry.actors import Actor
from registry.permissions import NotYours, visible, yours
from registry.time import local_day
from storage.errors import Refused

PAGE_SIZE = 40
LINES_SHOWN = 100
UNFINISHED = (UploadState.WAITING.value, UploadState.READING.value, UploadState.FAILED.value)


@page("statement.import")
def statements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The statements of the own centre, and a place to add one."""
    if request.method == "POST":
        return _take_in(request, actor)
    return _show_statements(request, actor)


def _take_in(request: HttpRequest, actor: Actor) -> HttpResponse:
    try:
        taken = take_file(request, actor)
    except NotYours:
        raise
    except Refused as refused:
        return _show_statements(request, actor, fault=Fault.of(refused, "import"))
    if isinstance(taken, StatementUpload):
        return redirect("statement_upload", pk=taken.pk)
    messages.success(request, "这份对账单此前已导入，没有重复入账。", extra_tags="next")
    return redirect("statement", pk=taken.pk)


def _show_statements(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    still_open = Q(discrepancies__state=DiscrepancyState.OPEN.value)
    rows = (
        visible(actor, "statement.import", Statement.objects.select_related("carrier"))
        .annotate(open_count=Count("discrepancies", filter=still_open))
        .annotate(open_fen=Sum("discrepancies__stake_fen", filter=still_open))
    )
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    underway = visible(actor, "statement.import", StatementUpload.objects.select_related("carrier"))
    context = {
        "rows": part.rows,
        "next": part.next,
        "uploads": list(underway.filter(state__in=UNFINISHED).order_by("-pk")[:PAGE_SIZE]),
        "said": list(messages.get_messages(request)),
        "carriers": list(Carrier.objects.filter(active=True).order_by("name")),
        "month": request.POST.get("month") or f"{local_day(timezone.now()):%Y-%m}",
        "carrier": request.POST.get("carrier", ""),
        "fault": fault,
    }
    return render(request, "finance/statements.html", context, status=409 if fault else 200)


@page("statement.reconcile")
def statement(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return show_statement(request, actor, pk)


def show_statement(request: HttpRequest, actor: Actor, pk: int, fault: Fault | None = None) -> HttpResponse:
    """One statement: its figures, its differences, and its lines as read."""
    shown = find_statement(pk, actor)
    standing = shown.discrepancies.exclude(state=DiscrepancyState.CLEARED.value)
    lines = StatementLine.objects.filter(statement=shown).order_by("row")
    after = request.GET.get("row", "")
    found = list((lines.filter(row__gt=int(after)) if after.isdecimal() else lines)[: LINES_SHOWN + 1])
    context = {
        "statement": shown,
        "outcome": outcome_of(shown),
        "differences": list(standing.order_by("row", "code")[: 5 * LINES_SHOWN]),
        "ticked": request.POST.getlist("difference") if fault else [],
        "lines": found[:LINES_SHOWN],
        "next_row": found[LINES_SHOWN - 1].row if len(found) > LINES_SHOWN else "",
        "disputed": standing.filter(state=DiscrepancyState.DISPUTED.value).exists(),
        "letters": list(shown.letters.select_related("slip", "workbook", "paper")),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
        "moves": _moves(),
    }
    piece = request.headers.get("HX-Target") == "statement"
    template = "finance/_statement.html" if piece else "finance/statement.html"
    return render(request, template, context, status=409 if fault else 200)


@require_POST
@page("statement.reconcile")
def reconcile(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    shown, now = find_statement(pk, actor), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: ask_check(statement=shown, actor=actor, now=now),
        said="已交后台逐行核对，完成后此页自动更新。",
        at="next",
        back=f"{reverse('statement', args=[pk])}#next",
        refused=lambda fault: show_statement(request, actor, pk, fault),
    )


@page("statement.reconcile")
def discrepancies(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show_discrepancies(request, actor)


def _show_discrepancies(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    """Differences of all statements; those waiting for a decision unless the filter says otherwise."""
    state = request.GET.get("state", DiscrepancyState.OPEN.value)
    rows = visible(actor, "statement.reconcile", Discrepancy.objects.select_related("statement__carrier"))
    if state in DiscrepancyState.values():
        rows = rows.filter(state=state)
    if (code := request.GET.get("code", "")) in Code.values():
        rows = rows.filter(code=code)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "differences": part.rows,
        "next": part.next,
        "state": state,
        "states": DiscrepancyState.choices(),
        "codes": Code.choices(),
        "ticked": request.POST.getlist("difference") if fault else [],
        "total_fen": sum(row.stake_fen for row in part.rows),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
        "moves": _moves(),
    }
    piece = request.headers.get("HX-Target") == "list"
    template = "finance/_differences.html" if piece else "finance/discrepancies.html"
    return render(request, template, context, status=409 if fault else 200)


@require_POST
@page("discrepancy.resolve")
def resolve_difference(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One decision with one reason for every difference that is ticked, all or none."""
    picked = {int(pk) for pk in request.POST.getlist("difference") if pk.isdecimal()}
    rows = list(Discrepancy.objects.filter(pk__in=picked))
    now = timezone.now()
    at = request.POST.get("statement", "")

    def decide() -> None:
        to = request.POST.get("to", "")
        if not picked or to not in DiscrepancyState.values():
            raise Refused("difference_choice", "请勾选差异，并选择处理方式。")
        resolve_discrepancies(
            discrepancies=rows,
            to=DiscrepancyState(to),
            reason=request.POST.get("reason", ""),
            actor=actor,
            now=now,
        )

    if at.isdecimal():
        back = f"{reverse('statement', args=[int(at)])}#differences"
        again = lambda fault: show_statement(request, actor, int(at), fault)  # noqa: E731
    else:
        back = reverse("discrepancies")
        again = lambda fault: _show_discrepancies(request, actor, fault)  # noqa: E731
    return act_elsewhere(
        request, act=decide, said=f"已处理 {len(rows)} 条差异。", at="differences", back=back, refused=again
    )


def _moves() -> list[tuple[str, str]]:
    """What people may make of an open difference."""
    words = {
        DiscrepancyState.DISPUTED: "提出异议",
        DiscrepancyState.ACCEPTED: "认可账单",
        DiscrepancyState.CREDITED: "承运商已冲减",
    }
    return [(state.value, words[state]) for state in words if state in MOVES[DiscrepancyState.OPEN]]


def find_statement(pk: int, actor: Actor) -> Statement:
    """Raises NotYours for a statement of another centre."""
    rows = visible(actor, "statement.reconcile", Statement.objects.filter(pk=pk))
    return yours(rows.select_related("carrier", "stored"))
