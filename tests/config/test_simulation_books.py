"""The simulation's couriers bill and its people keep the books: what is wrong there is found, and named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import Q

from config.simulation.acts.finance import work_on_books
from config.simulation.acts.machines import pass_on, work
from config.simulation.crashes import CommitPoints
from config.simulation.invariants import Violation, check, check_whole
from config.simulation.run import Outcome, Play
from config.simulation.world import Deed, World, opened_world
from logistics.models import (
    Charge,
    Discrepancy,
    LedgerAccount,
    Posting,
    Settlement,
    SettlementLine,
    SettlementProposal,
)
from logistics.postage.payment import decide_payment
from logistics.rules.payers import Decision, Share
from registry.models import ServiceCentre
from storage.errors import Refused
from tests.config.planted import not_named

MOST_STEPS, MOST_DEEDS = 1500, 3000


@pytest.fixture
def play(db: None, objects: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """A world in which parcels travelled, couriers billed them, mostly wrong, and a month was closed."""
    monkeypatch.setattr("config.simulation.bills.WRONG", 0.8)
    with opened_world(seed=4, cases=14) as world:
        play = Play(world, Outcome(seed=4, cases=14), CommitPoints(world.chance))
        while Charge.objects.standing().filter(parcel__handed_over_at__isnull=False).count() < 8:
            assert play.step(), play.outcome.violations
            assert play.outcome.steps < MOST_STEPS
        world.clock.move(timedelta(days=17))  # the month is nearly over: couriers bill whatever there is
        _keep_books(play, until=Discrepancy.objects.exists)
        world.clock.move(timedelta(days=10))
        _keep_books(play, until=lambda: Settlement.objects.filter(line_count__gt=0).exists())
        assert check_whole(world) == []
        yield play


def _keep_books(play: Play, *, until: Callable[[], bool]) -> None:
    for _ in range(MOST_DEEDS):
        for find in (work_on_books, pass_on, work):
            _do(find(play.world))
        if until():
            assert check(play.world, play.told) == []
            return
    raise AssertionError("the books never came that far")


def _do(deed: Deed | None) -> None:
    try:
        if deed is not None:
            deed.do()
    except Refused:
        pass  # who prepared a month tries to close it as well


def _owed_to_nobody(world: World) -> None:
    payable = LedgerAccount.objects.filter(kind=LedgerAccount.Kind.PAYABLE).order_by("pk").first()
    posting = Posting.objects.filter(Q(debit=payable) | Q(credit=payable)).order_by("pk").first()
    assert posting is not None
    Posting.objects.create(
        entry=posting.entry, debit=posting.debit, credit=posting.credit, amount_fen=posting.amount_fen
    )


def _borne_by_another(world: World) -> None:
    line = SettlementLine.objects.filter(charge__isnull=False).order_by("pk").first()
    assert line is not None
    other = ServiceCentre.objects.exclude(pk=line.centre_id).order_by("pk").first()
    SettlementLine.objects.filter(pk=line.pk).update(centre=other)


def _closed_by_one(world: World) -> None:
    for proposal in SettlementProposal.objects.filter(settlement__isnull=False):
        SettlementProposal.objects.filter(pk=proposal.pk).update(
            prepared_by_id=proposal.decided_by_id, decided_by_id=proposal.prepared_by_id
        )


PLANTED: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("the_ledger_says_what_was_settled", _owed_to_nobody),
    ("each_line_is_settled_once", _borne_by_another),
    ("each_month_is_closed_by_two", _closed_by_one),
)


@pytest.mark.usefixtures("tampering")
def test_every_fault_in_the_books_is_named(play: Play) -> None:
    assert not_named(PLANTED, play.world) == {}
    bill = next(bill for bill in play.world.bills.sent.values() if bill.planted)
    wrong = bill.planted[0]
    Discrepancy.objects.filter(statement__sha256=bill.sha256, row=wrong.row).update(row=9000)
    assert _names(check_whole(play.world)) == {"what_is_billed_wrongly_is_found"}


def test_a_charge_for_the_wrong_centre_is_named(
    db: None, objects: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def astray(**asked: object) -> Decision:
        decision = decide_payment(**asked)  # type: ignore[arg-type]
        other = ServiceCentre.objects.filter(code="centre-331000").get()
        return replace(decision, shares=(Share(other.pk, None),))

    monkeypatch.setattr("logistics.postage.charging.decide_payment", astray)
    with opened_world(seed=4, cases=14) as world:
        play = Play(world, Outcome(seed=4, cases=14), CommitPoints(world.chance))
        while play.step():
            assert play.outcome.steps < MOST_STEPS
        assert "each_charge_is_the_payers" in _names(play.outcome.violations)


def _names(violations: list[Violation]) -> set[str]:
    return {violation.name for violation in violations}
