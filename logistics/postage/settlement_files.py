"""A settlement as a workbook with live formulas, and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Sum

from logistics.models import Charge, Discrepancy, Settlement, SettlementLine
from logistics.postage.reconciling import accruals
from logistics.rules.checks import Code
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.payers import Leg, PaymentTerm
from registry.sheets.workbooks import Formula, Money, Sheet, make_workbook
from registry.terms import Mode
from registry.time import to_the_minute
from storage.models import Kind, StoredObject
from storage.services import store_bytes

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NO_OFFICE = "未能对应部门"
_LINE_HEADER = (
    "序号",
    "种类",
    "运单号",
    "办件编号",
    "事项",
    "审批部门",
    "寄件类型",
    "办理模式",
    "付款方式",
    "应计（元）",
    "账单（元）",
    "暂扣（元）",
    "往期调整（元）",
    "应付（元）",
    "依据",
)
_DIFFERENCE_HEADER = ("运单号", "行号", "差异", "我方数据", "账单数据", "涉及金额（元）", "状态", "处理理由")


@dataclass(frozen=True)
class Group:
    """What lines are summed by: the column of 明细 that names it, and the words where a line has none."""

    field: str
    title: str
    column: str
    none: str


OFFICE = Group("office_name", "审批部门", "F", NO_OFFICE)
ITEM = Group("item_name", "事项", "E", "未能对应事项")
CASE = Group("case_number", "办件编号", "D", "未能对应办件")
_SUMMED = ("K", "L", "M", "N")


def keep_workbook(*, settlement: Settlement, now: datetime) -> StoredObject:
    """Make and store the XLSX of a frozen settlement, once; whoever asks again gets the stored one."""
    if settlement.workbook is not None:
        return settlement.workbook
    content = settlement_workbook(settlement)
    stored = store_bytes(content=content, kind=Kind.SETTLEMENT, media_type=XLSX, now=now)
    Settlement.objects.filter(pk=settlement.pk, workbook__isnull=True).update(workbook=stored)
    return stored


def settlement_workbook(settlement: Settlement) -> bytes:
    """Sheets 汇总, 按事项, 按办件, 明细 and 差异. Totals are formulas over 明细, so that whoever checks can follow them."""
    return make_workbook(
        [
            Sheet("汇总", _summary(settlement), widths=(28, 12, 16, 16, 16, 16, 16)),
            Sheet("按事项", _grouped(settlement, ITEM), widths=(44, 12, 16, 16, 16, 16)),
            Sheet("按办件", _grouped(settlement, CASE), widths=(28, 12, 16, 16, 16, 16)),
            Sheet(
                "明细",
                _details(settlement),
                widths=(8, 14, 18, 22, 30, 26, 16, 12, 12, 12, 12, 12, 14, 12, 60),
            ),
            Sheet("差异", _differences(settlement), widths=(18, 8, 16, 32, 32, 16, 14, 40)),
        ],
        made_at=settlement.closed_at,
    )


def settlement_json(settlement: Settlement) -> dict[str, Any]:
    """The same for programs; money in fen."""
    return {
        "number": settlement.number,
        "centre": settlement.centre.name,
        "carrier": settlement.carrier.code,
        "month": settlement.month,
        "closed_at": settlement.closed_at.isoformat(),
        "totals_fen": {
            "billed": settlement.billed_fen,
            "withheld": settlement.withheld_fen,
            "released": settlement.released_fen,
            "payable": settlement.payable_fen,
            "accrued": settlement.accrued_fen,
        },
        "by_office": totals_by(settlement, OFFICE),
        "by_item": totals_by(settlement, ITEM),
        "by_case": totals_by(settlement, CASE),
        "lines": [
            {
                "position": line.position,
                "kind": line.kind,
                "waybill": line.waybill_number,
                "case": line.case_number,
                "item": line.item_name,
                "office": line.office_name,
                "leg": line.leg,
                "mode": line.mode,
                "term": line.term,
                "expected_fen": line.expected_fen,
                "billed_fen": line.billed_fen,
                "withheld_fen": line.withheld_fen,
                "released_fen": line.released_fen,
                "payable_fen": line.payable_fen,
                "words": line.words,
            }
            for line in settlement.lines.iterator(chunk_size=2000)
        ],
        "discrepancies": [
            {
                "waybill": one.waybill_number,
                "row": one.row,
                "code": one.code,
                "ours": one.ours,
                "theirs": one.theirs,
                "stake_fen": one.stake_fen,
                "state": one.state,
            }
            for one in differences_of(settlement)
        ],
    }


def totals_by(settlement: Settlement, group: Group) -> list[dict[str, Any]]:
    """Totals of each group in fen: name, count, expected, billed, withheld, released, payable."""
    rows = settlement.lines.values(name=F(group.field)).annotate(
        count=Count("pk"),
        expected=Sum("expected_fen"),
        billed=Sum("billed_fen"),
        withheld=Sum("withheld_fen"),
        released=Sum("released_fen"),
        payable=Sum("payable_fen"),
    )
    return [dict(row) for row in rows.order_by("name")]


def differences_of(settlement: Settlement) -> list[Discrepancy]:
    """The differences of the lines that it settles, and those of whole statements of its month."""
    lines = SettlementLine.objects.filter(settlement=settlement).values("statement_line")
    of_lines = Discrepancy.objects.filter(line__in=lines)
    of_totals = Discrepancy.objects.filter(
        line__isnull=True,
        statement__carrier=settlement.carrier,
        statement__centre=settlement.centre,
        statement__month=settlement.month,
    )
    found = (of_lines | of_totals).exclude(state=DiscrepancyState.CLEARED.value)
    return list(found.order_by("statement__month", "statement__sha256", "row", "code"))


def _summary(settlement: Settlement) -> Iterator[tuple[object, ...]]:
    yield (f"{settlement.centre.name} 邮资结算单",)
    yield ("结算单号", settlement.number)
    yield ("承运商", settlement.carrier.name)
    yield ("账期", settlement.month)
    yield ("编制", settlement.prepared_by)
    yield ("复核", settlement.closed_by)
    yield ("结算时间", to_the_minute(settlement.closed_at))
    yield ()
    yield from _grouped(settlement, OFFICE, first_row=9)
    yield ()
    yield ("已妥投未计费（件）", settlement.accrued_count)
    yield ("已妥投未计费（元）", Money(settlement.accrued_fen))


def _grouped(settlement: Settlement, group: Group, *, first_row: int = 1) -> Iterator[tuple[object, ...]]:
    """A header in `first_row`, a row of live sums for each group, and the total of them all."""
    last = settlement.line_count + 1
    names = f"明细!{group.column}2:{group.column}{last}"

    def total(column: str) -> Formula:
        return Formula(f"=SUM(明细!{column}2:{column}{last})", money=True)

    yield (group.title, "件数", "账单（元）", "暂扣（元）", "往期调整（元）", "应付（元）")
    for number, row in enumerate(totals_by(settlement, group), start=first_row + 1):
        own = (f"=SUMIF({names},A{number},明细!{column}2:{column}{last})" for column in _SUMMED)
        yield (
            row["name"] or group.none,
            Formula(f"=COUNTIF({names},A{number})"),
            *(Formula(text, money=True) for text in own),
        )
    yield ("合计", Formula(f"=COUNTA(明细!A2:A{last})"), *(total(column) for column in _SUMMED))


def _details(settlement: Settlement) -> Iterator[tuple[object, ...]]:
    yield _LINE_HEADER
    for line in settlement.lines.order_by("position").iterator(chunk_size=2000):
        yield (
            line.position,
            SettlementLine.Kind(line.kind).label,
            line.waybill_number,
            # An empty criterion matches nothing in SUMIF.
            line.case_number or CASE.none,
            line.item_name or ITEM.none,
            line.office_name or OFFICE.none,
            Leg(line.leg).label if line.leg else "",
            Mode(line.mode).label if line.mode else "",
            PaymentTerm(line.term).label if line.term else "",
            Money(line.expected_fen),
            Money(line.billed_fen),
            Money(line.withheld_fen),
            Money(line.released_fen),
            Money(line.payable_fen),
            line.words,
        )


def _differences(settlement: Settlement) -> Iterator[tuple[object, ...]]:
    found = differences_of(settlement)
    yield _DIFFERENCE_HEADER
    for one in found:
        yield (
            one.waybill_number,
            one.row,
            Code(one.code).label,
            one.ours,
            one.theirs,
            Money(one.stake_fen),
            DiscrepancyState(one.state).label,
            one.reason,
        )
    yield (
        "合计",
        "",
        "",
        "",
        "",
        Formula(f"=SUM(F2:F{max(len(found) + 1, 2)})" if found else "=0", money=True),
    )
    waiting = accruals(centre=settlement.centre, carrier_id=settlement.carrier_id, month=settlement.month)
    if waiting:
        yield ()
        yield ("已妥投未计费：运单号", "", "办件编号", "审批部门", "", "应计（元）")
        yield from (_accrual(charge) for charge in waiting)


def _accrual(charge: Charge) -> tuple[object, ...]:
    office = charge.office.name if charge.office else ""
    return (charge.waybill.number, "", charge.case.number, office, "", Money(charge.amount_fen))
