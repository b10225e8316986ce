"""What the postage went to: every dimension sums to the whole, drills down to its lines, in a fixed few queries."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from logistics.models import Charge, Waybill
from logistics.postage.services import (
    dispute_all,
    import_statement,
    reconcile_statement,
    reverse_charge,
    spending,
    spending_lines,
)
from logistics.postage.spending import DIMENSIONS, Spending
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.payers import Leg, PaymentTerm
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, assemble, person
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv

QUERIES = 4


@pytest.fixture
def world(db: None) -> PostageWorld:
    return PostageWorld.build(assemble())


def see(world: PostageWorld, first: str = "2026-03", last: str = "2026-03") -> Spending:
    return spending(actor=world.cast.finance, first=first, last=last)


def home(world: PostageWorld) -> Charge:
    return world.charged(world.waybill(world.parcel(leg=Leg.RESULT), term=PaymentTerm.SENDER_MONTHLY))


def joint(world: PostageWorld) -> Charge:
    parcel = world.parcel(leg=Leg.JOINT_RESULT, case=world.joint_case())
    return world.charged(world.waybill(parcel, term=PaymentTerm.SENDER_MONTHLY))


def test_every_dimension_sums_to_the_whole(world: PostageWorld) -> None:
    inbound, result, shared = world.charged(), home(world), joint(world)
    seen = see(world)
    own = shared.shares.get(centre=world.cast.taizhou.centre).amount_fen
    assert seen.total_fen == inbound.amount_fen + result.amount_fen + own == 1100 + 1000 + 500
    for name in DIMENSIONS:
        assert sum(bar.amount_fen for bar in seen.bars[name]) == seen.total_fen, name
        assert sum(bar.count for bar in seen.bars[name]) == 3, name
    assert [(bar.key, bar.amount_fen) for bar in seen.bars["leg"]] == [
        ("materials", 1100),
        ("result", 1000),
        ("joint_result", 500),
    ]
    assert (seen.parcels, seen.cases, seen.per_case_fen) == (3, 2, 1300)
    assert [bar.label for bar in seen.bars["office"]] == [world.cast.taizhou.name]


def test_each_bar_drills_down_to_lines_of_the_same_sum(world: PostageWorld) -> None:
    world.charged(), home(world), joint(world)
    seen = see(world)
    for name, bars in seen.bars.items():
        for bar in bars:
            lines = spending_lines(
                actor=world.cast.finance, first=seen.first, last=seen.last, chosen={name: bar.key}
            )
            assert lines.count() == bar.count
            assert lines.aggregate(total=Sum("amount_fen"))["total"] == bar.amount_fen


def test_reversed_charges_and_other_months_do_not_count(world: PostageWorld) -> None:
    gone = world.charged()
    reverse_charge(charge=gone, reason="误计", actor=world.cast.finance, now=NOW)
    late = world.charged()
    # 17:00 UTC on 31 March is already April at Shanghai.
    Waybill.objects.filter(pk=late.waybill_id).update(requested_at=datetime(2026, 3, 31, 17, tzinfo=UTC))
    assert (see(world).total_fen, see(world).bars["month"]) == (0, ())
    assert [bar.key for bar in see(world, "2026-01", "2026-04").bars["month"]] == ["2026-04"]


def test_what_applicants_were_spared_leaves_out_transfers_and_what_lies_outside(world: PostageWorld) -> None:
    inbound = world.charged()
    transfer = world.parcel(leg=Leg.TRANSFER, sender=world.cast.wenling, receiver=world.cast.taizhou)
    moved = world.charged(world.waybill(transfer))
    assert moved.centre == world.cast.taizhou.centre
    seen = see(world)
    assert (seen.spared_fen, seen.spared_cases) == (inbound.amount_fen, 1)
    assert seen.total_fen == inbound.amount_fen + moved.amount_fen


def test_disputed_and_recovered(world: PostageWorld, objects: None, tmp_path: Path) -> None:
    finance, dear = world.cast.finance, world.charged()
    for name, month, amount in (("a", MONTH, "15.00"), ("b", "2026-04", "-4.00")):
        path = write_csv(tmp_path / f"{name}.csv", [world.row(dear.waybill.number, amount)])
        made = import_statement(path=path, carrier=world.carrier, month=month, actor=finance, now=NOW)
        reconcile_statement(statement=made.statement, actor=finance, now=NOW)
        if name == "a":
            dispute_all(statement_id=made.statement.pk, reason="与合同不符", actor=finance, now=NOW)
            assert [(one.state, one.stake_fen) for one in see(world).disputes] == [
                (DiscrepancyState.DISPUTED, 400)
            ]
            assert (see(world).recovered_fen, see(world).recovered_percent) == (0, 0)
    assert (see(world).recovered_fen, see(world).recovered_percent) == (400, 100)
    # Four yuan of the fifteen in March; the credit came in April.
    assert see(world).disputed_percent == "26.6"


def test_a_fixed_few_queries_however_many_parcels(world: PostageWorld) -> None:
    for _ in range(2):
        world.charged()
    for _ in range(2):
        with CaptureQueriesContext(connection) as taken:
            see(world)
        assert len(taken) == QUERIES
        home(world), joint(world), world.charged()


def test_everyone_sees_the_own_centre_only(world: PostageWorld) -> None:
    charge = joint(world)
    theirs = person("wenling-finance", Role.FINANCE, centre=world.cast.wenling.centre)
    share = charge.shares.get(centre=world.cast.wenling.centre).amount_fen
    assert spending(actor=theirs, first=MONTH, last=MONTH).total_fen == share
    stranger = person("zhuji-finance", Role.FINANCE, centre=world.cast.zhuji.centre)
    assert spending(actor=stranger, first=MONTH, last=MONTH).total_fen == 0
    assert not spending_lines(actor=stranger, first=MONTH, last=MONTH, chosen={}).exists()
    for actor in (world.cast.clerk, world.cast.officer, world.cast.administrator):
        with pytest.raises(NotYours):
            spending(actor=actor, first=MONTH, last=MONTH)


@pytest.mark.parametrize(
    ("first", "last"), [("2026-04", "2026-03"), ("x", "2026-03"), ("2010-01", "2026-03")]
)
def test_an_impossible_span_is_refused(world: PostageWorld, first: str, last: str) -> None:
    with pytest.raises(Refused):
        see(world, first, last)
