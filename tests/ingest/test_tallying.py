"""指标的合计: what was added up says the same as counting, at every moment, for every month and in a fixed number of queries."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

import ingest.services.figures as reading
from ingest.models import Case, Handling, MonthTally, Rating, RatingAsk, TallyMark
from ingest.rules import CaseState, HandlingState
from ingest.services.counted import Book
from ingest.services.figures import Figures, figures_of
from ingest.services.tallying import counted_to, read_tallies, tally_figures
from registry.rules.figures import Dimension, Figure, Share
from registry.terms import Mode
from registry.time import local_day
from registry.tokens import Purpose, mint
from tests.cast import Cast, assemble, open_case
from workers.upkeep import DUTIES

BEGIN = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
END = datetime(2026, 4, 10, 2, 0, tzinfo=UTC)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def some_cases(cast: Cast, count: int, *, seed: int = 5) -> None:
    """Handed in, decided and graded at odd moments between January and April, the first in January; some are joint."""
    dice = random.Random(seed)
    span = int((END - BEGIN).total_seconds())
    for number in range(count):
        at = BEGIN + timedelta(seconds=dice.randrange(span) if number else 0)
        decided = min(at + timedelta(hours=dice.randrange(400)), END)
        case = open_case(cast)
        if dice.random() < 0.3:
            Handling.objects.create(case=case, office=cast.wenling)
        mode = dice.choice((Mode.ONLINE, Mode.WINDOW_FORWARD)).value
        Case.objects.filter(pk=case.pk).update(state=CaseState.CLOSED, submitted_at=at, mode=mode)
        Handling.objects.filter(case=case).update(
            state=HandlingState.DECIDED,
            accepted_at=at,
            decided_at=decided,
            deadline=local_day(at) + timedelta(days=8),
        )
        if dice.random() < 0.6:
            ask = RatingAsk.objects.create(case=case, code=mint(Purpose.RATING).identifier, asked_at=decided)
            Rating.objects.create(ask=ask, grade=dice.choice(("good", "fair")), concern="window", at=decided)


def seen(cast: Cast, first: str = "2026-01", last: str = "2026-04") -> Figures:
    return figures_of(first=first, last=last, actor=cast.administrator)


@contextmanager
def counted_live() -> Iterator[None]:
    """Nothing is added up while this lasts: every row is counted where it stands."""
    marks, rows = list(TallyMark.objects.all()), list(MonthTally.objects.all())
    TallyMark.objects.all().delete()
    MonthTally.objects.all().delete()
    yield
    TallyMark.objects.bulk_create(marks)
    MonthTally.objects.bulk_create(rows)


def test_what_was_added_up_says_the_same_as_counting_on_every_day(cast: Cast) -> None:
    some_cases(cast, 40)
    plain = {span: seen(cast, *span) for span in (("2026-01", "2026-04"), ("2026-02", "2026-03"))}
    for day in range(0, 90, 3):
        DUTIES["tally_figures"](now=BEGIN + timedelta(days=day))
        for span, expected in plain.items():
            assert seen(cast, *span) == expected, f"{day}"
    assert counted_to() == local_day(BEGIN + timedelta(days=87)) - timedelta(days=1)
    assert MonthTally.objects.filter(dimension="office").count() > 4


def test_what_comes_later_is_there_at_once(cast: Cast) -> None:
    some_cases(cast, 10)
    tally_figures(now=END + timedelta(days=3))
    before = seen(cast).total.share(Figure.ONLINE).below
    case = open_case(cast)
    Case.objects.filter(pk=case.pk).update(state=CaseState.SUBMITTED, submitted_at=END + timedelta(days=3))
    assert seen(cast).total.share(Figure.ONLINE).below == before + 1
    with counted_live():
        assert seen(cast).total.share(Figure.ONLINE).below == before + 1


def test_a_day_is_added_up_when_another_has_passed_and_once(cast: Cast) -> None:
    assert tally_figures(now=BEGIN) == 0, "nothing was handed in yet"
    some_cases(cast, 5)
    assert tally_figures(now=END) == 4
    assert tally_figures(now=END) == 0
    assert counted_to() == local_day(END) - timedelta(days=1)
    assert tally_figures(now=END + timedelta(days=1)) == 1


def test_the_month_that_runs_is_written_anew_with_whatever_came_late(cast: Cast) -> None:
    some_cases(cast, 5)
    tally_figures(now=END)
    late = open_case(cast)
    Case.objects.filter(pk=late.pk).update(
        state=CaseState.SUBMITTED, submitted_at=datetime(2026, 4, 2, 2, tzinfo=UTC)
    )
    tally_figures(now=END + timedelta(days=1))
    with counted_live():
        plain = seen(cast)
    assert seen(cast) == plain


def test_rows_changed_by_hand_are_counted_again_by_command(cast: Cast) -> None:
    some_cases(cast, 5)
    tally_figures(now=END)
    Case.objects.update(mode=Mode.ONLINE.value)
    call_command("recount_figures", verbosity=0)
    total = seen(cast).total.share(Figure.ONLINE)
    assert total == Share(5, 5)


def test_a_day_added_up_while_somebody_reads_stands_there_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_cases(cast, 20)
    tally_figures(now=END - timedelta(days=30))
    plain, read = seen(cast), read_tallies

    def meanwhile(book: Book, first: date, after: date) -> None:
        monkeypatch.setattr(reading, "read_tallies", read)
        tally_figures(now=END)
        read(book, first, after)

    monkeypatch.setattr(reading, "read_tallies", meanwhile)
    assert seen(cast) == plain


def test_months_with_nothing_in_them_are_passed_over(cast: Cast) -> None:
    some_cases(cast, 3)
    assert tally_figures(now=END + timedelta(days=200)) == 10
    assert counted_to() == local_day(END + timedelta(days=199))
    assert len(seen(cast, "2026-01", "2026-10").rows[Dimension.MONTH]) == 10


def test_the_number_of_queries_does_not_grow(cast: Cast) -> None:
    counts = []
    for more in (20, 60):
        some_cases(cast, more, seed=more)
        TallyMark.objects.all().delete()
        tally_figures(now=END)
        with CaptureQueriesContext(connection) as queries:
            seen(cast)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12
