"""指标的合计: finished days are added up once, month by month, so that the figures of everybody are quick to read."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Min, Sum

from ingest.models import Case, Handling, MonthTally, Rating, TallyMark
from ingest.services.counted import COLUMNS, Book, count_into, first_moment
from registry.rules.figures import Dimension, Share
from registry.time import local_day

SETTLES = timedelta(days=1)
"""A day is added up once another has passed: whatever was written at its end has been committed by then."""
MOST_MONTHS = 12
"""Added up in one round of upkeep; an installation that has years behind it takes a few rounds."""
KEPT = (Dimension.REGION, Dimension.OFFICE, Dimension.ITEM)
"""Months are the sum of their offices."""
BATCH = 2000


def tally_figures(*, now: datetime) -> int:
    """Add up what is finished and was not added up yet; answers how many months were written. Done again it changes
    nothing until the next day is over.
    """
    until, done = local_day(now) - SETTLES, 0
    while done < MOST_MONTHS and _count_next(until):
        done += 1
    return done


def forget_tallies() -> None:
    """Everything is counted afresh from now on: for whoever changed old rows by hand."""
    with transaction.atomic():
        MonthTally.objects.all().delete()
        TallyMark.objects.all().delete()


def counted_to() -> date | None:
    """Every day before this one is added up; None where nothing is."""
    return TallyMark.objects.values_list("counted_to", flat=True).first()


def read_tallies(book: Book, first: date, after: date) -> None:
    """Add what the months from `first` to before `after` add up to; two queries."""
    rows = MonthTally.objects.filter(month__gte=first, month__lt=after).order_by()
    sums = [Sum(column) for column in COLUMNS]
    for dimension, key, *numbers in rows.values_list("dimension", "key").annotate(*sums):
        book.add(Dimension(dimension), key, enumerate(numbers))
    months = rows.filter(dimension=Dimension.OFFICE.value).values_list("month").annotate(*sums)
    for month, *numbers in months:
        book.add(Dimension.MONTH, f"{month:%Y-%m}", enumerate(numbers))


def satisfaction_with(item_code: str, today: date) -> Share:
    """加强评价结果公开 (zaozhuang §三(三)): the grades of the last twelve months for one item, as far as they are added up."""
    since = (today.replace(day=1) - timedelta(days=335)).replace(day=1)
    rows = MonthTally.objects.filter(dimension=Dimension.ITEM.value, key=item_code, month__gte=since)
    found = rows.aggregate(above=Sum("satisfied"), below=Sum("graded"))
    return Share(found["above"] or 0, found["below"] or 0)


def _count_next(until: date) -> bool:
    """Write the month in which the counting stands, up to `until`; False when there is nothing to do."""
    stands = counted_to() or _begin()
    if stands is None or stands >= until:
        return False
    with transaction.atomic():
        # Who comes second waits here, and finds that the counting stands elsewhere.
        mark = TallyMark.objects.select_for_update().get()
        if mark.counted_to != stands:
            return True
        month = stands.replace(day=1)
        end = min((month + timedelta(days=31)).replace(day=1), until)
        book = Book()
        count_into(book, Handling.objects.all(), Rating.objects.all(), first_moment(month), first_moment(end))
        MonthTally.objects.filter(month=month).delete()
        rows = (
            MonthTally(
                month=month, dimension=dimension.value, key=key, **dict(zip(COLUMNS, numbers, strict=True))
            )
            for dimension in KEPT
            for key, numbers in book.by[dimension].items()
        )
        MonthTally.objects.bulk_create(rows, batch_size=BATCH)
        TallyMark.objects.update(counted_to=end)
    return True


def _begin() -> date | None:
    """Where the counting begins, written down: the month in which the first case was handed in. Nothing was decided or
    graded before.
    """
    first = Case.objects.aggregate(first=Min("submitted_at"))["first"]
    if first is None:
        return None
    month = local_day(first).replace(day=1)
    return TallyMark.objects.get_or_create(pk=1, defaults={"counted_to": month})[0].counted_to
