"""Writing XLSX: exact money, live formulas of our own, and foreign text that can never become a formula."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from registry.time import local

_MONEY_FORMAT = "#,##0.00;[Red]-#,##0.00"
_BOLD = Font(bold=True)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What spreadsheets take for the start of a formula, also after the table was saved as CSV and opened again.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class Money:
    """An amount in fen, written as an exact number of yuan."""

    fen: int


@dataclass(frozen=True)
class Formula:
    """A formula that this program wrote. Foreign text is never put into one."""

    text: str
    money: bool = False


@dataclass(frozen=True)
class Sheet:
    """A named table. Values: text, whole numbers, Money, Formula or None; the first row is bold and stays put."""

    name: str
    rows: Iterable[Sequence[object]]
    widths: Sequence[int] = ()


def make_workbook(sheets: Iterable[Sheet], *, made_at: datetime) -> bytes:
    """The XLSX of some tables. The same tables made at the same time give the same bytes."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        page.freeze_panes = "A2"
        for index, width in enumerate(sheet.widths, start=1):
            page.column_dimensions[get_column_letter(index)].width = width
        for number, row in enumerate(sheet.rows):
            page.append([_cell(page, value, bold=number == 0) for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return _reproducible(buffer.getvalue(), made_at)


def safe_text(text: str) -> str:
    """Text that a spreadsheet shows and never computes: a leading apostrophe takes the edge off."""
    printable = _UNPRINTABLE.sub("", text)
    return f"'{printable}" if printable.lstrip(" \u00a0").startswith(_FORMULA_STARTS) else printable


def _cell(page: WriteOnlyWorksheet, value: object, *, bold: bool) -> Cell:
    cell = WriteOnlyCell(page)
    match value:
        case Money():
            cell.value = Decimal(value.fen).scaleb(-2)
            cell.number_format = _MONEY_FORMAT
        case Formula():
            cell.value = value.text
            cell.data_type = "f"
            if value.money:
                cell.number_format = _MONEY_FORMAT
        case None | int():
            cell.value = value
        case str():
            cell.value = safe_text(value)
            cell.data_type = "s"
        case _:
            raise TypeError(type(value))
    if bold:
        cell.font = _BOLD
    return cell


def _reproducible(content: bytes, made_at: datetime) -> bytes:
    """The archive with the time of the record instead of the time of writing."""
    stamp = f"{local(made_at):%Y-%m-%dT%H:%M:%SZ}".encode()
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, data)
            info = zipfile.ZipInfo(entry.filename, date_time=_ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, data)
    return result.getvalue()
