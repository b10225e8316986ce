"""统计: the months' postage as tables with their bars, and the lines behind each bar."""

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.finance import PAGE_SIZE
from config.pages.frame import Fault, page
from config.pages.keyset import newest_first
from logistics.postage.services import spending, spending_lines
from logistics.postage.spending import DIMENSIONS
from registry.actors import Actor
from registry.permissions import NotYours
from registry.time import local_day
from storage.errors import Refused


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
    context = {
        "first": first,
        "last": last,
        "shown": shown,
        "dimensions": [(name, title, shown.bars[name]) for name, title in DIMENSIONS.items()],
    }
    return render(request, "finance/spending.html", context)


@page("postage.see")
def statistics_lines(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every share behind a bar, newest first; the sum at the top is the bar's."""
    first, last = _span(request)
    chosen = {name: request.GET.get(name, "") for name in DIMENSIONS}
    rows = spending_lines(actor=actor, first=first, last=last, chosen=chosen)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "first": first,
        "last": last,
        "rows": part.rows,
        "next": part.next,
        "count": rows.count(),
        "total_fen": rows.aggregate(total=Sum("amount_fen"))["total"] or 0,
    }
    return render(request, "finance/spending_lines.html", context)


def _span(request: HttpRequest) -> tuple[str, str]:
    today = local_day(timezone.now())
    return request.GET.get("first") or f"{today:%Y}-01", request.GET.get("last") or f"{today:%Y-%m}"
