"""XLS (BIFF) statements through xlrd, with dates and numbers as exact text."""

import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import xlrd
from xlrd.sheet import Cell

from registry.sheets.limits import SPREADSHEET, Limits, Row, UnreadableSheet
from registry.sheets.merges import by_column, fill_down

LEGACY_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def xls_tables(path: Path, limits: Limits) -> list[str]:
    """Names of the visible sheets. Raises UnreadableSheet."""
    return [sheet.name for sheet in _open(path, limits).sheets() if sheet.visibility == 0 and sheet.nrows]


def xls_rows(path: Path, name: str, limits: Limits) -> Iterator[tuple[int, Row]]:
    """The rows of one sheet. A vertically merged cell counts for every row it spans."""
    book = _open(path, limits)
    sheet = book.sheet_by_name(name)
    if sheet.ncols > limits.columns:
        raise UnreadableSheet("row_too_long", "文件的列数过多，请重新导出后再导入。")
    merged = by_column(
        (left, top + 1, below) for top, below, left, right in sheet.merged_cells if right - left == 1
    )
    held: dict[int, tuple[int, str]] = {}
    for number in range(1, sheet.nrows + 1):
        row = [_text(cell, book.datemode) for cell in sheet.row(number - 1)]
        fill_down(number, row, merged, held)
        if any(row):
            yield number, row


def _open(path: Path, limits: Limits) -> xlrd.book.Book:
    if path.stat().st_size > limits.legacy_bytes:
        raise UnreadableSheet("file_too_large", "XLS 文件过大，请另存为 XLSX 后再导入。")
    try:
        # Merged ranges are kept only together with the formatting.
        return xlrd.open_workbook(path, logfile=io.StringIO(), formatting_info=True)
    except xlrd.XLRDError as fault:
        if "encrypt" in str(fault).lower():
            raise UnreadableSheet("locked", "文件设有密码，请去掉密码后再导入。") from fault
        raise _broken() from fault
    except (
        Exception
    ) as fault:  # xlrd trusts its input: a damaged file raises whatever its parser stumbles over
        raise _broken() from fault


def _text(cell: Cell, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value).strip()
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        # BIFF stores binary numbers: their shortest decimal text is what the program that wrote them showed.
        return f"{SPREADSHEET.create_decimal(Decimal(repr(cell.value))).normalize():f}"
    if cell.ctype == xlrd.XL_CELL_DATE:
        return _date(cell.value, datemode)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return "#ERROR"
    return ""


def _date(value: float, datemode: int) -> str:
    try:
        moment: datetime = xlrd.xldate_as_datetime(value, datemode)
    except (xlrd.XLDateError, OverflowError, ValueError):
        return ""
    return moment.isoformat(sep=" ", timespec="seconds")


def _broken() -> UnreadableSheet:
    return UnreadableSheet("damaged", "XLS 文件已损坏或不是表格，请重新下载或另存为 XLSX 后再导入。")
