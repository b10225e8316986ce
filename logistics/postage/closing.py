"""结算: a month is closed for one centre and carrier; its lines are copied, numbered and never change again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum

from logistics.models import (
    Carrier,
    Charge,
    ChargeShare,
    Discrepancy,
    Settlement,
    SettlementLine,
    Statement,
    StatementLine,
    StatementState,
)
from logistics.postage.books import Books, Tally, post
from logistics.postage.reconciling import accruals
from logistics.postage.settlement_files import keep_workbook
from logistics.rules.checks import stake_of
from logistics.rules.disputes import WITHHELD, DiscrepancyState
from logistics.rules.money import split_by
from registry import events
from registry.actors import Actor
from registry.models import NumberSequence, ServiceCentre
from registry.permissions import NotYours, check_may
from storage.errors import Refused
from storage.models import StoredObject

_CHUNK = 500
T = TypeVar("T")
S = DiscrepancyState


@dataclass
class Part:
    """One centre's and office's part of a billed line, before it is written down."""

    line: StatementLine
    charge: Charge | None
    share: ChargeShare | None
    billed_fen: int
    withheld_fen: int
    credited_fen: int
    released_fen: int
    expected_fen: int
    codes: list[str] = field(default_factory=list)


def close_month(
    *, centre: ServiceCentre, carrier: Carrier, month: str, actor: Actor, now: datetime
) -> Settlement:
    """Settle a month. Differences still disputed are held back; what is decided later goes into the next month.

    Raises Refused while a statement is not reconciled or a difference is undecided. Closing again answers the
    settlement that is there. The signed PDF follows through the event `settlement.closed`.
    """
    check_may(actor, "month.close")
    if actor.kind != "system" and actor.centre_id != centre.pk:
        raise NotYours
    with transaction.atomic():
        Carrier.objects.select_for_update().get(pk=carrier.pk)
        settlement = Settlement.objects.filter(centre=centre, carrier=carrier, month=month).first()
        if settlement is None:
            _check_ready(centre, carrier, month)
            settlement = _settle(centre, carrier, month, actor=actor, now=now)
    keep_workbook(settlement=settlement, now=now)
    return Settlement.objects.get(pk=settlement.pk)


def attach_settlement_pdf(
    *, settlement: Settlement, stored: StoredObject, actor: Actor, now: datetime
) -> Settlement:
    """Add the signed paper, once. The same paper again changes nothing; another one is refused."""
    with transaction.atomic():
        attached = Settlement.objects.filter(pk=settlement.pk, paper__isnull=True).update(paper=stored)
        settlement = Settlement.objects.get(pk=settlement.pk)
        if settlement.paper_id != stored.pk:
            raise Refused("settlement_signed", "结算单已签章，不能更换。")
        if attached:
            events.record(
                kind="settlement.signed",
                actor=actor,
                subject=settlement,
                now=now,
                data={"number": settlement.number, "sha256": stored.sha256},
            )
    return settlement


def _check_ready(centre: ServiceCentre, carrier: Carrier, month: str) -> None:
    statements = Statement.objects.filter(carrier=carrier).filter(Q(centre=centre) | Q(centre__isnull=True))
    if not statements.filter(month=month).exists():
        raise Refused("no_statement", f"{carrier.name} {month} 的对账单还没有导入，不能结算。")
    if statements.filter(month__lte=month).exclude(state=StatementState.RECONCILED).exists():
        raise Refused("not_reconciled", f"{carrier.name} {month} 及以前还有对账单没有核对，请先核对。")
    if Settlement.objects.filter(centre=centre, carrier=carrier, month__gt=month).exists():
        raise Refused("later_month_closed", "之后的月份已经结算，更正请计入下月。")
    undecided = Discrepancy.objects.filter(
        statement__in=statements, statement__month__lte=month, state=S.OPEN.value
    )
    count = undecided.count()
    if count:
        raise Refused("open_discrepancies", f"还有 {count} 条差异没有处理，请先提出异议或认可。")


def _settle(
    centre: ServiceCentre, carrier: Carrier, month: str, *, actor: Actor, now: datetime
) -> Settlement:
    waiting = accruals(centre=centre, carrier_id=carrier.pk, month=month)
    own = ChargeShare.objects.filter(charge__in=waiting, centre=centre).aggregate(total=Sum("amount_fen"))[
        "total"
    ]
    settlement = Settlement.objects.create(
        number=_number(centre, month),
        centre=centre,
        carrier=carrier,
        month=month,
        line_count=0,
        billed_fen=0,
        withheld_fen=0,
        released_fen=0,
        payable_fen=0,
        accrued_count=len(waiting),
        accrued_fen=own or 0,
        closed_at=now,
        closed_by=actor.label,
    )
    tally = Tally()
    count = 0
    for rows in _batches(_lines(settlement, Books(centre=centre, carrier=carrier), tally)):
        for row in rows:
            count += 1
            row.position = count
        SettlementLine.objects.bulk_create(rows)
    if count == 0 and not waiting:
        raise Refused("nothing_to_settle", "本期没有属于本中心的账单明细，无需结算。")
    _sum_up(settlement, count)
    post(subject=f"settled:{settlement.pk}", words=f"结算 {settlement.number}", moves=tally.moves(), now=now)
    events.record(
        kind="settlement.closed",
        actor=actor,
        subject=settlement,
        now=now,
        data={
            "number": settlement.number,
            "month": month,
            "carrier": carrier.code,
            "centre": centre.pk,
            "payable_fen": settlement.payable_fen,
            "lines": count,
        },
    )
    return settlement


def _lines(settlement: Settlement, books: Books, tally: Tally) -> Iterator[SettlementLine]:
    for part in _parts(settlement):
        tally.add(
            *books.billed(
                expected_fen=part.expected_fen,
                billed_fen=part.billed_fen + part.released_fen,
                withheld_fen=part.withheld_fen,
            ),
            *books.credited(part.credited_fen),
        )
        yield _row(settlement, part)
    for held, amount in _releases(settlement):
        tally.add(*books.accepted(amount))
        yield _release_row(settlement, held, amount)


def _parts(settlement: Settlement) -> Iterator[Part]:
    """This centre's part of every reconciled line up to the month that it has not settled yet."""
    centre, carrier = settlement.centre, settlement.carrier
    taken: set[int] = set()
    shared = Charge.objects.standing().filter(shares__centre=centre, waybill__carrier=carrier)
    done = SettlementLine.objects.filter(
        statement_line=OuterRef("pk"), centre=centre, kind=SettlementLine.Kind.BILLED
    )
    lines = (
        StatementLine.objects.filter(
            Q(statement__centre=centre)
            | Q(statement__centre__isnull=True)
            | Q(waybill_number__in=shared.values("waybill__number")),
            statement__carrier=carrier,
            statement__month__lte=settlement.month,
            statement__state=StatementState.RECONCILED,
        )
        .exclude(Exists(done))
        .select_related("account", "statement")
        .order_by("statement__month", "statement__sha256", "row")
    )
    for chunk in _batches(lines.iterator(chunk_size=_CHUNK)):
        charges = _charges(chunk, carrier)
        discrepancies = _discrepancies(chunk)
        settled = _settled_charges(charges.values(), centre)
        for line in chunk:
            charge = charges.get(line.waybill_number)
            for part in _split(line, charge, discrepancies.get(line.pk, []), settlement):
                if part.charge is not None and part.charge.pk in settled | taken:
                    part.expected_fen = 0
                yield part
            if charge is not None and line.amount_fen > 0:
                taken.add(charge.pk)


