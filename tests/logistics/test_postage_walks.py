"""Random acts of finance in any order: after each the ledger balances, and what was settled stands as it was."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import transaction
from django.db.models import QuerySet, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from logistics.models import (
    Charge,
    LedgerEntry,
    Parcel,
    Posting,
    Settlement,
    SettlementLine,
    SettlementProposal,
    Statement,
    Waybill,
)
from logistics.postage.books import Books, post
from logistics.postage.services import (
    approve_settlement,
    charge_parcel,
    dispute_all,
    import_statement,
    prepare_month,
    reconcile_statement,
    resolve_discrepancies,
    return_settlement,
    reverse_charge,
)
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.payers import Leg, PaymentTerm
from logistics.rules.settling import ProposalState
from registry.actors import SYSTEM
from storage.errors import Refused
from tests.cast import NOW, assemble
from tests.logistics.postage_world import PostageWorld, write_csv
from tests.logistics.test_postage_closing import K, balance

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects"), pytest.mark.timeout(900)]
UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)
MONTHS = ("2026-03", "2026-04", "2026-05")
MOST_PARCELS = 8
UNDECIDED = (DiscrepancyState.OPEN.value, DiscrepancyState.DISPUTED.value)

months = st.sampled_from(MONTHS)
any_number = st.integers(0, 11)
decisions = st.sampled_from(["dispute", "accept", "credit", ""])
amounts = st.sampled_from(["11.00", "11.01", "8.50", "19.00", "-11.00", "-3.33", "0.00"])

bill_lines = st.lists(st.tuples(any_number, amounts), min_size=1, max_size=4)


class Finance(RuleBasedStateMachine):
    """A centre's postage. What is refused must leave no trace; everything is undone at the end of a walk."""

    def __init__(self, world: PostageWorld, folder: Path) -> None:
        super().__init__()
        self.world, self.folder = world, folder
        self.joint = world.joint_case()
        self.files = 0
        self.settled: dict[int, object] = {}
        self.whole = transaction.atomic()
        self.whole.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.whole.__exit__(None, None, None)

    @initialize(weights=st.lists(st.integers(1, 6000), min_size=2, max_size=5))
    def parcels_are_on_the_road(self, weights: list[int]) -> None:
        for weight in weights:
            self.a_parcel_is_weighed(Leg.MATERIALS, weight)

    def act(self, done: Callable[[], object]) -> None:
        before = _figures()
        try:
            with transaction.atomic():
                done()
        except Refused:
            assert _figures() == before

    @precondition(lambda self: Parcel.objects.count() < MOST_PARCELS)
    @rule(leg=st.sampled_from([Leg.MATERIALS, Leg.RESULT, Leg.JOINT_RESULT]), weight=st.integers(1, 6000))
    def a_parcel_is_weighed(self, leg: Leg, weight: int) -> None:
        term = PaymentTerm.COLLECT if leg == Leg.MATERIALS else PaymentTerm.SENDER_MONTHLY
        case = self.joint if leg == Leg.JOINT_RESULT else None
        self.world.charged(
            self.world.waybill(self.world.parcel(leg=leg, weight_g=weight, case=case), term=term)
        )

    @precondition(lambda self: Parcel.objects.exists())
    @rule(which=any_number, weight=st.integers(1, 9000))
    def a_parcel_is_weighed_again(self, which: int, weight: int) -> None:
        parcel = _one(Parcel, which)
        Parcel.objects.filter(pk=parcel.pk).update(weight_g=weight)
        parcel = Parcel.objects.get(pk=parcel.pk)
        self.act(lambda: charge_parcel(parcel=parcel, actor=SYSTEM, now=NOW))

    @precondition(lambda self: Charge.objects.exists())
    @rule(which=any_number)
    def a_charge_is_reversed(self, which: int) -> None:
        charge = _one(Charge, which)
        self.act(lambda: reverse_charge(charge=charge, reason="误计", actor=self.world.cast.finance, now=NOW))

    @rule(month=months, lines=bill_lines)
    def a_statement_arrives(self, month: str, lines: list[tuple[int, str]]) -> None:
        known = list(Waybill.objects.order_by("pk").values_list("number", flat=True))
        numbers = [*known, "99999999999", "=1+1"]
        rows = [self.world.row(numbers[which % len(numbers)], amount) for which, amount in lines]
        self.files += 1
        path = write_csv(self.folder / f"{self.files}.csv", rows)
        finance = self.world.cast.finance
        self.act(
            lambda: import_statement(
                path=path, carrier=self.world.carrier, month=month, actor=finance, now=NOW
            )
        )

    @precondition(lambda self: Statement.objects.exists())
    @rule(which=any_number, decision=decisions)
    def a_statement_is_checked_and_decided(self, which: int, decision: str) -> None:
        statement, finance = _one(Statement, which), self.world.cast.finance
        self.act(lambda: reconcile_statement(statement=statement, actor=finance, now=NOW))
        if decision == "dispute":
            self.act(lambda: dispute_all(statement_id=statement.pk, reason="不符", actor=finance, now=NOW))
        elif decision:
            state = DiscrepancyState.ACCEPTED if decision == "accept" else DiscrepancyState.CREDITED
            self.act(
                lambda: resolve_discrepancies(
                    discrepancies=list(statement.discrepancies.filter(state__in=UNDECIDED)),
                    to=state,
                    reason="核实",
                    actor=finance,
                    now=NOW,
                )
            )

    @rule(month=months)
    def a_month_is_prepared(self, month: str) -> None:
        self.act(
            lambda: prepare_month(
                centre=self.world.cast.taizhou.centre,
                carrier=self.world.carrier,
                month=month,
                actor=self.world.cast.finance,
                now=NOW,
            )
        )

    @precondition(lambda self: SettlementProposal.objects.exists())
    @rule(which=any_number, by_the_same=st.booleans(), sent_back=st.sampled_from([False, False, True]))
    def somebody_approves(self, which: int, by_the_same: bool, sent_back: bool) -> None:
        proposal, people = _one(SettlementProposal, which), self.world.cast
        actor = people.finance if by_the_same else people.second_finance
        if sent_back:
            self.act(lambda: return_settlement(proposal=proposal, reason="再核", actor=actor, now=NOW))
        else:
            self.act(lambda: approve_settlement(proposal=proposal, actor=actor, now=NOW))

    @rule(month=months, lines=bill_lines, decision=st.sampled_from(["dispute", "accept", "credit"]))
    def a_month_is_worked_off(self, month: str, lines: list[tuple[int, str]], decision: str) -> None:
        """The way on which months end: billed, checked, decided, prepared, approved. Any of it may be refused."""
        self.a_statement_arrives(month, lines)
        for which, statement in enumerate(Statement.objects.order_by("pk")):
            if statement.month <= month:
                self.a_statement_is_checked_and_decided(which, decision)
        self.a_month_is_prepared(month)
        for which in range(SettlementProposal.objects.count()):
            self.somebody_approves(which, by_the_same=False, sent_back=False)

    @invariant()
    def the_ledger_balances(self) -> None:
        assert sum(balance(kind) for kind in K) == 0
        assert LedgerEntry.objects.filter(postings=None).count() == 0

    @invariant()
    def the_ledger_says_what_the_papers_say(self) -> None:
        """Spent is what was charged, owed is what was settled, and expected is what was charged and not yet settled."""
        charged = _sum(Charge.objects.all(), "amount_fen")
        assert balance(K.EXPENSE) == charged
        assert -balance(K.PAYABLE) == _sum(Settlement.objects.all(), "payable_fen")
        assert -balance(K.ACCRUAL) == charged - _sum(SettlementLine.objects.all(), "expected_fen")

    @invariant()
    def shares_sum_to_the_whole(self) -> None:
        shared = Charge.objects.annotate(shared=Sum("shares__amount_fen")).values_list("amount_fen", "shared")
        assert all(parts in {None, whole} for whole, parts in shared)

    @invariant()
    def every_settlement_was_approved_by_another(self) -> None:
        approved = SettlementProposal.objects.filter(state=ProposalState.APPROVED.value)
        assert approved.count() == Settlement.objects.count()
        assert not any(proposal.prepared_by_id == proposal.decided_by_id for proposal in approved)

    @invariant()
    def what_was_settled_stands_as_it_was(self) -> None:
        now_is = {
            row["id"]: (
                tuple(row.items()),
                tuple(SettlementLine.objects.filter(settlement=row["id"]).order_by("pk").values_list()),
            )
            for row in Settlement.objects.values()
        }
        for pk, before in self.settled.items():
            assert now_is[pk] == before
        self.settled = dict(now_is)


