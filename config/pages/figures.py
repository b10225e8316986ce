"""指标: the four rates with what they count in words, as charts and the tables they are drawn from, and as CSV."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import Fault, page
from ingest.services.figures import Figures, Narrowed, figures_csv, figures_of, items_online
from registry.actors import Actor
from registry.charts import bars
from registry.permissions import NotYours
from registry.rules.figures import DEFINITIONS, FEWEST, Dimension, Figure, Row, shown
from registry.time import local_day
from storage.errors import Refused

MOST_ROWS = 40
"""Of regions, offices and items the busiest stand on the page; the file has all."""
MOST_BARS = 20


@page("figures.see")
def figures(request: HttpRequest, actor: Actor) -> HttpResponse:
    """From January of this year unless the address says otherwise."""
    first, last = _span(request)
    context: dict[str, object] = {
        "first": first,
        "last": last,
        "figure": _figure(request),
        "figures": list(Figure),
        "definitions": DEFINITIONS.items(),
        "fewest": FEWEST,
        "narrowed": _narrowed(request),
    }
    try:
        seen = figures_of(first=first, last=last, actor=actor, narrowed=_narrowed(request))
    except NotYours:
        raise
    except Refused as refused:
        context["fault"] = Fault.of(refused, "span")
        return render(request, "work/figures.html", context, status=409)
    context["items_online"] = items_online(local_day(timezone.now()))
    context["of"] = seen.of
    context["total"] = [(figure, seen.total.share(figure)) for figure in Figure]
    context["tables"] = [_table(dimension, seen, _figure(request)) for dimension in Dimension]
    return render(request, "work/figures.html", context)


@page("figures.see")
def figures_chart(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """One rate by one dimension, as SVG."""
    first, last = _span(request)
    if name not in Dimension.values():
        raise NotYours
    figure = _figure(request)
    seen = figures_of(
        first=first, last=last, actor=actor, only=(Dimension(name),), narrowed=_narrowed(request)
    )
    rows = _drawn(_busiest(Dimension(name), seen), figure)
    if not rows:
        raise Refused("figures_none", "这段时间没有足够的办件可以画图，请看表格。")
    response = HttpResponse(bars(rows, shown=shown), content_type="image/svg+xml")
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


@page("figures.see")
def figures_file(request: HttpRequest, actor: Actor) -> HttpResponse:
    first, last = _span(request)
    content = figures_csv(figures_of(first=first, last=last, actor=actor, narrowed=_narrowed(request)))
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="figures-{first}-{last}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _table(dimension: Dimension, seen: Figures, figure: Figure) -> dict[str, object]:
    rows = _busiest(dimension, seen)
    return {
        "dimension": dimension,
        "rows": [(row, [row.share(each) for each in Figure]) for row in rows],
        "drawn": bool(_drawn(rows, figure)),
        "left_out": len(seen.rows[dimension]) - len(rows),
    }


def _busiest(dimension: Dimension, seen: Figures) -> list[Row]:
    """Months in their order; of all else those with most behind their rates first."""
    rows = seen.rows[dimension]
    if dimension is Dimension.MONTH:
        return rows
    return sorted(rows, key=lambda row: -sum(row.share(figure).below for figure in Figure))[:MOST_ROWS]


def _drawn(rows: list[Row], figure: Figure) -> list[tuple[str, int]]:
    """Only what has a rate can be drawn."""
    rated = [(row.label, row.share(figure).permille) for row in rows]
    return [(label, rate) for label, rate in rated if rate is not None][-MOST_BARS:]


def _figure(request: HttpRequest) -> Figure:
    name = request.GET.get("figure", "")
    return Figure(name) if name in Figure.values() else Figure.PUNCTUAL


def _narrowed(request: HttpRequest) -> Narrowed | None:
    """The region, office or item that the address names, if it names one."""
    by, key = request.GET.get("by", ""), request.GET.get("key", "").strip()
    if not key or by not in Dimension.values() or by == Dimension.MONTH:
        return None
    return Narrowed(Dimension(by), key)


def _span(request: HttpRequest) -> tuple[str, str]:
    today = local_day(timezone.now())
    return request.GET.get("first") or f"{today:%Y}-01", request.GET.get("last") or f"{today:%Y-%m}"