def _split(
    line: StatementLine, charge: Charge | None, found: list[Discrepancy], settlement: Settlement
) -> Iterator[Part]:
    """What of a line falls on this centre: its shares, or all of it when its account was billed without cause."""
    centre_id = settlement.centre_id
    stakes = [one.stake_fen for one in found if one.state in WITHHELD]
    credited = [one.stake_fen for one in found if one.state == S.CREDITED]
    withheld = stake_of(line.amount_fen, stakes)
    released = sum(one.stake_fen for one in line.credits.all()) if line.amount_fen < 0 else 0
    whole = Part(
        line=line,
        charge=None,
        share=None,
        billed_fen=line.amount_fen,
        withheld_fen=withheld,
        credited_fen=min(withheld, sum(credited)),
        released_fen=min(released, -line.amount_fen) if released else 0,
        expected_fen=0,
        codes=[one.code for one in found if one.state != S.CLEARED],
    )
    shares = list(charge.shares.all()) if charge is not None else []
    billed_centre = line.account.centre_id if line.account is not None else line.statement.centre_id
    if not shares or (line.account is not None and billed_centre not in {one.centre_id for one in shares}):
        if billed_centre == centre_id:
            yield whole
        return
    weights = [1] * len(shares)
    columns = [
        split_by(amount, weights)
        for amount in (whole.billed_fen, whole.withheld_fen, whole.credited_fen, whole.released_fen)
    ]
    for share, billed, held, given, back in zip(shares, *columns, strict=True):
        if share.centre_id == centre_id:
            expected = share.amount_fen if line.amount_fen > 0 else 0
            yield Part(line, charge, share, billed, held, given, back, expected, whole.codes)


