"""统计: the months' postage as charts and the tables they are drawn from, the lines behind each bar, and the budget."""

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.finance import PAGE_SIZE
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from logistics.models import CarrierFee
from logistics.postage.services import (
    Spending,
    budget_history,
    budget_outlook,
    set_budget,
    spending,
    spending_lines,
    told_of,
)
from logistics.postage.spending import DIMENSIONS
from logistics.rules.budgets import Outlook
from logistics.rules.money import fen_of
from registry.actors import Actor
from registry.charts import Column, bars, columns
from registry.models import ServiceCentre
from registry.permissions import NotYours, may
from registry.time import local_day
from storage.errors import Refused

MOST_BARS = 20
"""More than these are read in the table."""


@page("postage.see")
def statistics(request: HttpRequest, actor: Actor) -> HttpResponse:
    """From January of this year unless the address says otherwise."""
    first, last = _span(request)
    try:
        shown = spending(actor=actor, first=first, last=last)
    except NotYours:
        raise
    except Refused as refused:
        return render(
            request,
            "finance/spending.html",
            {"first": first, "last": last, "fault": Fault.of(refused, "span")},
            status=409,
        )
    return _render(request, actor, shown)


def _render(request: HttpRequest, actor: Actor, shown: Spending, fault: Fault | None = None) -> HttpResponse:
    year = int(shown.last[:4])
    context = {
        "first": shown.first,
        "last": shown.last,
        "shown": shown,
        "dimensions": [(name, title, shown.bars[name]) for name, title in DIMENSIONS.items()],
        "outlook": budget_outlook(year=year, actor=actor, now=timezone.now()),
        "budgets": budget_history(year=year, actor=actor),
        "may_set": may(actor, "budget.set"),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "finance/spending.html", context, status=409 if fault else 200)


@require_POST
@page("budget.set")
def budget(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A year's budget, or another one in its place."""
    year = request.POST.get("year", "")

    def act() -> None:
        centre = ServiceCentre.objects.filter(pk=actor.centre_id or 0).first()
        if centre is None or not year.isdecimal():
            raise Refused("budget_year", "请填写四位数的预算年度。")
        set_budget(
            centre=centre,
            year=int(year[:4]),
            amount_fen=fen_of(request.POST.get("amount", "")),
            reason=request.POST.get("reason", ""),
            actor=actor,
            now=timezone.now(),
        )

    span = f"first={year[:4]}-01&last={year[:4]}-12"
    today = local_day(timezone.now())
    return act_elsewhere(
        request,
        act=act,
        said="预算已登记。",
        at="budget",
        back=f"{reverse('spending')}?{span}#budget",
        refused=lambda fault: _render(
            request,
            actor,
            spending(actor=actor, first=f"{today:%Y}-01", last=f"{today:%Y-%m}"),
            fault,
        ),
    )


@page("postage.see")
def chart(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """A drawing of one of the tables of the page, as SVG."""
    first, last = _span(request)
    if name == "budget":
        year = int(last[:4]) if last[:4].isdecimal() else local_day(timezone.now()).year
        drawn = _budget_chart(budget_outlook(year=year, actor=actor, now=timezone.now()))
    elif name in DIMENSIONS:
        seen = spending(actor=actor, first=first, last=last).bars[name]
        rows = [(bar.label, bar.amount_fen) for bar in seen[:MOST_BARS]]
        if not rows:
            raise NotYours
        drawn = bars(rows, shown=_yuan)
    else:
        raise NotYours
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _budget_chart(year: Outlook) -> bytes:
    rows = [
        Column(f"{int(month.month[-2:])} 月", month.spent_fen, month.expected_fen) for month in year.months
    ]
    limit = ("预算", year.budget_fen) if year.budget_fen else None
    return columns(rows, shown=_yuan, limit=limit)


def _yuan(fen: int) -> str:
    """As the tables of the page write it: 1,234.50 元."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d} 元"


@page("postage.see")
def statistics_lines(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every share behind a bar, newest first; the sum at the top is the bar's."""
    first, last = _span(request)
    chosen = {name: request.GET.get(name, "") for name in DIMENSIONS}
    rows = spending_lines(actor=actor, first=first, last=last, chosen=chosen)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    told = told_of({row.charge.waybill_id for row in part.rows})
    context = {
        "first": first,
        "last": last,
        "rows": [(row, _told_fen(told[row.charge.waybill_id])) for row in part.rows],
        "next": part.next,
        "count": rows.count(),
        "total_fen": rows.aggregate(total=Sum("amount_fen"))["total"] or 0,
    }
    return render(request, "finance/spending_lines.html", context)


def _told_fen(fees: list[CarrierFee]) -> int | None:
    """What the courier says of the whole parcel, which several offices may share; None when it said nothing."""
    return sum(fee.amount_fen for fee in fees) if fees else None


def _span(request: HttpRequest) -> tuple[str, str]:
    today = local_day(timezone.now())
    return request.GET.get("first") or f"{today:%Y}-01", request.GET.get("last") or f"{today:%Y-%m}"
