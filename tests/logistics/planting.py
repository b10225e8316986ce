"""Months of parcels, tariffs and statements with faults of every kind at known places, grown from one seed."""

import csv
import io
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from openpyxl import Workbook

from logistics.models import Charge
from logistics.postage.services import add_tariff, end_tariff
from logistics.rules.checks import Code
from logistics.rules.money import fen_of, yuan
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.rules.payers import Leg, PaymentTerm
from logistics.rules.tariffs import Tariff
from registry.actors import SYSTEM
from tests.cast import NOW
from tests.logistics.postage_world import ACCOUNT, PostageWorld, open_account, tariff_of
from tests.logistics.sheet_makers import xls

MONTHS = ("2026-02", "2026-03", "2026-04")
DEARER_FROM = date(2026, 4, 1)
HEADER = (
    "收寄日期",
    "邮件号",
    "寄达地",
    "重量(克)",
    "邮资",
    "其他费",
    "合计费用",
    "收款情况",
    "大客户",
    "币种",
    "版本号",
)
WAYBILL, AMOUNT = 1, 6
OTHER_ACCOUNT = "90000009999999"
Row = tuple[str, ...]
Planted = tuple[str, str, int]
"""Code, waybill, fen at stake."""


@dataclass
class Month:
    """What a month's statement will hold, and what must be found in it."""

    name: str
    rows: list[Row] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)

    @property
    def handed_over(self) -> datetime:
        year, month = (int(part) for part in self.name.split("-"))
        return datetime(year, month, 10, 2, tzinfo=UTC)

    @property
    def total_fen(self) -> int:
        return sum(fen_of(row[AMOUNT]) for row in self.rows)


