"""XLSX statements, streamed: exact text of every cell, flat memory, and no trust in the archive.

A number is taken as the decimal text that the file holds, so that money never passes through binary floating
point. Formulas are never evaluated; the results stored beside them are what the courier saw.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from registry.sheets.limits import Limits, Row, UnreadableSheet
from registry.sheets.merges import Merges, by_column, fill_down
from registry.sheets.xlsx_cells import Cells, column_number
from registry.sheets.xlsx_parts import Book, damaged, pull, read_workbook

_BLOCK = 1 << 18
_FORBIDDEN = re.compile(r"vbaProject|/macrosheets/|/externalLinks/|/embeddings/|/activeX/", re.IGNORECASE)
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ROW = re.compile(r"[0-9]{1,7}")  # a sheet ends at row 1,048,576
_SMALL = 16 << 20
_ENCRYPTED = 0x1


def xlsx_tables(path: Path, limits: Limits) -> list[str]:
    """The archive parts of the visible sheets, in the order of their tabs. Raises UnreadableSheet."""
    with _opened(path, limits) as archive:
        return [sheet.part for sheet in read_workbook(archive, limits).sheets]


def xlsx_rows(path: Path, part: str, limits: Limits) -> Iterator[tuple[int, Row]]:
    """The rows of one sheet. A vertically merged cell counts for every row it spans."""
    with _opened(path, limits) as archive:
        workbook = read_workbook(archive, limits)
        cells = Cells(Book(archive, workbook, limits))
        merged = _vertical_merges(archive, part)
        held: dict[int, tuple[int, str]] = {}
        for number, row in _rows(archive, part, cells, limits):
            fill_down(number, row, merged, held)
            if any(row):
                yield number, row


def check_archive(path: Path, limits: Limits) -> None:
    """Refuse what no honest statement is: bombs, macros, links to other files, locked or doubled parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as fault:
        raise damaged() from fault
    names = [entry.filename for entry in entries]
    if len(entries) > limits.archive_entries or len(set(names)) != len(names):
        raise UnreadableSheet("hostile_archive", "文件的压缩结构异常，请重新导出后再导入。")
    if any(_FORBIDDEN.search(name) for name in names):
        raise UnreadableSheet(
            "active_content", "文件含有宏、外部链接或嵌入对象，请另存为普通 XLSX 后再导入。"
        )
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnreadableSheet("locked", "文件设有密码，请去掉密码后再导入。")
    if any(entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for entry in entries):
        raise UnreadableSheet("hostile_archive", "文件的压缩方式不受支持，请另存为普通 XLSX 后再导入。")
    # zipfile never unpacks more than the size an entry declares, so the declared sizes bound the work.
    if sum(entry.file_size for entry in entries) > limits.unpacked_bytes or any(
        entry.file_size > _SMALL and entry.file_size > limits.unpack_ratio * max(entry.compress_size, 1)
        for entry in entries
    ):
        raise UnreadableSheet("zip_bomb", "文件解压后过大，疑似压缩炸弹，已拒绝；请重新导出后再导入。")


def _opened(path: Path, limits: Limits) -> zipfile.ZipFile:
    check_archive(path, limits)
    return zipfile.ZipFile(path)


def _rows(
    archive: zipfile.ZipFile, part: str, cells: Cells, limits: Limits
) -> Iterator[tuple[int, list[str]]]:
    number = 0
    for element in pull(archive, part, "row"):
        space = element.tag.removesuffix("row")
        given = element.get("r")
        number = _row_number(given) if given else number + 1
        row = cells.row(element, space)
        if len(row) > limits.columns:
            raise UnreadableSheet("row_too_long", f"第 {number} 行的列数过多，请重新导出后再导入。")
        yield number, row


def _row_number(given: str) -> int:
    if not _ROW.fullmatch(given):
        raise damaged()
    return int(given)


def _vertical_merges(archive: zipfile.ZipFile, part: str) -> Merges:
    """Row ranges of the one-column merges, by column. They stand behind the data, hence a pass of their own."""
    found: list[tuple[int, int, int]] = []
    tail = b""
    try:
        with archive.open(part) as file:
            while block := file.read(_BLOCK):
                text = tail + block
                end = 0
                for match in _MERGE.finditer(text):
                    left, top, right, bottom = match.groups()
                    end = match.end()
                    if left == right and int(top) < int(bottom):
                        found.append((column_number(left.decode()), int(top), int(bottom)))
                tail = text[max(end, len(text) - 128) :]
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, zlib.error) as fault:
        raise damaged() from fault
    return by_column(found)
