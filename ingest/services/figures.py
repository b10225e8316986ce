"""指标: the four rates by month, region, office and item: each reader's own counted as they are, everybody's from what
finished days add up to and what came since; a fixed number of queries.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models import Count, Q

from ingest.models import Handling, Rating
from ingest.services.counted import Book, count_into, first_moment
from ingest.services.tallying import counted_to, read_tallies
from registry.actors import Actor
from registry.models import Office, Region, ServiceItem
from registry.permissions import Reach, check_may, reaches, visible
from registry.rules import ItemFacts, allowed_modes
from registry.rules.figures import Dimension, Figure, Row, Share, total_of
from registry.sheets.workbooks import safe_text
from registry.terms import Mode
from registry.time import SHANGHAI, local_day
from storage.errors import Refused

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
LONGEST_MONTHS = 36


@dataclass(frozen=True)
class Narrowed:
    """One region, office or item alone; `key` is its code."""

    dimension: Dimension
    key: str

    @property
    def handlings(self) -> Q:
        """Which handlings are of it."""
        column = {
            Dimension.REGION: "office__region_id",
            Dimension.OFFICE: "office__code",
            Dimension.ITEM: "case__item__code",
        }[self.dimension]
        return Q(**{column: self.key})


@dataclass(frozen=True)
class Figures:
    """The rates of the months `first` to `last` ("2026-01"), for what the reader reaches."""

    first: str
    last: str
    rows: Mapping[Dimension, list[Row]]
    total: Row
    of: str = ""
    """The name of what it was narrowed to."""


def figures_of(
    *,
    first: str,
    last: str,
    actor: Actor,
    only: Iterable[Dimension] = tuple(Dimension),
    narrowed: Narrowed | None = None,
) -> Figures:
    """Every rate by every dimension, or by some alone; of one region, office or item when `narrowed`.

    Raises Refused for months that are none.
    """
    check_may(actor, "figures.see")
    begin, end = _span(first, last)
    everybody = Reach.ALL in reaches(actor, "figures.see") and narrowed is None
    book = _of_everybody(begin, end) if everybody else _own(actor, begin, end, narrowed)
    # A month in which nothing happened is a row too: it reads "—", and is not left out.
    for month in _months(begin, end):
        book.add(Dimension.MONTH, month, ())
    rows = {dimension: _rows(dimension, book) for dimension in only}
    # Any dimension adds up to the same: everything stands in exactly one row of each.
    of = _labels(narrowed.dimension, [narrowed.key]).get(narrowed.key, narrowed.key) if narrowed else ""
    return Figures(first, last, rows, total_of(next(iter(rows.values()), [])), of)


def items_online(day: date) -> Share:
    """网上可办率 as putian §一 counts it: of the items in force and not on the negative list, those that may be done
    全程网办 by an applicant at home. One query, which counts items that are alike in what the rule asks together.
    """
    asked = ("scope", "modes", "stars", "unified_platform")
    alike = ServiceItem.objects.in_force(day).filter(negative=False).order_by().values_list(*asked)
    found = Share()
    for scope, modes, stars, unified, count in alike.annotate(Count("pk")):
        facts = ItemFacts(
            "", scope, day, None, negative=False, modes=tuple(modes), stars=stars, unified_platform=unified
        )
        found += Share(count if Mode.ONLINE in allowed_modes(facts, offices=1) else 0, count)
    return found


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


def _own(actor: Actor, begin: datetime, end: datetime, narrowed: Narrowed | None) -> Book:
    """What the reader reaches, or some of it, counted as it stands now."""
    book, ratings = Book(), visible(actor, "figures.see", Rating.objects.all())
    handlings = visible(actor, "figures.see", Handling.objects.all())
    if narrowed is not None:
        handlings = handlings.filter(narrowed.handlings)
        # A grade stands with the lead office of its case.
        led = Handling.objects.filter(narrowed.handlings, is_lead=True)
        ratings = ratings.filter(ask__case__in=led.values("case"))
    count_into(book, handlings, ratings, begin, end)
    return book


def _of_everybody(begin: datetime, end: datetime) -> Book:
    """Finished days as they were added up, and every later one as it stands now."""
    while True:
        book, mark = Book(), counted_to()
        since = begin
        if mark is not None:
            read_tallies(book, local_day(begin), local_day(end))
            since = max(begin, first_moment(mark))
        if since < end:
            count_into(book, Handling.objects.all(), Rating.objects.all(), since, end)
        if counted_to() == mark:
            return book
        # Another day was added up in between, which would stand here twice.


def _rows(dimension: Dimension, book: Book) -> list[Row]:
    keys = sorted(book.by[dimension])
    labels = _labels(dimension, keys)
    return [Row(key, labels.get(key, key), book.shares(dimension, key)) for key in keys]


def _labels(dimension: Dimension, keys: Iterable[str]) -> dict[str, str]:
    """The names as they are now; an item's is that of its newest version. One query, none for months."""
    if dimension is Dimension.REGION:
        return dict(Region.objects.filter(code__in=keys).values_list("code", "name"))
    if dimension is Dimension.OFFICE:
        return dict(Office.objects.filter(code__in=keys).values_list("code", "name"))
    if dimension is Dimension.ITEM:
        versions = ServiceItem.objects.filter(code__in=keys).order_by("version")
        return dict(versions.values_list("code", "name"))
    return {}


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
