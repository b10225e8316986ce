"""A courier's monthly statement with known faults, made from real waybills for the demonstration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from logistics.models import Waybill
from logistics.postage.facts import FactFinder
from logistics.rules.checks import WHOLE, Code, Facts
from logistics.rules.money import yuan, yuan_decimal
from logistics.rules.payers import PaymentTerm
from registry.time import local_day

FIVE_FAULTS = (Code.UNKNOWN_WAYBILL, Code.BILLED_BEFORE, Code.OVERWEIGHT, Code.WRONG_AMOUNT, Code.WRONG_TERM)
HEADER = (
    "收寄日期", "邮件号", "寄达地", "类", "重量(克)", "邮资", "其他费", "合计费用", "产品", "件数", "大客户", "收款情况",
)  # fmt: skip
TERMS: Mapping[str, str] = {
    PaymentTerm.COLLECT: "收件人集中付费",
    PaymentTerm.SENDER_MONTHLY: "寄付月结",
    PaymentTerm.SENDER_CASH: "寄付现结",
}
STRANGER = "1099999999901"
STRANGERS_FEN = 1850
TOO_MUCH_FEN = 300
WIDTHS = (14, 20, 12, 8, 12, 10, 10, 12, 14, 8, 20, 20)


@dataclass(frozen=True)
class Planted:
    """A fault that stands in the statement: what must be found, where, and what it is worth."""

    code: str
    waybill: str
    row: int
    stake_fen: int


@dataclass(frozen=True)
class _Line:
    waybill: str
    posted_on: date
    destination: str
    weight_g: int
    amount_fen: int
    other_fen: int
    account: str
    term: str


def make_statement(
    path: Path, waybills: Sequence[Waybill], *, faults: Sequence[Code] = FIVE_FAULTS
) -> list[Planted]:
    """Write an EMS-like XLSX that bills every waybill once, with `faults` spread over the lines.

    The waybills are charged, delivered and of one carrier. Codes that can be planted: those of FIVE_FAULTS.
    """
    known = FactFinder(waybills[0].carrier).facts(waybill.number for waybill in waybills)
    lines = [_right_line(waybill, known[waybill.number]) for waybill in waybills]
    planted: list[tuple[Code, int, int]] = []
    on_lines = [code for code in faults if code not in {Code.UNKNOWN_WAYBILL, Code.BILLED_BEFORE}]
    for index, code in enumerate(on_lines):
        at = index % len(lines)
        lines[at], stake = _spoil(lines[at], known[lines[at].waybill], code)
        planted.append((code, at, stake))
    # A wrong term puts the whole line at stake, so it is reckoned once the line is final.
    planted = [
        (code, at, lines[at].amount_fen if code == Code.WRONG_TERM else stake) for code, at, stake in planted
    ]
    if Code.BILLED_BEFORE in faults:
        lines.append(lines[0])
        planted.append((Code.BILLED_BEFORE, len(lines) - 1, lines[0].amount_fen))
    if Code.UNKNOWN_WAYBILL in faults:
        stranger = replace(lines[0], waybill=STRANGER, amount_fen=STRANGERS_FEN, other_fen=0)
        lines.append(stranger)
        planted.append((Code.UNKNOWN_WAYBILL, len(lines) - 1, STRANGERS_FEN))
    first_row = _write(path, lines)
    return [Planted(code.value, lines[at].waybill, first_row + at, stake) for code, at, stake in planted]


def _right_line(waybill: Waybill, facts: Facts) -> _Line:
    if facts.price is None or facts.charged_weight_g is None:
        raise ValueError(f"waybill {waybill.pk} has no expected charge")
    price = facts.price(facts.charged_weight_g)
    return _Line(
        waybill=waybill.number,
        posted_on=local_day(waybill.parcel.handed_over_at or waybill.requested_at),
        destination="浙江省",
        weight_g=facts.charged_weight_g,
        amount_fen=price[WHOLE],
        other_fen=price[WHOLE] - price["freight"],
        account=waybill.account.number,
        term=waybill.term,
    )


def _spoil(line: _Line, facts: Facts, code: Code) -> tuple[_Line, int]:
    """The line with one more fault, and what that fault alone is worth in fen."""
    if facts.price is None or facts.charged_weight_g is None:
        raise ValueError(f"nothing known of {code}")
    if code == Code.OVERWEIGHT:
        weight = facts.charged_weight_g
        right = facts.price(weight)[WHOLE]
        # Heavy enough that the contract charges more for it.
        while facts.price(weight)[WHOLE] == right or weight <= facts.charged_weight_g + facts.tolerance_g:
            weight += 500
        excess = facts.price(weight)[WHOLE] - right
        return replace(line, weight_g=weight, amount_fen=line.amount_fen + excess), excess
    if code == Code.WRONG_AMOUNT:
        return replace(line, amount_fen=line.amount_fen + TOO_MUCH_FEN), TOO_MUCH_FEN
    if code == Code.WRONG_TERM:
        other = PaymentTerm.SENDER_MONTHLY if line.term == PaymentTerm.COLLECT.value else PaymentTerm.COLLECT
        return replace(line, term=other.value), 0
    raise ValueError(f"cannot plant {code}")


def _write(path: Path, lines: Sequence[_Line]) -> int:
    """Title, header, lines, totals, as a courier prints them. Answers the row of the first line."""
    book = Workbook()
    page = book.active
    if page is None:
        raise RuntimeError("a new workbook has a sheet")
    page.title = "明细"
    page.append([f"协议客户邮资明细表（{lines[0].posted_on:%Y年%m月}）"])
    page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADER))
    page["A1"].font = Font(bold=True, size=14)
    page["A1"].alignment = Alignment(horizontal="center")
    page.append(list(HEADER))
    for cell in page[2]:
        cell.font = Font(bold=True)
    for line in lines:
        page.append(
            [
                line.posted_on,
                line.waybill,
                line.destination,
                "特快",
                line.weight_g,
                yuan_decimal(line.amount_fen - line.other_fen),
                yuan_decimal(line.other_fen),
                yuan_decimal(line.amount_fen),
                "特快专递",
                1,
                line.account,
                TERMS[line.term],
            ]
        )
    total = sum(line.amount_fen for line in lines)
    page.append(["合计", "", "", "", "", "", "", yuan(total), "", len(lines)])
    for letter, width in zip("ABCDEFGHIJKL", WIDTHS, strict=True):
        page.column_dimensions[letter].width = width
    book.save(path)
    return 3
