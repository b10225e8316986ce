"""Any foreign file as tables of text rows: which reader fits, and the row limit that all keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.sheets.csv_rows import csv_encoding, csv_rows
from registry.sheets.limits import LIMITS, Limits, Row, UnreadableSheet
from registry.sheets.xls import LEGACY_MAGIC, xls_rows, xls_tables
from registry.sheets.xlsx import xlsx_rows, xlsx_tables

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
                message = f"文件超过 {self.limits.rows} 行，请拆分后分次导入。"
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
        raise UnreadableSheet("empty_file", "文件是空的，请重新选择后再导入。")
    if size > limits.file_bytes:
        raise UnreadableSheet("file_too_large", "文件过大，请拆分后分次导入。")
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(_NO_TABLES):
        raise UnreadableSheet("not_a_table", "这不是表格文件，请上传 XLSX、XLS 或 CSV 格式的文件。")
    if magic.startswith(b"PK\x03\x04"):
        return [Table(path, "xlsx", part, limits) for part in xlsx_tables(path, limits)]
    if magic.startswith(LEGACY_MAGIC):
        return [Table(path, "xls", name, limits) for name in xls_tables(path, limits)]
    return [Table(path, csv_encoding(path), "", limits)]
