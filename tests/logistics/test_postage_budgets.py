"""A year's budget: versions that are never edited, what was spent, and a forecast that can be followed by hand."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from logistics.models import PostageBudget
from logistics.postage.services import budget_history, budget_outlook, set_budget
from logistics.rules.budgets import Verdict, outlook
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, assemble
from tests.logistics.postage_world import PostageWorld

JUNE = date(2026, 6, 15)


@pytest.fixture
def world(db: None) -> PostageWorld:
    return PostageWorld.build(assemble())


def put(world: PostageWorld, amount_fen: int, reason: str = "台财预〔2026〕3 号") -> PostageBudget:
    return set_budget(
        centre=world.cast.taizhou.centre,
        year=2026,
        amount_fen=amount_fen,
        reason=reason,
        actor=world.cast.finance,
        now=NOW,
    )


def test_months_to_come_cost_the_mean_of_the_last_three_whole_ones() -> None:
    spent = {"2026-02": 900, "2026-03": 1000, "2026-04": 2000, "2026-05": 3001, "2026-06": 500}
    year = outlook(year=2026, today=JUNE, spent=spent, budget_fen=20_000)
    typical = 2001  # 6001 / 3, rounded up
    assert [month.expected_fen for month in year.months] == [0, 900, 1000, 2000, 3001, *[typical] * 7]
    assert (year.spent_fen, year.forecast_fen) == (7401, 6901 + 7 * typical)
    assert year.verdict == Verdict.LIKELY_OVER


def test_a_month_that_already_cost_more_counts_as_it_is() -> None:
    year = outlook(year=2026, today=JUNE, spent={"2026-05": 100, "2026-06": 900}, budget_fen=0)
    assert year.months[5].expected_fen == 900
    assert year.months[6].expected_fen == 100
    assert year.verdict == Verdict.UNSET


def test_before_the_first_whole_month_the_current_one_is_reckoned_up_by_its_days() -> None:
    year = outlook(year=2026, today=JUNE, spent={"2026-06": 151}, budget_fen=10_000)
    assert [month.expected_fen for month in year.months[5:]] == [302] * 7
    assert year.verdict == Verdict.WITHIN


def test_the_mean_reaches_back_into_the_year_before() -> None:
    year = outlook(year=2026, today=date(2026, 1, 9), spent={"2025-11": 300, "2025-12": 500}, budget_fen=1)
    assert year.months[0].expected_fen == 400
    assert year.spent_fen == 0


@given(
    st.dictionaries(st.sampled_from([f"2026-{n:02d}" for n in range(1, 13)]), st.integers(0, 10**9)),
    st.integers(1, 12),
    st.integers(1, 28),
)
def test_a_forecast_is_never_below_what_past_months_cost(spent: dict[str, int], month: int, day: int) -> None:
    today = date(2026, month, day)
    past = {name: fen for name, fen in spent.items() if name <= f"{today:%Y-%m}"}
    year = outlook(year=2026, today=today, spent=past, budget_fen=1)
    assert year.forecast_fen >= year.spent_fen == sum(past.values())
    assert year.left_fen == 1 - year.spent_fen


@pytest.mark.django_db
def test_a_budget_is_set_changed_and_never_edited(world: PostageWorld) -> None:
    assert put(world, 100_000) == put(world, 100_000)
    second = put(world, 120_000, "年中追加")
    assert [row.amount_fen for row in budget_history(year=2026, actor=world.cast.finance)] == [
        120_000,
        100_000,
    ]
    assert Event.objects.filter(kind="budget.set").count() == 2
    assert Event.objects.filter(kind="budget.set").latest("pk").data["before_fen"] == 100_000
    assert second.set_by == world.cast.finance.label


@pytest.mark.django_db
@pytest.mark.usefixtures("append_only")
def test_the_database_itself_refuses_an_edit(world: PostageWorld) -> None:
    budget = put(world, 100_000)
    with pytest.raises(IntegrityError, match="append-only"):
        PostageBudget.objects.filter(pk=budget.pk).update(amount_fen=1)


@pytest.mark.django_db
def test_the_own_centre_is_seen_against_its_own_budget(world: PostageWorld) -> None:
    put(world, 5_000)
    world.charged()
    world.charged()
    april = datetime(2026, 4, 10, tzinfo=UTC)
    year = budget_outlook(year=2026, actor=world.cast.finance, now=april)
    assert (year.budget_fen, year.spent_fen) == (5_000, 2_200)
    assert year.forecast_fen == 2_200 + 9 * 2_200
    assert year.verdict == Verdict.LIKELY_OVER


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("year", "amount", "reason"), [(1999, 1, "x"), (2026, 0, "x"), (2026, -5, "x"), (2026, 100, "  ")]
)
def test_a_budget_that_nobody_can_mean_is_refused(
    world: PostageWorld, year: int, amount: int, reason: str
) -> None:
    with pytest.raises(Refused):
        set_budget(
            centre=world.cast.taizhou.centre,
            year=year,
            amount_fen=amount,
            reason=reason,
            actor=world.cast.finance,
            now=NOW,
        )
    assert not PostageBudget.objects.exists()


@pytest.mark.django_db
def test_only_finance_of_the_centre_sets_it(world: PostageWorld) -> None:
    for actor in (world.cast.clerk, world.cast.administrator):
        with pytest.raises(NotYours):
            budget_outlook(year=2026, actor=actor, now=NOW)
    with pytest.raises(NotYours):
        set_budget(
            centre=world.cast.wenling.centre,
            year=2026,
            amount_fen=1,
            reason="x",
            actor=world.cast.finance,
            now=NOW,
        )
