"""Makers of spreadsheet files byte by byte, so that tests can write what no honest program would."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def xlsx(path: Path, sheet_xml: str, *, extra: Mapping[str, bytes] | None = None, styles: str = "") -> Path:
    """A workbook with one sheet of raw XML (what stands between <worksheet> and </worksheet>)."""
    relations = f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    if styles:
        relations += f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="明细" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}">{sheet_xml}</worksheet>',
    }
    if styles:
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def sheet_data(rows: Sequence[Sequence[str]]) -> str:
    """Rows of inline text as <sheetData>."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>' for text in row)
        lines.append(f'<row r="{number}">{cells}</row>')
    return f"<sheetData>{''.join(lines)}</sheetData>"


def xls(
    path: Path, rows: Sequence[Sequence[str | float]], *, merged: Sequence[tuple[int, int, int]] = ()
) -> Path:
    """A BIFF8 workbook in an OLE2 container. `merged`: (first row, last row, column), counted from 0."""
    path.write_bytes(_compound(_biff8(rows, merged)))
    return path


def _biff8(rows: Sequence[Sequence[str | float]], merged: Sequence[tuple[int, int, int]]) -> bytes:
    font = _record(
        0x0031, struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + _short_text("Arial")
    )
    cell_format = _record(0x00E0, struct.pack("<HHHBBBBIIH", 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0))
    name = _short_text("Sheet1")
    bound_sheet_size = 4 + 8 + len(name) - 2
    before = _begin(0x0005) + _record(0x0042, struct.pack("<H", 1200)) + font * 4 + cell_format * 16
    end = _record(0x000A, b"")
    at = len(before) + bound_sheet_size + 2 + len(end)
    bound = _record(0x0085, struct.pack("<IBB", at, 0, 0) + name)
    at = len(before) + len(bound) + len(end)
    bound = _record(0x0085, struct.pack("<IBB", at, 0, 0) + name)
    cells = b"".join(
        _cell(row_number, column, value)
        for row_number, row in enumerate(rows)
        for column, value in enumerate(row)
        if value != ""
    )
    width = max(len(row) for row in rows)
    dimensions = _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    ranges = b"".join(struct.pack("<HHHH", first, last, column, column) for first, last, column in merged)
    merges = _record(0x00E5, struct.pack("<H", len(merged)) + ranges) if merged else b""
    return before + bound + end + _begin(0x0010) + dimensions + cells + merges + end


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, value: str | float) -> bytes:
    if isinstance(value, str):
        text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHH", row, column, 15) + text)
    return _record(0x0203, struct.pack("<HHHd", row, column, 15, value))


def _short_text(text: str) -> bytes:
    return struct.pack("<BB", len(text), 1) + text.encode("utf-16-le")


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _compound(stream: bytes) -> bytes:
    """The smallest OLE2 file around one stream named Workbook."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    free, end_of_chain, fat_sector = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    # Sector 0 holds the allocation table, sector 1 the directory, the stream follows.
    chain = [fat_sector, end_of_chain, *range(3, 2 + sectors), end_of_chain]
    if len(chain) > 128:
        raise ValueError("one allocation sector is enough for a test")
    table = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    header = struct.pack(
        "<8s16sHHHHHHIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\0" * 16,
        0x3E, 3, 0xFFFE, 9, 6, 0,
        0, 0, 1, 1, 0, 4096, end_of_chain, 0, end_of_chain, 0,
    )  # fmt: skip
    header += struct.pack("<109I", 0, *[free] * 108)
    directory = (
        _entry("Root Entry", 5, child=1, start=end_of_chain, size=0)
        + _entry("Workbook", 2, child=free, start=2, size=len(stream))
        + _entry("", 0, child=free, start=0, size=0) * 2
    )
    return header + table + directory + stream


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    none = 0xFFFFFFFF
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBBIII", length, kind, 1, none, none, child)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
    )
