"""Tables as couriers send them, and as an attacker would."""

import codecs
import contextlib
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from registry.sheets.limits import LIMITS, Limits, UnreadableSheet
from registry.sheets.tables import open_tables
from tests.logistics.sheet_makers import sheet_data, xls, xlsx

ROWS = [["运单号", "金额"], ["1012345678901", "12.30"]]


def rows_of(path: Path, limits: Limits = LIMITS) -> list[list[str]]:
    return [list(row) for table in open_tables(path, limits) for _, row in table.rows()]


def refusal(path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(UnreadableSheet) as fault:
        rows_of(path, limits)
    assert fault.value.message.endswith("。")
    return fault.value.code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "statement"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_in_every_character_set(file: Path, encoding: str) -> None:
    file.write_bytes("运单号,金额\r\n1012345678901,12.30\r\n".encode(encoding))
    assert rows_of(file) == ROWS


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_csv_with_every_separator(file: Path, separator: str) -> None:
    file.write_text("\n".join(separator.join(row) for row in ROWS), encoding="utf-8")
    assert rows_of(file) == ROWS


def test_csv_digits_protected_from_spreadsheets_are_plain_digits(file: Path) -> None:
    file.write_text('运单号,金额\n="0123","12.30"\n\'0456,\t7\n', encoding="utf-8")
    assert rows_of(file)[1:] == [["0123", "12.30"], ["0456", "7"]]


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02binary", "运单号,金额".encode("gbk") + b"\xff\xff", codecs.BOM_UTF8 + b"\xff"]
)
def test_bytes_in_no_character_set_are_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert refusal(file) == "not_a_table"


