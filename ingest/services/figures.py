"""指标: the four rates by month, region, office and item, counted in the database in a fixed number of queries."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import TruncDate, TruncMonth

from ingest.models import Handling, Rating
from ingest.rules import HandlingState
from registry.actors import Actor
from registry.permissions import check_may, visible
from registry.rules.figures import Dimension, Figure, Row, Share, total_of
from registry.rules.satisfaction import CONTENT
from registry.sheets.workbooks import safe_text
from registry.terms import Mode
from registry.time import SHANGHAI, local_day
from storage.errors import Refused

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
LONGEST_MONTHS = 36


@dataclass(frozen=True)
class Figures:
    """The rates of the months `first` to `last` ("2026-01"), for what the reader reaches."""

    first: str
    last: str
    rows: Mapping[Dimension, list[Row]]
    total: Row


Counted = QuerySet[Any, Any]
"""Handlings or ratings, annotated on the way to being counted."""
Groups = dict[str, tuple[str, dict[Figure, Share]]]


def figures_of(
    *, first: str, last: str, actor: Actor, only: Iterable[Dimension] = tuple(Dimension)
) -> Figures:
    """Every rate by every dimension, or by some alone. Raises Refused for months that are none."""
    check_may(actor, "figures.see")
    begin, end = _span(first, last)
    handlings = visible(actor, "figures.see", Handling.objects.all())
    ratings = visible(actor, "figures.see", Rating.objects.all())
    rows = {dimension: _rows(dimension, handlings, ratings, begin, end) for dimension in only}
    # Any dimension adds up to the same: everything stands in exactly one row of each.
    return Figures(first, last, rows, total_of(next(iter(rows.values()), [])))


def figures_csv(figures: Figures) -> bytes:
    """Every row of the page as CSV (UTF-8 with a mark that spreadsheets need): both counts beside each rate."""
    out = io.StringIO()
    writer = csv.writer(out)
    head = [
        cell for figure in Figure for cell in (figure.label, f"{figure.label}分子", f"{figure.label}分母")
    ]
    writer.writerow(["分类", "对象", *head])
    for dimension, rows in figures.rows.items():
        for row in rows:
            shares = [row.share(figure) for figure in Figure]
            cells = [cell for share in shares for cell in (share.percent, share.above, share.below)]
            writer.writerow([dimension.label, safe_text(row.label), *cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _rows(
    dimension: Dimension,
    handlings: QuerySet[Handling],
    ratings: QuerySet[Rating],
    begin: datetime,
    end: datetime,
) -> list[Row]:
    """Three queries: what was handed in, what was decided, what was graded."""
    groups: Groups = {}
    handed_in = handlings.filter(is_lead=True, case__submitted_at__gte=begin, case__submitted_at__lt=end)
    _gather(
        groups,
        _grouped(handed_in, dimension, moment="case__submitted_at"),
        above={Figure.ONLINE: Q(case__mode=Mode.ONLINE.value)},
    )
    decided = handlings.filter(
        state=HandlingState.DECIDED, decided_at__gte=begin, decided_at__lt=end
    ).annotate(
        decided_on=TruncDate("decided_at", tzinfo=SHANGHAI),
        accepted_on=TruncDate("accepted_at", tzinfo=SHANGHAI),
    )
    _gather(
        groups,
        _grouped(decided, dimension, moment="decided_at"),
        above={
            Figure.SAME_DAY: Q(decided_on=F("accepted_on")),
            Figure.PUNCTUAL: Q(decided_on__lte=F("deadline")),
        },
    )
    graded = ratings.filter(at__gte=begin, at__lt=end, ask__case__handlings__is_lead=True)
    _gather(
        groups,
        _grouped(graded, dimension, moment="at", prefix="ask__case__handlings__", case="ask__case__"),
        distinct=True,
        above={Figure.SATISFIED: Q(grade__in=sorted(CONTENT))},
    )
    if dimension is Dimension.MONTH:
        # A month in which nothing happened is a row too: it reads "—", and is not left out.
        groups = {month: groups.get(month, (month, {})) for month in _months(begin, end)}
    made = [Row(key, label, shares) for key, (label, shares) in groups.items()]
    return sorted(made, key=lambda row: row.key)


def _grouped(
    rows: Counted,
    dimension: Dimension,
    *,
    moment: str,
    prefix: str = "",
    case: str = "case__",
) -> Counted:
    """The rows with `group` and `label` to count by. Versions of an item are one item: they share its code."""
    place = f"{prefix}office"
    expressions: Mapping[Dimension, tuple[Any, Any]] = {
        Dimension.MONTH: (TruncMonth(moment, tzinfo=SHANGHAI), Value("")),
        Dimension.REGION: (F(f"{place}__region_id"), F(f"{place}__region__name")),
        Dimension.OFFICE: (F(f"{place}__code"), F(f"{place}__name")),
        Dimension.ITEM: (F(f"{case}item__code"), F(f"{case}item__name")),
    }
    group, label = expressions[dimension]
    grouped: Counted = rows.annotate(group=group, label=label)
    return grouped


def _gather(
    groups: Groups,
    rows: Counted,
    *,
    above: Mapping[Figure, Q],
    distinct: bool = False,
) -> None:
    """Count the groups of one query into what is known of them so far; `distinct` where the reach makes twins of rows."""
    counts = {
        f"above_{figure.value}": Count("pk", distinct=distinct, filter=q) for figure, q in above.items()
    }
    for group, label, all_of, *some in (
        rows.order_by()
        .values("group", "label")
        .annotate(below=Count("pk", distinct=distinct), **counts)
        .values_list("group", "label", "below", *counts)
    ):
        key = f"{group:%Y-%m}" if isinstance(group, date) else str(group)
        _, shares = groups.setdefault(key, (key if isinstance(group, date) else str(label), {}))
        for figure, count in zip(above, some, strict=True):
            shares[figure] = shares.get(figure, Share()) + Share(count, all_of)


def _months(begin: datetime, end: datetime) -> list[str]:
    start, stop = local_day(begin), local_day(end)
    count = (stop.year - start.year) * 12 + stop.month - start.month
    places = (divmod(start.month - 1 + step, 12) for step in range(count))
    return [f"{start.year + years}-{month + 1:02d}" for years, month in places]


def _span(first: str, last: str) -> tuple[datetime, datetime]:
    """From the first moment of a month to the first after another, at Shanghai."""
    if not (_MONTH.fullmatch(first) and _MONTH.fullmatch(last)) or last < first:
        raise Refused("figures_span", "请选择起止月份，起始月份不能晚于结束月份。")
    (year, month), (last_year, last_month) = (tuple(map(int, text.split("-"))) for text in (first, last))
    if (last_year - year) * 12 + last_month - month >= LONGEST_MONTHS:
        raise Refused("figures_long", f"一次至多看 {LONGEST_MONTHS} 个月，请缩短时间段。")
    after = date(last_year + last_month // 12, last_month % 12 + 1, 1)
    begin = datetime.combine(date(year, month, 1), time(), SHANGHAI)
    return begin.astimezone(UTC), datetime.combine(after, time(), SHANGHAI).astimezone(UTC)
