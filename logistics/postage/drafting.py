"""What a month's settlement consists of, line by line: read from the books, nothing is written here."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeVar

from django.db.models import Exists, OuterRef, Q, Sum

from logistics.models import (
    Carrier,
    Charge,
    ChargeShare,
    Discrepancy,
    Settlement,
    SettlementLine,
    StatementLine,
    StatementState,
)
from logistics.postage.reconciling import accruals
from logistics.rules.checks import stake_of
from logistics.rules.disputes import WITHHELD, DiscrepancyState
from logistics.rules.money import split_by
from registry.models import ServiceCentre

_CHUNK = 500
_SHOWN = 200
_SIGNED = (
    "kind",
    "statement_line_id",
    "charge_id",
    "office_id",
    "waybill_number",
    "expected_fen",
    "billed_fen",
    "withheld_fen",
    "released_fen",
    "payable_fen",
)
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


class Drawn(NamedTuple):
    """A line of the settlement, and what of it the carrier has credited already. `accepted`: a late release."""

    row: SettlementLine
    credited_fen: int
    accepted: bool


@dataclass
class OfficeSum:
    """What one office's lines come to, in fen."""

    name: str
    count: int = 0
    billed_fen: int = 0
    withheld_fen: int = 0
    released_fen: int = 0
    payable_fen: int = 0


@dataclass
class Draft:
    """A month as it would be settled now. `digest` names exactly these lines; `first` shows the beginning."""

    count: int = 0
    billed_fen: int = 0
    withheld_fen: int = 0
    released_fen: int = 0
    payable_fen: int = 0
    accrued_count: int = 0
    accrued_fen: int = 0
    offices: dict[str, OfficeSum] = field(default_factory=dict)
    first: list[SettlementLine] = field(default_factory=list)
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def add(self, row: SettlementLine) -> None:
        office = self.offices.setdefault(row.office_name, OfficeSum(row.office_name))
        self.count += 1
        office.count += 1
        for name in ("billed_fen", "withheld_fen", "released_fen", "payable_fen"):
            amount = getattr(row, name)
            setattr(self, name, getattr(self, name) + amount)
            setattr(office, name, getattr(office, name) + amount)
        if self.count <= _SHOWN:
            row.position = self.count
            self.first.append(row)
        self._hash.update(repr([getattr(row, name) for name in _SIGNED]).encode())

    def accrue(self, charges: Iterable[Charge], centre: ServiceCentre) -> None:
        """Note what was delivered but not billed; the centre's own shares of it."""
        waiting = [charge.pk for charge in charges]
        own = ChargeShare.objects.filter(charge__in=waiting, centre=centre).aggregate(total=Sum("amount_fen"))
        self.accrued_count, self.accrued_fen = len(waiting), own["total"] or 0
        self._hash.update(repr([self.accrued_count, self.accrued_fen]).encode())


def draft_month(*, centre: ServiceCentre, carrier: Carrier, month: str) -> Draft:
    """The month as it stands now, without keeping anything."""
    unsaved = Settlement(centre=centre, carrier=carrier, month=month)
    draft = Draft()
    for drawn in draw_lines(unsaved):
        draft.add(drawn.row)
    draft.accrue(accruals(centre=centre, carrier_id=carrier.pk, month=month), centre)
    return draft


def draw_lines(settlement: Settlement) -> Iterator[Drawn]:
    """Every line of the month that is not settled yet, then what is released of earlier months."""
    for part in _parts(settlement):
        yield Drawn(_row(settlement, part), part.credited_fen, accepted=False)
    for held, amount in _releases(settlement):
        yield Drawn(_release_row(settlement, held, amount), 0, accepted=True)


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
    for chunk in batches(lines.iterator(chunk_size=_CHUNK)):
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
        .exclude(settlement_id=settlement.pk)
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


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """In lists of a size that one query can take."""
    iterator = iter(items)
    while batch := list(islice(iterator, _CHUNK)):
        yield batch
