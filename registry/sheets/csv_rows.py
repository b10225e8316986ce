"""CSV and tab-separated statements in the character sets that couriers use."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from registry.sheets.limits import Limits, Row, UnreadableSheet

_BLOCK = 1 << 20
# GB18030 reads everything that GBK and GB2312 can write.
_CANDIDATES = ("utf-8", "gb18030")


def csv_encoding(path: Path) -> str:
    """The character set of a text file, proved by decoding all of it. Raises UnreadableSheet."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(codecs.BOM_UTF8):
        return _proved(path, "utf-8-sig")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _proved(path, "utf-16")
    for encoding in _CANDIDATES:
        if _decodes(path, encoding):
            return encoding
    raise _not_text()


def csv_rows(path: Path, encoding: str, limits: Limits) -> Iterator[tuple[int, Row]]:
    """Rows of text. A cell written as ="0123" (a spreadsheet's way to keep digits) is its text."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(_without_nul(file), delimiter=_delimiter(path, encoding), strict=False)
        try:
            for cells in reader:
                row = [_plain(cell) for cell in cells]
                if len(row) > limits.columns or any(len(cell) > limits.cell_characters for cell in row):
                    raise UnreadableSheet(
                        "row_too_long", f"第 {reader.line_num} 行过长，请核对文件是否为逗号分隔的表格。"
                    )
                if any(row):
                    yield reader.line_num, row
        except csv.Error as fault:
            message = f"第 {reader.line_num} 行不是有效的 CSV，请重新导出后再导入。"
            raise UnreadableSheet("bad_csv", message) from fault


def _plain(cell: str) -> str:
    text = cell.strip().lstrip("\ufeff")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.strip("\t\u00a0 ").removeprefix("'")


def _delimiter(path: Path, encoding: str) -> str:
    """The separator that occurs most in the first lines; a comma when none does."""
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(8192)
    return max(",\t;|", key=head.count)


def _without_nul(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise _not_text()
        yield line


def _proved(path: Path, encoding: str) -> str:
    if not _decodes(path, encoding):
        raise _not_text()
    return encoding


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _not_text() -> UnreadableSheet:
    return UnreadableSheet(
        "not_a_table", "无法识别文件内容，请上传 XLSX、XLS 或 CSV（UTF-8、GBK）格式的文件。"
    )
