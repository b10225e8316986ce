"""Any courier's file as tables of text rows: which reader fits, and the row limit that all keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logistics.postage.sheet_csv import csv_encoding, csv_rows
from logistics.postage.sheet_limits import LIMITS, Limits, Row, UnreadableSheet
from logistics.postage.sheet_xls import LEGACY_MAGIC, xls_rows, xls_tables
from logistics.postage.sheet_xlsx import xlsx_rows, xlsx_tables

_NO_TABLES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"{\\rtf")


@dataclass(frozen=True)
class Table:
    """One sheet of a file, readable more than once. `encoding` is "xlsx", "xls" or a CSV's character set."""

    path: Path
    encoding: str
    part: str
    limits: Limits

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Row numbers as a spreadsheet shows them, and the cells as text; empty rows are left out."""
        for count, numbered in enumerate(self._cells()):
            if count >= self.limits.rows:
                message = f"对账单超过 {self.limits.rows} 行，请让承运商按月或按账号拆分。"
                raise UnreadableSheet("too_many_rows", message)
            yield numbered

    def _cells(self) -> Iterator[tuple[int, Row]]:
        if self.encoding == "xlsx":
            return xlsx_rows(self.path, self.part, self.limits)
        if self.encoding == "xls":
            return xls_rows(self.path, self.part, self.limits)
        return csv_rows(self.path, self.encoding, self.limits)


def open_tables(path: Path, limits: Limits = LIMITS) -> list[Table]:
    """The visible sheets of a file, recognised by its content, not its name. Raises UnreadableSheet."""
    size = path.stat().st_size
    if size == 0:
        raise UnreadableSheet("empty_file", "文件是空的，请重新下载对账单后再导入。")
    if size > limits.file_bytes:
        raise UnreadableSheet("file_too_large", "对账单文件过大，请让承运商按月或按账号拆分。")
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(_NO_TABLES):
        raise UnreadableSheet("not_a_table", "这不是表格文件，请上传 XLSX、XLS 或 CSV 格式的对账单。")
    if magic.startswith(b"PK\x03\x04"):
        return [Table(path, "xlsx", part, limits) for part in xlsx_tables(path, limits)]
    if magic.startswith(LEGACY_MAGIC):
        return [Table(path, "xls", name, limits) for name in xls_tables(path, limits)]
    return [Table(path, csv_encoding(path), "", limits)]
