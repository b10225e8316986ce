"""What couriers bill: lines for what they really carried, some of them wrong on purpose, and what they give back."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from random import Random

from logistics.models import Charge
from logistics.rules.checks import Code
from logistics.rules.payers import PaymentTerm

HEADER = "收寄日期,邮件号,重量(克),合计费用,收款情况,大客户"
TERMS = {
    PaymentTerm.COLLECT.value: "收件人集中付费",
    PaymentTerm.SENDER_MONTHLY.value: "寄付月结",
    PaymentTerm.SENDER_CASH.value: "寄付现结",
}
TOO_MUCH_FEN, TOO_HEAVY_G = 500, 3000
WRONG = 0.15
"""Share of the lines with which something is wrong."""


@dataclass(frozen=True)
class Planted:
    """A line that is wrong on purpose; `stake_fen` is what it asks too much, where that is known."""

    row: int
    code: Code
    stake_fen: int | None = None


@dataclass(frozen=True)
class Bill:
    """A statement as the courier writes it, what is wrong with it, and the waybills that it bills."""

    content: bytes
    planted: tuple[Planted, ...]
    numbers: frozenset[str]
    given_back: frozenset[int]

    @property
    def sha256(self) -> str:
        """As the statement's row will name the file."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Bills:
    """The couriers' own books. `given_back`: keys of our differences that were credited; `sent` by digest."""

    billed: set[str] = field(default_factory=set)
    given_back: set[int] = field(default_factory=set)
    sent: dict[str, Bill] = field(default_factory=dict)

    def send(self, bill: Bill) -> None:
        """It is out. One that is sent a second time is the same bill."""
        self.sent[bill.sha256] = bill

    def note(self, bill: Bill) -> None:
        """It was taken; what stands on it is not billed again. Until then, the courier does not know."""
        self.billed |= bill.numbers
        self.given_back |= bill.given_back


@dataclass
class _Sheet:
    dice: Random
    account: str
    rows: list[str] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)

    def add(self, day: date, number: str, grams: int, fen: int, term: str) -> int:
        """The number of its row in the file; the header is row 1."""
        sign, yuan = "-" * (fen < 0), f"{abs(fen) // 100}.{abs(fen) % 100:02d}"
        self.rows.append(f"{day:%Y-%m-%d},{number},{grams},{sign}{yuan},{TERMS[term]},{self.account}")
        return len(self.rows) + 1

    def plant(self, row: int, code: Code, stake_fen: int | None = None) -> None:
        self.planted.append(Planted(row, code, stake_fen))


def write_bill(
    charges: Iterable[Charge],
    back: Iterable[tuple[int, str, int, str]],
    *,
    account: str,
    day: date,
    dice: Random,
) -> Bill:
    """A bill for those parcels at the contract's prices, but for what is wrong; `back`: key of the difference,
    waybill number, fen and term.
    """
    sheet = _Sheet(dice, account)
    numbers, given_back = set(), set()
    for charge in charges:
        numbers.add(charge.waybill.number)
        _bill_one(sheet, charge, day)
    for key, number, fen, term in back:
        given_back.add(key)
        sheet.add(day, number, 0, -fen, term)
    if dice.random() < WRONG and numbers:
        row = sheet.add(day, f"99{dice.randrange(10**11):011d}", 300, 1200, PaymentTerm.COLLECT.value)
        sheet.plant(row, Code.UNKNOWN_WAYBILL, 1200)
    content = ("\n".join([HEADER, *sheet.rows]) + "\n").encode("gbk")
    return Bill(content, tuple(sheet.planted), frozenset(numbers), frozenset(given_back))


def _bill_one(sheet: _Sheet, charge: Charge, day: date) -> None:
    number, term, fen = charge.waybill.number, charge.waybill.term, charge.amount_fen
    grams = charge.charged_weight_g or 0
    wrong = sheet.dice.random() / WRONG if fen else 1.0
    if wrong < 0.4:
        row = sheet.add(day, number, grams, fen + TOO_MUCH_FEN, term)
        sheet.plant(row, Code.WRONG_AMOUNT, TOO_MUCH_FEN)
    elif wrong < 0.7:
        # The weight is wrong and the price is right for the right one: nothing is lost, and it is noticed.
        sheet.plant(sheet.add(day, number, grams + TOO_HEAVY_G, fen, term), Code.OVERWEIGHT)
    elif wrong < 1:
        sheet.add(day, number, grams, fen, term)
        sheet.plant(sheet.add(day, number, grams, fen, term), Code.BILLED_BEFORE, fen)
    else:
        sheet.add(day, number, grams, fen, term)