@pytest.mark.parametrize("content", [b"%PDF-1.7 ", b"\x89PNG\r\n\x1a\n", b"Rar!\x1a\x07"])
def test_other_files_are_named_as_what_they_are_not(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert refusal(file) == "not_a_table"


def test_an_empty_file_is_refused(file: Path) -> None:
    file.write_bytes(b"")
    assert refusal(file) == "empty_file"


def test_xlsx_numbers_keep_the_digits_of_the_file(file: Path) -> None:
    cells = "".join(
        f"<c><v>{text}</v></c>" for text in ("12.3", "0.30000000000000004", "1.012345678901E12", "-5")
    )
    xlsx(file, f"<sheetData><row>{cells}</row></sheetData>")
    assert rows_of(file) == [["12.3", "0.300000000000000", "1012345678901", "-5"]]


def test_xlsx_cells_of_every_kind(file: Path) -> None:
    cells = (
        '<c r="A1" t="str"><f>A2&amp;A3</f><v>文字</v></c><c r="C1" t="b"><v>1</v></c><c r="D1" t="e"><v>#N/A</v></c>'
        '<c r="E1"><f>SUM(A2:A3)</f></c><c r="F1" s="1"><v>46027.5</v></c><c r="G1" t="inlineStr"><is><r><t>分</t></r>'
        "<r><t>段</t></r><rPh><t>x</t></rPh></is></c>"
    )
    styles = '<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs>'
    xlsx(file, f'<sheetData><row r="1">{cells}</row></sheetData>', styles=styles)
    assert rows_of(file) == [["文字", "", "1", "#N/A", "公式没有结果", "2026-01-05 12:00:00", "分段"]]


def test_openpyxl_and_this_reader_agree(file: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["运单号", "日期", "金额", None, "备注"])
    page.append(["1012345678901", datetime(2026, 1, 5, 10, 30), Decimal("12.30"), None, "  两端空白 "])  # noqa: DTZ001
    page.append([1012345678902, None, 0.1 + 0.2, None, True])
    hidden = book.create_sheet("隐藏")
    hidden.append(["不读"])
    hidden.sheet_state = "hidden"
    book.save(file)
    assert rows_of(file) == [
        ["运单号", "日期", "金额", "", "备注"],
        ["1012345678901", "2026-01-05 10:30:00", "12.3", "", "两端空白"],
        ["1012345678902", "", "0.3", "", "1"],
    ]


def test_a_vertically_merged_cell_counts_for_all_its_rows(file: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in (
        ["运单号", "费用类型", "金额"],
        ["A1", "运费", "10"],
        [None, "保价", "1"],
        ["A2", "运费", "8"],
    ):
        page.append(row)
    page.merge_cells("A2:A3")
    book.save(file)
    assert [row[0] for row in rows_of(file)] == ["运单号", "A1", "A1", "A2"]


def test_xls_reads_like_xlsx(file: Path) -> None:
    xls(
        file,
        [["运单号", "金额", "重量"], ["1012345678901", 12.3, 430.0], ["", 0.1 + 0.2, ""]],
        merged=[(1, 2, 0)],
    )
    assert rows_of(file) == [
        ["运单号", "金额", "重量"],
        ["1012345678901", "12.3", "430"],
        ["1012345678901", "0.3", ""],
    ]


@given(st.binary(min_size=8, max_size=4096))
@settings(max_examples=60, deadline=None)
def test_no_bytes_after_a_magic_do_more_than_refuse(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    for magic in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        file = tmp_path_factory.mktemp("fuzz") / "file"
        file.write_bytes(magic + tail)
        with pytest.raises(UnreadableSheet):
            rows_of(file)


@given(st.integers(0, 6000), st.integers(0, 255))
@settings(max_examples=80, deadline=None)
def test_a_flipped_byte_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    for path in (xlsx(folder / "x", sheet_data(ROWS)), xls(folder / "s", ROWS)):
        content = bytearray(path.read_bytes())
        content[at % len(content)] = value
        path.write_bytes(content)
        with contextlib.suppress(UnreadableSheet):
            assert all(isinstance(cell, str) for row in rows_of(path) for cell in row)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(file: Path) -> None:
    xlsx(file, sheet_data(ROWS), extra={"xl/media/image1.bin": b"\0" * (64 << 20)})
    assert file.stat().st_size < 1 << 20
    assert refusal(file) == "zip_bomb"


def test_too_much_of_everything_is_refused(file: Path) -> None:
    xlsx(file, sheet_data([*ROWS, *ROWS]))
    assert refusal(file, Limits(rows=3)) == "too_many_rows"
    assert refusal(file, Limits(columns=1)) == "row_too_long"
    assert refusal(file, Limits(cell_characters=5)) == "row_too_long"
    assert refusal(file, Limits(file_bytes=10)) == "file_too_large"
    assert refusal(file, Limits(archive_entries=2)) == "hostile_archive"
    assert refusal(file, Limits(unpacked_bytes=100)) == "zip_bomb"
    file.write_text("a,b\n" * 5, encoding="utf-8")
    assert refusal(file, Limits(rows=4)) == "too_many_rows"


@pytest.mark.parametrize(
    "part", ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml", "xl/embeddings/oleObject1.bin"]
)
def test_macros_links_and_objects_are_refused(file: Path, part: str) -> None:
    xlsx(file, sheet_data(ROWS), extra={part: b"x"})
    assert refusal(file) == "active_content"


def test_entities_are_refused(file: Path) -> None:
    xlsx(file, sheet_data(ROWS))
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    _replace(file, "xl/worksheets/sheet1.xml", bomb)
    assert refusal(file) == "active_content"
    _replace(file, "xl/worksheets/sheet1.xml", bomb.decode().encode("utf-16"))
    assert refusal(file) == "damaged"


def test_a_cell_address_beyond_the_sheet_is_refused(file: Path) -> None:
    xlsx(file, '<sheetData><row><c r="ZZZZ1"><v>1</v></c></row></sheetData>')
    assert refusal(file) == "damaged"


@pytest.mark.parametrize("number", ["9" * 8, "9" * 5_000, "²", "-1"])
def test_a_row_beyond_the_sheet_is_refused(file: Path, number: str) -> None:
    xlsx(file, f'<sheetData><row r="{number}"><c><v>1</v></c></row></sheetData>')
    assert refusal(file) == "damaged"


@pytest.mark.parametrize("number", ["9" * 5_000, "²", "-1"])
def test_a_format_that_is_no_number_is_no_date(file: Path, number: str) -> None:
    xlsx(file, '<sheetData><row><c s="0"><v>45000</v></c></row></sheetData>', styles=formats(number))
    assert rows_of(file) == [["45000"]]


def test_a_date_that_is_no_number_stays_as_it_is_written(file: Path) -> None:
    xlsx(file, '<sheetData><row><c s="0"><v>NaN</v></c></row></sheetData>', styles=formats("14"))
    assert rows_of(file) == [["NaN"]]


def test_a_zip_that_is_no_workbook_is_refused(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    assert refusal(file) == "not_a_table"


def formats(number: str) -> str:
    """One cell format, which shows numbers as this one of the built-in formats does."""
    return f'<cellXfs><xf numFmtId="{number}"/></cellXfs>'


def _replace(path: Path, part: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, old in parts.items():
            archive.writestr(name, content if name == part else old)
