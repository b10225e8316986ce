"""指标: each case, decision and grade counted once, in its own month at Shanghai, in a fixed number of queries."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.models import Case, Handling, Rating, RatingAsk
from ingest.rules import CaseState, HandlingState
from ingest.services.figures import Figures, Narrowed, figures_csv, figures_of, items_online
from registry.actors import Actor
from registry.models import Office, ServiceItem
from registry.permissions import NotYours
from registry.rules.figures import Dimension, Figure, Row, Share
from registry.terms import Mode
from registry.tokens import Purpose, mint
from storage.errors import Refused
from tests.cast import Cast, assemble, open_case

MORNING = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
LATE_AT_SHANGHAI = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
"""Already 1 April there."""


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def decided(
    cast: Cast,
    *,
    accepted: datetime = MORNING,
    at: datetime = MORNING,
    deadline: date = date(2026, 3, 17),
    mode: Mode = Mode.WINDOW_FORWARD,
    beside: Office | None = None,
) -> Case:
    case = open_case(cast)
    if beside is not None:
        Handling.objects.create(case=case, office=beside)
    Case.objects.filter(pk=case.pk).update(state=CaseState.DECIDED, submitted_at=accepted, mode=mode.value)
    Handling.objects.filter(case=case).update(
        state=HandlingState.DECIDED, accepted_at=accepted, decided_at=at, deadline=deadline
    )
    return case


def graded(case: Case, grade: str, at: datetime = MORNING) -> None:
    ask = RatingAsk.objects.create(case=case, code=mint(Purpose.RATING).identifier, asked_at=at)
    Rating.objects.create(ask=ask, grade=grade, concern="window", at=at)


def figures(actor: Actor, first: str = "2026-03", last: str = "2026-04") -> Figures:
    return figures_of(first=first, last=last, actor=actor)


def row(seen: Figures, dimension: Dimension, label: str) -> Row:
    (found,) = [row for row in seen.rows[dimension] if row.label == label]
    return found


def test_same_day_is_a_day_at_shanghai_and_punctual_includes_the_last_day(cast: Cast) -> None:
    decided(cast)
    decided(
        cast, accepted=datetime(2026, 3, 10, 15, 0, tzinfo=UTC), at=datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
    )
    decided(cast, at=datetime(2026, 3, 17, 15, 59, tzinfo=UTC))
    decided(cast, at=datetime(2026, 3, 17, 16, 1, tzinfo=UTC))
    total = figures(cast.administrator).total
    assert total.share(Figure.SAME_DAY) == Share(1, 4), "eleven at night and one in the morning are two days"
    assert total.share(Figure.PUNCTUAL) == Share(3, 4)


def test_months_begin_and_end_at_shanghai_and_empty_ones_are_rows(cast: Cast) -> None:
    decided(cast, accepted=LATE_AT_SHANGHAI, at=LATE_AT_SHANGHAI, deadline=date(2026, 4, 9))
    seen = figures(cast.administrator, "2026-02", "2026-04")
    assert [each.label for each in seen.rows[Dimension.MONTH]] == ["2026-02", "2026-03", "2026-04"]
    counts = [each.share(Figure.PUNCTUAL).below for each in seen.rows[Dimension.MONTH]]
    assert counts == [0, 0, 1]
    assert seen.rows[Dimension.MONTH][0].share(Figure.PUNCTUAL).percent == "—"


def test_online_counts_cases_and_decisions_count_handlings(cast: Cast) -> None:
    decided(cast, mode=Mode.JOINT, beside=cast.wenling)
    decided(cast, mode=Mode.ONLINE)
    seen = figures(cast.administrator)
    assert seen.total.share(Figure.ONLINE) == Share(1, 2)
    assert seen.total.share(Figure.PUNCTUAL) == Share(3, 3)
    assert row(seen, Dimension.OFFICE, cast.wenling.name).share(Figure.ONLINE) == Share()
    assert row(seen, Dimension.OFFICE, cast.wenling.name).share(Figure.PUNCTUAL) == Share(1, 1)


def test_every_dimension_adds_up_to_the_same_total(cast: Cast) -> None:
    graded(decided(cast, beside=cast.wenling, mode=Mode.JOINT), "fair")
    graded(decided(cast), "very_good")
    decided(cast, at=datetime(2026, 4, 2, 2, 0, tzinfo=UTC))
    seen = figures(cast.administrator)
    for dimension in Dimension:
        for figure in Figure:
            summed = sum((each.share(figure) for each in seen.rows[dimension]), Share())
            assert summed == seen.total.share(figure), f"{dimension}: {figure}"
    assert seen.total.share(Figure.SATISFIED) == Share(2, 2)


def test_versions_of_an_item_are_one_row_under_the_newest_name(cast: Cast) -> None:
    decided(cast)
    other = decided(cast)
    code = cast.item.code
    newer = ServiceItem.objects.get(pk=cast.item.pk)
    newer.pk, newer.version, newer.name = None, cast.item.version + 1, "新版事项"
    newer.save()
    Case.objects.filter(pk=other.pk).update(item=newer)
    for reader in (cast.clerk, cast.officer, cast.administrator):
        found = row(figures(reader), Dimension.ITEM, "新版事项")
        assert (found.key, found.share(Figure.PUNCTUAL)) == (code, Share(2, 2))


def test_each_reader_counts_what_is_theirs(cast: Cast) -> None:
    graded(decided(cast, beside=cast.wenling, mode=Mode.JOINT), "good")
    assert figures(cast.clerk).total.share(Figure.PUNCTUAL) == Share(2, 2)
    assert figures(cast.officer).total.share(Figure.PUNCTUAL) == Share(1, 1)
    assert figures(cast.officer).total.share(Figure.SATISFIED) == Share(1, 1)
    assert figures(cast.other_officer).total.share(Figure.SATISFIED) == Share(1, 1)
    assert figures(cast.other_clerk).total.share(Figure.PUNCTUAL) == Share()
    for actor in (cast.finance, cast.auditor):
        with pytest.raises(NotYours):
            figures(actor)


def test_the_number_of_queries_does_not_grow(cast: Cast) -> None:
    counts = []
    for more in (1, 8):
        for _ in range(more):
            graded(decided(cast), "good")
        with CaptureQueriesContext(connection) as queries:
            figures(cast.officer)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_the_file_holds_both_counts_beside_each_rate(cast: Cast) -> None:
    for _ in range(5):
        decided(cast)
    content = figures_csv(figures(cast.administrator)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    march = next(row for row in rows if row["对象"] == "2026-03")
    assert (march["按期办结率"], march["按期办结率分子"], march["按期办结率分母"]) == ("100.0%", "5", "5")
    april = next(row for row in rows if row["对象"] == "2026-04")
    assert april["按期办结率"] == "—"
    assert {row["分类"] for row in rows} == {dimension.label for dimension in Dimension}


@pytest.mark.parametrize(
    ("first", "last"), [("2026-04", "2026-03"), ("2026-13", "2026-14"), ("x", "2026-03")]
)
def test_months_that_are_none_are_refused(first: str, last: str, cast: Cast) -> None:
    with pytest.raises(Refused, match="请选择起止月份"):
        figures(cast.administrator, first, last)
    with pytest.raises(Refused, match="至多看 36 个月"):
        figures(cast.administrator, "2020-01", "2026-03")


def test_items_that_can_be_done_online_are_counted_without_the_negative_list(cast: Cast) -> None:
    today = date(2026, 3, 10)
    before = items_online(today)
    ServiceItem.objects.filter(pk=cast.item.pk).update(stars=5, modes=[])
    assert items_online(today) == Share(before.above + 1, before.below)
    ServiceItem.objects.filter(pk=cast.item.pk).update(modes=[Mode.WINDOW_FORWARD.value])
    assert items_online(today) == before
    ServiceItem.objects.filter(pk=cast.item.pk).update(negative=True)
    assert items_online(today) == Share(before.above, before.below - 1)
    assert items_online(date(2019, 1, 1)) == Share()


def test_a_grade_stands_with_the_lead_office_whoever_reads(cast: Cast) -> None:
    graded(decided(cast, beside=cast.wenling, mode=Mode.JOINT), "good")
    for reader in (cast.officer, cast.other_officer, cast.clerk, cast.administrator):
        seen = figures(reader)
        assert row(seen, Dimension.OFFICE, cast.taizhou.name).share(Figure.SATISFIED) == Share(1, 1)


def test_one_office_region_or_item_alone_is_told_month_by_month(cast: Cast) -> None:
    graded(decided(cast, beside=cast.wenling, mode=Mode.JOINT), "good")
    decided(cast, at=datetime(2026, 4, 2, 2, 0, tzinfo=UTC))
    for narrowed, punctual, satisfied in (
        (Narrowed(Dimension.OFFICE, cast.taizhou.code), [1, 1], 1),
        (Narrowed(Dimension.OFFICE, cast.wenling.code), [1, 0], 0),
        (Narrowed(Dimension.REGION, cast.wenling.region_id), [1, 0], 0),
        (Narrowed(Dimension.ITEM, cast.item.code), [2, 1], 1),
        (Narrowed(Dimension.ITEM, "NO-SUCH"), [0, 0], 0),
    ):
        seen = figures_of(first="2026-03", last="2026-04", actor=cast.administrator, narrowed=narrowed)
        months = [each.share(Figure.PUNCTUAL).below for each in seen.rows[Dimension.MONTH]]
        assert (months, seen.total.share(Figure.SATISFIED).below) == (punctual, satisfied), narrowed
    own = figures_of(
        first="2026-03",
        last="2026-04",
        actor=cast.other_officer,
        narrowed=Narrowed(Dimension.OFFICE, cast.taizhou.code),
    )
    assert own.total.share(Figure.PUNCTUAL) == Share(), "nobody narrows to what is not theirs"