def _releases(settlement: Settlement) -> Iterator[tuple[SettlementLine, int]]:
    """Held-back amounts of earlier settlements whose differences were accepted since."""
    held = (
        SettlementLine.objects.filter(
            settlement__centre=settlement.centre,
            settlement__carrier=settlement.carrier,
            kind=SettlementLine.Kind.BILLED,
            withheld_fen__gt=0,
            statement_line__discrepancies__state=S.ACCEPTED.value,
        )
        .exclude(settlement=settlement)
        .select_related("statement_line")
        .distinct()
    )
    for line in held:
        if line.statement_line is None:
            continue
        found = line.statement_line.discrepancies.filter(state__in=WITHHELD)
        whole = line.statement_line.amount_fen
        still = stake_of(whole, found.values_list("stake_fen", flat=True))
        # This line's part of what is still held back of the whole billed line.
        part = still * line.billed_fen // whole if whole else 0
        before = SettlementLine.objects.filter(
            kind=SettlementLine.Kind.ACCEPTED,
            statement_line=line.statement_line,
            centre=line.centre,
            office=line.office,
        ).aggregate(total=Sum("released_fen"))["total"]
        amount = line.withheld_fen - (before or 0) - part
        if amount > 0:
            yield line, amount


def _row(settlement: Settlement, part: Part) -> SettlementLine:
    charge, office = part.charge, part.share.office if part.share else None
    return SettlementLine(
        settlement=settlement,
        kind=SettlementLine.Kind.BILLED,
        centre=settlement.centre,
        statement_line=part.line,
        charge=charge,
        office=office,
        office_name=office.name if office else "",
        case_number=charge.case.number if charge else "",
        item_name=charge.case.item.name if charge else "",
        waybill_number=part.line.waybill_number,
        leg=charge.leg if charge else "",
        mode=charge.mode if charge else "",
        term=charge.term if charge else "",
        expected_fen=part.expected_fen,
        billed_fen=part.billed_fen,
        withheld_fen=part.withheld_fen,
        released_fen=part.released_fen,
        payable_fen=part.billed_fen - part.withheld_fen + part.released_fen,
        words=charge.words if charge else "",
    )


def _release_row(settlement: Settlement, held: SettlementLine, amount: int) -> SettlementLine:
    return SettlementLine(
        settlement=settlement,
        kind=SettlementLine.Kind.ACCEPTED,
        centre=settlement.centre,
        statement_line=held.statement_line,
        charge=held.charge,
        office=held.office,
        office_name=held.office_name,
        case_number=held.case_number,
        item_name=held.item_name,
        waybill_number=held.waybill_number,
        leg=held.leg,
        mode=held.mode,
        term=held.term,
        expected_fen=0,
        billed_fen=0,
        withheld_fen=0,
        released_fen=amount,
        payable_fen=amount,
        words="往期暂扣的差异已认可",
    )


def _charges(lines: Iterable[StatementLine], carrier: Carrier) -> dict[str, Charge]:
    numbers = {line.waybill_number for line in lines if line.waybill_number}
    found = (
        Charge.objects.standing()
        .filter(waybill__carrier=carrier, waybill__number__in=numbers)
        .select_related("case__item", "waybill")
        .prefetch_related("shares__office")
    )
    return {charge.waybill.number: charge for charge in found}


def _discrepancies(lines: Iterable[StatementLine]) -> dict[int, list[Discrepancy]]:
    found: dict[int, list[Discrepancy]] = {}
    for one in Discrepancy.objects.filter(line__in=[line.pk for line in lines]):
        found.setdefault(one.line_id or 0, []).append(one)
    return found


def _settled_charges(charges: Iterable[Charge], centre: ServiceCentre) -> set[int]:
    """Charges whose accrual an earlier settlement has already used up."""
    rows = SettlementLine.objects.filter(
        charge__in=[charge.pk for charge in charges], centre=centre, expected_fen__gt=0
    )
    return set(rows.values_list("charge_id", flat=True))


def _sum_up(settlement: Settlement, count: int) -> None:
    totals = settlement.lines.aggregate(
        billed=Sum("billed_fen"),
        withheld=Sum("withheld_fen"),
        released=Sum("released_fen"),
        due=Sum("payable_fen"),
    )
    settlement.line_count = count
    settlement.billed_fen = totals["billed"] or 0
    settlement.withheld_fen = totals["withheld"] or 0
    settlement.released_fen = totals["released"] or 0
    settlement.payable_fen = totals["due"] or 0
    settlement.frozen = True
    settlement.save()


def _number(centre: ServiceCentre, month: str) -> str:
    year = month[:4]
    return f"JS-{centre.region_id}-{year}-{NumberSequence.take(f'settlement:{centre.pk}:{year}'):05d}"


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _CHUNK)):
        yield batch
