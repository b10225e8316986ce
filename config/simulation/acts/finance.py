"""Finance: statements as couriers send them, differences decided, months prepared by one person and closed by another."""

from collections.abc import Iterator
from datetime import datetime

from config.simulation.bills import Bill, write_bill
from config.simulation.envelopes import Where
from config.simulation.world import Deed, World
from logistics.models import (
    Carrier,
    CarrierAccount,
    Charge,
    Discrepancy,
    Settlement,
    SettlementProposal,
    Statement,
    StatementState,
)
from logistics.postage.closing import approve_settlement, prepare_month, return_settlement
from logistics.postage.deciding import dispute_all, resolve_discrepancy
from logistics.postage.uploading import ask_check, upload_statement
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.settling import ProposalState
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.time import local_day
from storage.scratch import scratch

FEW_LINES = 3
"""Below so many a courier waits with its bill until the month is over."""
S = DiscrepancyState


def work_on_books(world: World) -> Deed | None:
    """One of the two finance officers of a centre takes up what one courier's books wait for."""
    centre_id = world.dice.choice(world.people.paying_centres())
    first, second = world.people.finance_of(centre_id)
    actor = first if world.dice.random() < 0.5 else second
    carrier = world.dice.choice((*world.couriers.ordered, *world.couriers.followed))
    waiting = SettlementProposal.objects.filter(
        centre=centre_id, carrier=carrier, state=ProposalState.PREPARED.value
    ).first()
    if waiting is not None:
        return _decide_month(world, waiting, actor)
    difference = world.one_row(
        Discrepancy.objects.filter(
            statement__centre=centre_id, statement__carrier=carrier, state=S.OPEN.value
        )
    )
    if difference is not None:
        return _decide_difference(world, difference, actor)
    return _begin(world, carrier, centre_id, actor)


def _begin(world: World, carrier: Carrier, centre_id: int, actor: Actor) -> Deed | None:
    """Nothing waits: the courier sends a bill, a statement is checked once more, or a month is laid out."""
    today = local_day(world.clock.now())
    month = f"{today:%Y-%m}"
    closed = Settlement.objects.filter(centre=centre_id, carrier=carrier).values_list("month", flat=True)
    if month in closed:
        return None
    if not world.calm and world.dice.random() < 0.5:
        return _bill(world, carrier, centre_id, month, actor)
    statements = Statement.objects.filter(centre=centre_id, carrier=carrier).order_by("pk")
    open_months = sorted(set(statements.values_list("month", flat=True)) - set(closed))
    if world.chance(0.1) and (statement := statements.last()) is not None:
        pk = statement.pk
        return Deed(
            "check statement again",
            actor.label,
            f"{carrier.code} {statement.month}",
            lambda: ask_check(statement=Statement.objects.get(pk=pk), actor=actor, now=world.clock.now()),
        )
    over = [one for one in open_months if one < month]
    if not over:
        return None
    return Deed(
        "prepare month",
        actor.label,
        f"{carrier.code} {over[0]}",
        lambda: prepare_month(
            centre=ServiceCentre.objects.get(pk=centre_id),
            carrier=carrier,
            month=over[0],
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _bill(world: World, carrier: Carrier, centre_id: int, month: str, actor: Actor) -> Deed | None:
    account = CarrierAccount.objects.get(carrier=carrier, centre=centre_id)
    charges = [one for one in _carried(world, account) if one.waybill.number not in world.bills.billed]
    late = local_day(world.clock.now()).day > 25
    if not charges or (len(charges) < FEW_LINES and not late):
        return None
    bill = write_bill(
        charges,
        list(_given_back(world, carrier, centre_id, month)),
        account=account.number,
        day=local_day(world.clock.now()),
        dice=world.dice,
    )
    return Deed(
        "hand in statement",
        actor.label,
        f"{carrier.code} {month} {len(charges)} parcels",
        lambda: _hand_in(world, bill, carrier, month, actor),
    )


def _hand_in(world: World, bill: Bill, carrier: Carrier, month: str, actor: Actor) -> None:
    world.bills.send(bill)
    with scratch("simulated") as folder:
        path = folder / "statement.csv"
        path.write_bytes(bill.content)
        upload_statement(
            path=path,
            carrier=carrier,
            month=month,
            preview_first=False,
            actor=actor,
            now=world.clock.now(),
        )
    world.bills.note(bill)


def _carried(world: World, account: CarrierAccount) -> list[Charge]:
    """Parcels charged to this account that the courier really took; what an applicant paid at its counter is no bill's."""
    standing = Charge.objects.standing().filter(waybill__account=account, centre__isnull=False)
    found = standing.select_related("waybill", "parcel").order_by("pk")
    return [one for one in found if world.bag(one.parcel) != Where.SENDER]


def _given_back(
    world: World, carrier: Carrier, centre_id: int, month: str
) -> Iterator[tuple[int, str, int, str]]:
    """Half of what was disputed in earlier months comes back."""
    disputed = Discrepancy.objects.filter(
        statement__carrier=carrier,
        statement__centre=centre_id,
        statement__month__lt=month,
        state=S.DISPUTED.value,
        line__isnull=False,
        stake_fen__gt=0,
    ).order_by("pk")
    for one in disputed.select_related("line"):
        if one.pk not in world.bills.given_back and one.line is not None and world.dice.random() < 0.5:
            yield one.pk, one.waybill_number, one.stake_fen, one.line.term


def _decide_difference(world: World, difference: Discrepancy, actor: Actor) -> Deed | None:
    statement = Statement.objects.get(pk=difference.statement_id)
    if statement.state != StatementState.RECONCILED:
        return None
    pk = difference.pk
    if world.chance(0.2):
        return Deed(
            "dispute all",
            actor.label,
            f"{statement.month} {statement.carrier.code}",
            lambda: dispute_all(
                statement_id=statement.pk, reason="与合同不符", actor=actor, now=world.clock.now()
            ),
        )
    goal = world.dice.choice((S.DISPUTED, S.DISPUTED, S.ACCEPTED))
    return Deed(
        "decide difference",
        actor.label,
        f"{statement.month} {difference.code} {goal.value}",
        lambda: resolve_discrepancy(
            discrepancy=Discrepancy.objects.get(pk=pk),
            to=goal,
            reason="经与承运商核实",
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _decide_month(world: World, proposal: SettlementProposal, actor: Actor) -> Deed:
    """Whoever takes it up may be the one who prepared it, and is refused then."""
    pk = proposal.pk

    def fresh() -> SettlementProposal:
        return SettlementProposal.objects.select_related("centre", "carrier").get(pk=pk)

    def approve(now: datetime) -> object:
        return approve_settlement(proposal=fresh(), actor=actor, now=now)

    def give_back(now: datetime) -> object:
        return return_settlement(proposal=fresh(), reason="请核对差异", actor=actor, now=now)

    name, act = ("return month", give_back) if world.chance(0.15) else ("approve month", approve)
    return Deed(name, actor.label, f"{proposal.month} {pk}", lambda: act(world.clock.now()))
