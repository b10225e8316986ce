"""The lines of a statement: rows of text become exact fen and grams, totals rows are set apart."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from logistics.postage.columns import Column, Layout, MissingColumn, find_layout
from logistics.rules.checks import WHOLE, Billed, Totals
from logistics.rules.money import NotMoney, fen_of
from logistics.rules.payers import PaymentTerm
from registry.sheets.limits import LIMITS, Limits, Row
from registry.sheets.tables import Table, open_tables
from storage.errors import Refused

_TOTAL = re.compile(r"^(本页|本期|本月|总|共)?(合计|总计|共计|累计|汇总)")
_SUBTOTAL = re.compile(r"^(本页)?(小计|页计)")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})")
_MAX_NUMBER = 40
_MAX_CURRENCY = 8
_MAX_WORD = 20
_MAX_GRAMS = 10_000_000
_VERSION_DIGITS = 7

# In order: the first word that occurs decides.
_TERMS: tuple[tuple[str, str], ...] = (
    ("第三方", "third_party"),
    ("收件人集中", PaymentTerm.COLLECT.value),
    ("到付", PaymentTerm.COLLECT.value),
    ("收方付", PaymentTerm.COLLECT.value),
    ("收件人", PaymentTerm.COLLECT.value),
    ("现结", PaymentTerm.SENDER_CASH.value),
    ("现付", PaymentTerm.SENDER_CASH.value),
    ("现金", PaymentTerm.SENDER_CASH.value),
    ("月结", PaymentTerm.SENDER_MONTHLY.value),
    ("计欠", PaymentTerm.SENDER_MONTHLY.value),
    ("寄方付", PaymentTerm.SENDER_MONTHLY.value),
    ("寄付", PaymentTerm.SENDER_MONTHLY.value),
)
_KINDS: tuple[tuple[str, str], ...] = (
    ("到付", "collect"),
    ("保价", "insured"),
    ("保险", "insured"),
    ("返单", "return_receipt"),
    ("回单", "return_receipt"),
    ("回执", "return_receipt"),
    ("偏远", "remote"),
    ("撤单", "cancellation"),
    ("拦截", "cancellation"),
    ("运费", "freight"),
    ("邮资", "freight"),
)


class BadLine(Refused):
    """A row that cannot be taken in exactly; the whole file waits until it is put right."""


@dataclass
class Reading:
    """A statement as read: iterate `lines()` to the end, then `totals` holds its totals rows."""

    table: Table
    layout: Layout
    period: tuple[str, str] = ("", "")
    totals: list[Totals] = field(default_factory=list)
    line_count: int = 0
    amount_fen: int = 0

    @property
    def encoding(self) -> str:
        return self.table.encoding

    def lines(self) -> Iterator[Billed]:
        """Every billed line, in order. Raises BadLine naming the row. Starts afresh each time."""
        self.totals, self.line_count, self.amount_fen = [], 0, 0
        since_subtotal = 0
        for number, row in self.table.rows():
            if number < self.layout.first_row or self._repeats_header(row):
                continue
            waybill = _waybill(self.layout.cell(row, Column.WAYBILL), number)
            amount = self.layout.cell(row, Column.AMOUNT)
            word = _totals_word(row, waybill)
            if word:
                summed = since_subtotal if _SUBTOTAL.match(word) else self.amount_fen
                self._keep_totals(number, amount, summed)
                since_subtotal = 0 if _SUBTOTAL.match(word) else since_subtotal
                continue
            if not amount:
                if waybill and not _is_note(waybill):
                    raise BadLine("missing_amount", f"第 {number} 行没有金额，请补齐后重新导入。")
                continue
            line = self._line(number, row, waybill, amount)
            self.line_count += 1
            self.amount_fen += line.amount_fen
            since_subtotal += line.amount_fen
            yield line

    def _line(self, number: int, row: Row, waybill: str, amount: str) -> Billed:
        cell = self.layout.cell
        return Billed(
            row=number,
            waybill=waybill,
            amount_fen=_fen(amount, number),
            kind=_word(cell(row, Column.KIND), _KINDS) or WHOLE,
            posted_on=_date(cell(row, Column.POSTED_ON)),
            weight_g=_grams(cell(row, Column.WEIGHT), self.layout.grams, number),
            freight_fen=self._optional_fen(row, Column.FREIGHT, number),
            other_fen=self._optional_fen(row, Column.OTHER, number),
            term=_word(cell(row, Column.TERM), _TERMS),
            account=_fitted(_plain(cell(row, Column.ACCOUNT)), _MAX_NUMBER),
            currency=_fitted(_plain(cell(row, Column.CURRENCY)), _MAX_CURRENCY),
            version=_version(cell(row, Column.VERSION)),
            period=self.period,
        )

    def _optional_fen(self, row: Row, column: Column, number: int) -> int | None:
        if column not in self.layout.places:
            return None
        text = self.layout.cell(row, column)
        return _fen(text, number) if text else 0

    def _keep_totals(self, number: int, amount: str, summed: int) -> None:
        if amount:
            self.totals.append(Totals(number, _fen(amount, number), summed))

    def _repeats_header(self, row: Row) -> bool:
        """Printed statements repeat the header on every page."""
        place = self.layout.places[Column.WAYBILL]
        return place < len(row) and row[place] == self.layout.headers[place]


def read_statement(
    path: Path,
    *,
    own_names: Mapping[str, str] | None = None,
    period: tuple[str, str] = ("", ""),
    limits: Limits = LIMITS,
) -> Reading:
    """Find the sheet that is a statement, and its columns. Raises Refused with what to do."""
    fault: MissingColumn | None = None
    for table in open_tables(path, limits):
        try:
            return Reading(table, find_layout(table.rows(), own_names), period)
        except MissingColumn as missing:
            fault = fault or missing
    raise fault or MissingColumn(MissingColumn.EMPTY, "对账单里没有数据，请重新下载后再导入。")


def _waybill(text: str, number: int) -> str:
    plain = _plain(text).upper()
    if _SCIENTIFIC.fullmatch(plain):
        raise BadLine(
            "rounded_waybill",
            f"第 {number} 行的运单号被表格软件改成了科学计数法，请把该列设为文本后重新导出。",
        )
    if len(plain) > _MAX_NUMBER:
        raise BadLine("bad_waybill", f"第 {number} 行的运单号过长，请核对列名对应关系后重新导入。")
    return plain.removesuffix(".0")


def _totals_word(row: Row, waybill: str) -> str:
    """The word that makes this a totals row: in the waybill column, or anywhere while that is empty."""
    cells = [waybill] if waybill else [_plain(cell) for cell in row if cell]
    return next((cell for cell in cells if _TOTAL.match(cell) or _SUBTOTAL.match(cell)), "")


def _is_note(text: str) -> bool:
    """A remark below the table (制表人：…) is no waybill number: those are digits and Latin letters."""
    return not text.isascii() or not any(letter.isdigit() for letter in text)


def _fen(text: str, number: int) -> int:
    try:
        return fen_of(text)
    except NotMoney as fault:
        raise BadLine(fault.code, f"第 {number} 行：{fault.message}") from fault


def _grams(text: str, unit: int, number: int) -> int | None:
    """Whole grams, rounded up: a courier's tenth of a gram is nobody's money."""
    plain = re.sub(r"(kg|公斤|千克|g|克)$", "", _plain(text).lower())
    if not plain:
        return None
    try:
        grams = Decimal(plain) * unit
    except InvalidOperation as fault:
        raise BadLine("bad_weight", f"第 {number} 行的重量不是数字，请更正后重新导入。") from fault
    if not 0 <= grams <= _MAX_GRAMS:
        raise BadLine("bad_weight", f"第 {number} 行的重量超出范围，请更正后重新导入。")
    return int(grams) + (grams != int(grams))


def _version(text: str) -> int | None:
    """ "2", "V2" and "2.0" are version 2; anything else says nothing."""
    plain = _plain(text).upper().removeprefix("V").removesuffix(".0")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < _VERSION_DIGITS else None


def _date(text: str) -> date | None:
    match = _DATE.search(text)
    if not match:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def _word(text: str, words: tuple[tuple[str, str], ...]) -> str:
    """What a cell says in our terms; a word we do not know stays as it is, so that it shows as different."""
    plain = _plain(text)
    return next((value for word, value in words if word in plain), _fitted(plain, _MAX_WORD))


def _fitted(text: str, longest: int) -> str:
    """Of what is too long the beginning and …, which is like nothing of ours: the statement's file has the whole."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _plain(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).strip("'\"=")