class Planter:
    """Makes parcels and statement rows with a known fault each, and remembers what must be found where."""

    def __init__(self, world: PostageWorld, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.months = [Month(name) for name in MONTHS]
        self._at = 0
        open_account(world.cast.wenling.centre, world.carrier, OTHER_ACCOUNT)
        end_tariff(contract=world.contract, on=DEARER_FROM, actor=SYSTEM, now=NOW)
        add_tariff(tariff=_dearer(tariff_of(world.cast.taizhou.centre)), actor=SYSTEM, now=NOW)

    def grow(self, *, each: int) -> list[Month]:
        """`each` faults of every code in every month, among as many lines that are right, in any order."""
        for at in range(len(self.months)):
            self._at = at
            for code in [code for code in Code for _ in range(each)]:
                self.good()
                getattr(self, f"_{code.value}")()
        for at, month in enumerate(self.months):
            self._at = at
            self.chance.shuffle(month.rows)
            stated = self.chance.choice([-7, 1, 10_000])
            self._expect(Code.ARITHMETIC, "", max(0, stated))
            month.rows.append(("合计", *[""] * (AMOUNT - 1), yuan(month.total_fen + stated), *[""] * 4))
        return self.months

    @property
    def month(self) -> Month:
        return self.months[self._at]

    def good(self) -> None:
        """A right line for a delivered parcel of any weight and direction."""
        weight = self.chance.randrange(50, 6000)
        inbound = self.chance.random() < 0.6
        charge = self._charged(
            leg=Leg.MATERIALS if inbound else Leg.RESULT,
            weight_g=weight,
            term=PaymentTerm.COLLECT if inbound else PaymentTerm.SENDER_MONTHLY,
        )
        printed = self.chance.randrange(weight, (charge.charged_weight_g or 0) + 51)
        self._bill(charge, weight_g=printed, term="收件人集中付费" if inbound else "寄付月结")

    def _charged(
        self,
        *,
        leg: Leg = Leg.MATERIALS,
        weight_g: int = 320,
        term: PaymentTerm = PaymentTerm.COLLECT,
        state: ParcelState = ParcelState.DELIVERED,
        arrived_after: timedelta | None = timedelta(hours=30),
        ended_after: timedelta | None = None,
    ) -> Charge:
        start = self.month.handed_over
        parcel = self.world.parcel(
            leg=leg,
            weight_g=weight_g,
            state=state,
            handed_over_at=start,
            delivered_at=start + arrived_after if arrived_after else None,
            ended_at=start + ended_after if ended_after else None,
        )
        return self.world.charged(self.world.waybill(parcel, term=term, requested_at=start))

    def _bill(
        self, charge: Charge, *, fen: int | None = None, month: Month | None = None, **columns: object
    ) -> None:
        """A line for a charge, right but for what `columns` says."""
        amount = charge.amount_fen if fen is None else fen
        self._write(month or self.month, charge.waybill.number, amount, **columns)

    def _write(self, month: Month, number: str, fen: int, **columns: object) -> None:
        other = self.chance.choice([0, 0, 100])
        values = {
            "day": f"{month.handed_over:%Y-%m-%d}",
            "weight_g": 320,
            "freight": fen - other,
            "other": other,
            "term": "收件人集中付费",
            "account": ACCOUNT,
            "currency": self.chance.choice(["", "CNY", "人民币"]),
            "version": "",
            **columns,
        }
        month.rows.append(
            (
                str(values["day"]),
                number,
                "台州市",
                str(values["weight_g"]),
                yuan(int(str(values["freight"]))),
                yuan(int(str(values["other"]))),
                yuan(fen),
                str(values["term"]),
                str(values["account"]),
                str(values["currency"]),
                str(values["version"]),
            )
        )

    def _expect(self, code: Code, number: str, stake: int, month: Month | None = None) -> None:
        (month or self.month).planted.append((code.value, number, stake))

    def _unknown_waybill(self) -> None:
        number = f"99{self.chance.randrange(10**10):010d}"
        fen = self.chance.randrange(101, 5000)
        self._write(self.month, number, fen)
        self._expect(Code.UNKNOWN_WAYBILL, number, fen)

    def _cancelled_label(self) -> None:
        number, day = self._cancelled()
        self._write(self.month, number, 1100, day=f"{day:%Y-%m-%d}")
        self._expect(Code.CANCELLED_LABEL, number, 1100)

    def _fee_after_cancellation(self) -> None:
        number, day = self._cancelled()
        self._write(self.month, number, 300, day=f"{day + timedelta(days=10):%Y-%m-%d}")
        self._expect(Code.FEE_AFTER_CANCELLATION, number, 300)

    def _cancelled(self) -> tuple[str, date]:
        start = self.month.handed_over
        parcel = self.world.parcel(state=ParcelState.CANCELLED, handed_over_at=None, delivered_at=None)
        waybill = self.world.waybill(
            parcel, state=WaybillState.CANCELLED, ended_at=start + timedelta(days=2), requested_at=start
        )
        return waybill.number, start.date()

    def _billed_before(self) -> None:
        """Twice in a month, once in each of two months, or an older version beside the one that replaced it."""
        charge = self._charged()
        fen, number = charge.amount_fen, charge.waybill.number
        match self.chance.randrange(3 if self._at else 2):
            case 0:
                self._bill(charge)
                self._bill(charge)
                self._expect(Code.BILLED_BEFORE, number, fen)
            case 1:
                self._bill(charge, fen=fen + 250, version="1")
                self._bill(charge, version="2")
                self._expect(Code.BILLED_BEFORE, number, fen + 250)
            case _:
                # Billed a month before it was handed over: that statement has its own say about it.
                self._bill(charge, month=self.months[self._at - 1])
                self._bill(charge)
                self._expect(Code.BILLED_BEFORE, number, fen)

    def _wrong_account(self) -> None:
        charge = self._charged()
        self._bill(charge, account=self.chance.choice([OTHER_ACCOUNT, "12345678"]))
        self._expect(Code.WRONG_ACCOUNT, charge.waybill.number, charge.amount_fen)

    def _wrong_term(self) -> None:
        charge = self._charged()
        self._bill(charge, term="寄付月结")
        self._expect(Code.WRONG_TERM, charge.waybill.number, charge.amount_fen)

    def _overweight(self) -> None:
        charge = self._charged()
        steps = self.chance.randrange(1, 5)
        self._bill(charge, fen=charge.amount_fen + 200 * steps, weight_g=1000 + 1000 * steps)
        self._expect(Code.OVERWEIGHT, charge.waybill.number, 200 * steps)

    def _wrong_amount(self) -> None:
        charge = self._charged()
        excess = self.chance.choice([-100, 1, 99, 700])
        self._bill(charge, fen=charge.amount_fen + excess)
        self._expect(Code.WRONG_AMOUNT, charge.waybill.number, max(0, excess))

    def _not_delivered(self) -> None:
        charge = self._charged(state=ParcelState.IN_TRANSIT, arrived_after=None)
        self._bill(charge)
        self._expect(Code.NOT_DELIVERED, charge.waybill.number, charge.amount_fen)

    def _lost_not_refunded(self) -> None:
        charge = self._charged(state=ParcelState.LOST, arrived_after=None, ended_after=timedelta(days=9))
        self._bill(charge)
        self._expect(Code.LOST_NOT_REFUNDED, charge.waybill.number, charge.amount_fen)

    def _late_refund_right(self) -> None:
        charge = self._charged(arrived_after=timedelta(hours=49))
        self._bill(charge)
        self._expect(Code.LATE_REFUND_RIGHT, charge.waybill.number, charge.amount_fen // 2)

    def _wrong_currency(self) -> None:
        charge = self._charged()
        self._bill(charge, currency="USD")
        self._expect(Code.WRONG_CURRENCY, charge.waybill.number, charge.amount_fen)

    def _arithmetic(self) -> None:
        charge = self._charged()
        short = self.chance.choice([-30, 1, 500])
        self._bill(charge, freight=charge.amount_fen - short, other=0)
        self._expect(Code.ARITHMETIC, charge.waybill.number, max(0, short))


def _dearer(tariff: Tariff) -> Tariff:
    """The next contract: two yuan more for the first kilogram."""
    zones = tuple(replace(zone, first_price_fen=zone.first_price_fen + 200) for zone in tariff.zones)
    return replace(tariff, version="2026-2", valid_from=DEARER_FROM, zones=zones)


def write_gbk(path: Path, rows: Sequence[Row]) -> Path:
    path.write_bytes(_csv(rows).encode("gbk"))
    return path


def write_utf8(path: Path, rows: Sequence[Row]) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + _csv(rows).encode())
    return path


def write_xlsx(path: Path, rows: Sequence[Row]) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("明细")
    for row in [("邮件费用结算明细",), HEADER, *rows]:
        sheet.append(list(row))
    book.save(path)
    return path


def write_xls(path: Path, rows: Sequence[Row]) -> Path:
    return xls(path, [HEADER, *rows])


WRITERS = (write_gbk, write_utf8, write_xlsx, write_xls)


def tally(planted: Sequence[Planted]) -> Counter[str]:
    return Counter(code for code, _, _ in planted)


def _csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, *rows])
    return out.getvalue()
