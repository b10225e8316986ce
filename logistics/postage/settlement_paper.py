"""A frozen settlement as the words of its paper: by office, by leg, and line by line while that stays readable."""

from collections.abc import Iterable

from django.db.models import Count, Sum

from logistics.models import Settlement, SettlementLine
from logistics.rules.money import yuan
from logistics.rules.payers import Leg
from registry.paper.slips import BilledLine, LegAmount, OfficeAmount
from registry.paper.slips import Settlement as SettlementPaper
from registry.time import local_day

LONGEST_APPENDIX = 3000
"""Lines; a longer month refers to its workbook, which holds every one."""
UNMATCHED = "未能对应"


def settlement_paper(settlement: Settlement) -> SettlementPaper:
    """What the paper says. Its sums are those of the frozen lines, and the model refuses any that do not add up."""
    lines = settlement.lines.select_related("statement_line__statement").order_by("position")
    brief = settlement.line_count > LONGEST_APPENDIX
    return SettlementPaper(
        issuer=settlement.centre.name,
        centre=settlement.centre.name,
        carrier=settlement.carrier.name,
        month=settlement.month,
        offices=tuple(_by_office(settlement)),
        legs=tuple(_by_leg(settlement)),
        lines=() if brief else tuple(_line(line, settlement) for line in lines),
        total=settlement.payable_fen,
        remarks=tuple(_remarks(settlement, brief=brief)),
        prepared_by=settlement.prepared_by,
        approved_by=settlement.closed_by,
    )


def _by_office(settlement: Settlement) -> Iterable[OfficeAmount]:
    rows = settlement.lines.values("office_name").annotate(
        parcels=Count("waybill_number", distinct=True),
        billed=Sum("billed_fen"),
        disputed=Sum("withheld_fen"),
        corrections=Sum("released_fen"),
        payable=Sum("payable_fen"),
    )
    for row in rows.order_by("office_name"):
        yield OfficeAmount(
            office=row["office_name"] or UNMATCHED,
            parcels=row["parcels"],
            billed=row["billed"],
            disputed=row["disputed"],
            corrections=row["corrections"],
            payable=row["payable"],
        )


def _by_leg(settlement: Settlement) -> Iterable[LegAmount]:
    rows = settlement.lines.values("leg").annotate(
        parcels=Count("waybill_number", distinct=True), payable=Sum("payable_fen")
    )
    for row in rows.order_by("leg"):
        label = Leg(row["leg"]).label if row["leg"] else UNMATCHED
        yield LegAmount(leg=label, parcels=row["parcels"], payable=row["payable"])


def _line(line: SettlementLine, settlement: Settlement) -> BilledLine:
    billed = line.statement_line
    posted_on = billed.posted_on if billed else None
    return BilledLine(
        day=posted_on or local_day(settlement.closed_at),
        waybill=line.waybill_number,
        case_number=line.case_number,
        office=line.office_name or UNMATCHED,
        leg=Leg(line.leg).label if line.leg else UNMATCHED,
        weight=(billed.weight_g if billed else None) or 0,
        amount=line.payable_fen,
    )


def _remarks(settlement: Settlement, *, brief: bool) -> Iterable[str]:
    yield f"本单对应结算编号 {settlement.number}，以所附明细表（XLSX）为准，结算后不再更改，更正计入下月。"
    if settlement.withheld_fen:
        yield f"争议金额 {yuan(settlement.withheld_fen)} 元暂扣，待承运商答复后计入以后月份。"
    if settlement.accrued_count:
        yield f"已妥投尚未计费 {settlement.accrued_count} 件，预计 {yuan(settlement.accrued_fen)} 元，不在本单应付之内。"
    if brief:
        yield f"本月共 {settlement.line_count} 行，逐件明细见明细表。"