def _one(model: Any, which: int) -> Any:
    rows = list(model.objects.order_by("pk"))
    return rows[which % len(rows)]


def _sum(rows: QuerySet[Any], field: str) -> int:
    return int(rows.aggregate(total=Sum(field))["total"] or 0)


def _figures() -> tuple[object, ...]:
    tables = (Charge, LedgerEntry, Posting, Statement, Settlement, SettlementLine, SettlementProposal)
    return tuple(table.objects.count() for table in tables)


def test_the_ledger_balances_and_settlements_stand_after_any_sequence(tmp_path: Path) -> None:
    world = PostageWorld.build(assemble())
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        run_state_machine_as_test(
            cast("type[Finance]", partial(Finance, world, Path(folder))),
            settings=settings(UNHURRIED, max_examples=15, stateful_step_count=30),
        )


def test_the_questions_notice_what_is_wrong(tmp_path: Path) -> None:
    finance = Finance(PostageWorld.build(assemble()), tmp_path)
    finance.parcels_are_on_the_road([320, 1500])
    finance.a_month_is_worked_off(MONTHS[0], [(0, "11.00"), (1, "19.00")], "dispute")
    assert Settlement.objects.count() == 1
    for ask in (finance.the_ledger_balances, finance.the_ledger_says_what_the_papers_say):
        ask()
    finance.what_was_settled_stands_as_it_was()
    with transaction.atomic():
        books = Books(centre=finance.world.cast.taizhou.centre, carrier=finance.world.carrier)
        post(subject="slipped in", words="", moves=books.accepted(1), now=NOW)
        with pytest.raises(AssertionError):
            finance.the_ledger_says_what_the_papers_say()
        transaction.set_rollback(True)
    finance.settled = dict.fromkeys(finance.settled, ("as it never was",))
    with pytest.raises(AssertionError):
        finance.what_was_settled_stands_as_it_was()
    finance.teardown()
