"""What the figures count, in three queries: what was handed in, what was decided, what was graded; two more name it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate

from ingest.models import Handling, Rating
from ingest.rules import HandlingState
from registry.models import Office, ServiceItem
from registry.rules.figures import Dimension, Figure, Share
from registry.rules.satisfaction import CONTENT
from registry.terms import Mode
from registry.time import SHANGHAI, local_day

COLUMNS = ("handed_in", "online", "decided", "same_day", "punctual", "graded", "satisfied")
SHARES: Mapping[Figure, tuple[str, str]] = {
    Figure.ONLINE: ("online", "handed_in"),
    Figure.SAME_DAY: ("same_day", "decided"),
    Figure.PUNCTUAL: ("punctual", "decided"),
    Figure.SATISFIED: ("satisfied", "graded"),
}
"""Which column is above the line of a rate, and which below."""

Counts = dict[str, list[int]]
"""For each key (month, code of a region, an office or an item) a number for each column."""
Counted = QuerySet[Any, Any]


class Book:
    """The numbers by every dimension; each case, decision and grade stands once in each."""

    def __init__(self) -> None:
        self.by: dict[Dimension, Counts] = {dimension: {} for dimension in Dimension}

    def add(self, dimension: Dimension, key: str, numbers: Iterable[tuple[int, int]]) -> None:
        """`numbers` are pairs of the column's place and what is added to it."""
        held = self.by[dimension].setdefault(key, [0] * len(COLUMNS))
        for place, number in numbers:
            held[place] += number

    def shares(self, dimension: Dimension, key: str) -> dict[Figure, Share]:
        numbers = dict(zip(COLUMNS, self.by[dimension].get(key, [0] * len(COLUMNS)), strict=True))
        return {
            figure: Share(numbers[above], numbers[below])
            for figure, (above, below) in SHARES.items()
            if numbers[below]
        }


@dataclass
class _Sums:
    """The numbers by the keys that the rows hold; they are turned into codes once, when all are added up."""

    months: list[date]
    by_month: dict[int, list[int]] = field(default_factory=dict)
    by_office: dict[int, list[int]] = field(default_factory=dict)
    by_item: dict[int, list[int]] = field(default_factory=dict)

    def add(self, month: int, office: int, item: int, places: list[int], found: list[int]) -> None:
        for by, key in ((self.by_month, month), (self.by_office, office), (self.by_item, item)):
            held = by.get(key)
            if held is None:
                held = by[key] = [0] * len(COLUMNS)
            for place, number in zip(places, found, strict=True):
                held[place] += number

    def write(self, book: Book) -> None:
        """Two queries."""
        for month, numbers in self.by_month.items():
            book.add(Dimension.MONTH, f"{self.months[month]:%Y-%m}", enumerate(numbers))
        offices = Office.objects.filter(pk__in=self.by_office).values_list("pk", "code", "region_id")
        for key, code, region in offices:
            book.add(Dimension.OFFICE, code, enumerate(self.by_office[key]))
            book.add(Dimension.REGION, region, enumerate(self.by_office[key]))
        for key, code in ServiceItem.objects.filter(pk__in=self.by_item).values_list("pk", "code"):
            book.add(Dimension.ITEM, code, enumerate(self.by_item[key]))


def count_into(
    book: Book, handlings: QuerySet[Handling], ratings: QuerySet[Rating], begin: datetime, end: datetime
) -> None:
    """Add everything that happened from `begin` to before `end`. A joint case is handed in, and graded, once: with its
    lead office. Versions of an item are one item: they share its code.
    """
    sums = _Sums(_months(begin, end))
    handed_in = handlings.filter(is_lead=True, case__submitted_at__gte=begin, case__submitted_at__lt=end)
    _gather(sums, handed_in, "case__submitted_at", "handed_in", {"online": Q(case__mode=Mode.ONLINE.value)})
    decided = handlings.filter(
        state=HandlingState.DECIDED, decided_at__gte=begin, decided_at__lt=end
    ).annotate(
        decided_on=TruncDate("decided_at", tzinfo=SHANGHAI),
        accepted_on=TruncDate("accepted_at", tzinfo=SHANGHAI),
    )
    in_time = {"same_day": Q(decided_on=F("accepted_on")), "punctual": Q(decided_on__lte=F("deadline"))}
    _gather(sums, decided, "decided_at", "decided", in_time)
    graded = ratings.filter(at__gte=begin, at__lt=end, ask__case__handlings__is_lead=True)
    _gather(
        sums, graded, "at", "graded", {"satisfied": Q(grade__in=sorted(CONTENT))},
        handling="ask__case__handlings__", case="ask__case__",
    )  # fmt: skip
    sums.write(book)


def first_moment(day: date) -> datetime:
    """When a day begins at Shanghai."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def _gather(
    sums: _Sums,
    rows: Counted,
    moment: str,
    below: str,
    above: Mapping[str, Q],
    *,
    handling: str = "",
    case: str = "case__",
) -> None:
    """One query, grouped as finely as any dimension needs it, and added up for each here.

    It asks for whole numbers alone: neither the names of months, offices and items nor the rows that hold them are
    needed for each of many groups, and what it reads of handlings and cases stands in an index.
    """
    keys = ("month", f"{handling}office", f"{case}item")
    numbers = {below: Count(Value(1))} | {
        name: Count(Value(1), filter=where) for name, where in above.items()
    }
    counts = {f"count_{column}": number for column, number in numbers.items()}
    grouped = rows.order_by().annotate(month=_place(moment, sums.months)).values(*keys)
    places = [COLUMNS.index(column) for column in numbers]
    for month, office, item, *found in grouped.annotate(**counts).values_list(*keys, *counts):
        sums.add(month, office, item, places, found)


def _months(begin: datetime, end: datetime) -> list[date]:
    """The first day of each month at Shanghai of which a moment lies between the two."""
    months = [local_day(begin).replace(day=1)]
    while first_moment(after := (months[-1] + timedelta(days=31)).replace(day=1)) < end:
        months.append(after)
    return months


def _place(moment: str, months: list[date]) -> Case | Value:
    """Which of `months` a moment lies in; none of them lies outside."""
    ends = [
        When(**{f"{moment}__lt": first_moment(after)}, then=Value(place))
        for place, after in enumerate(months[1:])
    ]
    last = Value(len(ends))
    return Case(*ends, default=last) if ends else last
