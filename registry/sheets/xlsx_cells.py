"""The cells of an XLSX row as exact text."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from registry.sheets.limits import SPREADSHEET, UnreadableSheet
from registry.sheets.xlsx_parts import Book, damaged, text_of

NO_RESULT = "公式没有结果"
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no time zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_LAST_DAY = 2_958_465
_LETTERS: dict[str, int] = {}


class Cells:
    """Turns row elements into texts, left to right, with nothing for absent cells."""

    def __init__(self, book: Book) -> None:
        self._strings = book.strings
        self._date_styles = book.workbook.date_styles
        self._epoch = _EPOCH_1904 if book.workbook.starts_1904 else _EPOCH_1900
        self._limits = book.limits

    def row(self, element: Element, space: str) -> list[str]:
        """`space` is the namespace in front of every tag."""
        cell_tag, value_tag = space + "c", space + "v"
        row: list[str] = []
        for cell in element:
            if cell.tag != cell_tag:
                continue
            reference = cell.get("r")
            column = column_number(reference.rstrip("0123456789")) if reference else len(row)
            if column >= self._limits.columns:
                raise UnreadableSheet("row_too_long", "文件的列数过多，请重新导出后再导入。")
            while len(row) <= column:
                row.append("")
            row[column] = self._text(cell, cell.find(value_tag), space)
        return row

    def _text(self, cell: Element, value: Element | None, space: str) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find(space + "is")
            return self._short(text_of(inline)) if inline is not None else ""
        if value is None or value.text is None:
            return NO_RESULT if cell.find(space + "f") is not None and kind == "n" else ""
        text = value.text
        if kind == "s":
            return self._shared(text)
        if kind == "n":
            return self._date(text) if cell.get("s") in self._date_styles else plain_number(text)
        return self._short(text.strip())

    def _shared(self, text: str) -> str:
        try:
            index = int(text)
            return self._short(self._strings[index]) if index >= 0 else ""
        except (ValueError, IndexError) as fault:
            raise damaged() from fault

    def _short(self, text: str) -> str:
        if len(text) > self._limits.cell_characters:
            raise UnreadableSheet("row_too_long", "文件的单元格过长，请重新导出后再导入。")
        return text

    def _date(self, text: str) -> str:
        try:
            serial = Decimal(text)
        except InvalidOperation:
            return text
        if not serial.is_finite() or not 0 <= serial <= _LAST_DAY:
            return text
        seconds = int((serial * 86_400).to_integral_value())
        return (self._epoch + timedelta(seconds=seconds)).isoformat(sep=" ")


def plain_number(text: str) -> str:
    """The decimal text of a stored number, at the 15 digits that a spreadsheet computes with."""
    if len(text) <= SPREADSHEET.prec and text.isascii() and text.replace(".", "", 1).isdigit():
        return text
    try:
        number = SPREADSHEET.create_decimal(text)
    except InvalidOperation:
        return text
    return f"{number:f}" if number.is_finite() and abs(number.adjusted()) <= SPREADSHEET.prec else text


def column_number(letters: str) -> int:
    """A → 0, Z → 25, AA → 26. Raises UnreadableSheet."""
    known = _LETTERS.get(letters)
    if known is not None:
        return known
    number = 0
    if not letters or len(letters) > 3:
        raise damaged()
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise damaged()
        number = number * 26 + ord(letter) - ord("A") + 1
    _LETTERS[letters] = number - 1
    return number - 1
