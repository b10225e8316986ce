"""Statements of three couriers and of nobody: headers found by name, totals apart, every figure exact."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from logistics.postage.columns import Column, MissingColumn
from logistics.postage.lines import BadLine, Reading, read_statement
from logistics.rules.checks import Totals
from tests.logistics.sheet_makers import xls

EMS = (
    "收寄日期,邮件号,寄达地,类,重量,邮资,合计费用,结算邮资,标准邮资,其他费,产品,件数,大客户,收款情况\n"
    "2026-01-05,1012345678901,台州市,特快,430,10.00,11.00,10.00,12.00,1.00,特快专递,1,90000001,收件人集中付费\n"
)
SF = (
    "序号,日期,运单号码,对方地区,计费重量,产品类型,付款方式,费用(元),应付金额,月结卡号\n"
    "1,2026/1/5,SF1234567890123,温岭市,0.5,标快,寄付月结,14.00,12.60,5551234567\n"
)
GENERIC = "运单号,扫描时间,计费重量(克),总金额,目的地\nYT1234567890,20260105,430,7.5,台州\n"


def read(tmp_path: Path, text: str, **options: object) -> Reading:
    path = tmp_path / "statement.csv"
    path.write_text(text, encoding="gbk")
    return read_statement(path, **options)  # type: ignore[arg-type]


def test_an_ems_export(tmp_path: Path) -> None:
    line = next(read(tmp_path, EMS).lines())
    assert (line.waybill, line.amount_fen, line.freight_fen, line.other_fen) == (
        "1012345678901",
        1100,
        1000,
        100,
    )
    assert (line.weight_g, line.posted_on, line.term, line.account) == (
        430,
        date(2026, 1, 5),
        "collect",
        "90000001",
    )


def test_an_sf_bill_weighs_in_kilograms_and_bills_what_is_payable(tmp_path: Path) -> None:
    line = next(read(tmp_path, SF).lines())
    assert (line.amount_fen, line.weight_g, line.term) == (1260, 500, "sender_monthly")
    assert (line.posted_on, line.account) == (date(2026, 1, 5), "5551234567")


def test_of_a_cell_that_is_too_long_the_beginning_is_kept_and_the_cut_is_seen(tmp_path: Path) -> None:
    strange = SF.replace("寄付月结", "另" * 21).replace("5551234567", "5" * 41)
    line = next(read(tmp_path, strange).lines())
    assert (line.term, line.account) == ("另" * 19 + "…", "5" * 39 + "…")


def test_a_generic_statement_with_the_unit_in_its_header(tmp_path: Path) -> None:
    line = next(read(tmp_path, GENERIC).lines())
    assert (line.waybill, line.amount_fen, line.weight_g, line.posted_on) == (
        "YT1234567890",
        750,
        430,
        date(2026, 1, 5),
    )


def test_titles_above_totals_below_and_headers_on_every_page(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        "中国邮政速递物流,,\n2026年1月对账单,,\n,,\n邮件号,收寄日期,合计费用\nA1,2026-01-02,10\nA2,2026-01-03,5.5\n"
        "小计,,15.5\n邮件号,收寄日期,合计费用\nA3,2026-01-04,4\n小计,,4\n合计,,19.50\n制表人：,某某,\n",
    )
    assert [line.amount_fen for line in reading.lines()] == [1000, 550, 400]
    assert [(total.stated_fen, total.summed_fen) for total in reading.totals] == [
        (1550, 1550),
        (400, 400),
        (1950, 1950),
    ]


def test_a_wrong_total_is_kept_with_both_figures(tmp_path: Path) -> None:
    reading = read(tmp_path, "运单号,金额\nA1,10\n合计,12\n")
    list(reading.lines())
    assert reading.totals == [Totals(3, 1200, 1000)]


def test_a_header_of_two_rows_with_merged_cells(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["EMS 对账单"])
    page.append(["邮件号", "收寄日期", "费用", None, None])
    page.append([None, None, "邮资", "其他费", "合计费用"])
    page.append(["A1", "2026-01-02", "10.00", "1.00", "11.00"])
    for cells in ("A1:E1", "A2:A3", "B2:B3", "C2:E2"):
        page.merge_cells(cells)
    book.save(tmp_path / "statement.xlsx")
    line = next(read_statement(tmp_path / "statement.xlsx").lines())
    assert (line.waybill, line.freight_fen, line.other_fen, line.amount_fen) == ("A1", 1000, 100, 1100)


def test_the_sheet_with_the_lines_is_found_behind_a_summary(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["项目", "数量"])
    details = book.create_sheet("明细")
    details.append(["运单号", "金额"])
    details.append(["A1", 3])
    book.save(tmp_path / "statement.xlsx")
    assert [line.amount_fen for line in read_statement(tmp_path / "statement.xlsx").lines()] == [300]


def test_an_xls_statement(tmp_path: Path) -> None:
    xls(tmp_path / "old.xls", [["邮件号", "重量", "合计费用"], ["A1", 430.0, 12.3], ["合计", "", 12.3]])
    reading = read_statement(tmp_path / "old.xls")
    assert [(line.waybill, line.weight_g, line.amount_fen) for line in reading.lines()] == [("A1", 430, 1230)]
    assert reading.totals == [Totals(3, 1230, 1230)]


def test_red_lines_are_negative(tmp_path: Path) -> None:
    assert [line.amount_fen for line in read(tmp_path, "运单号,金额\nA1,10\nA1,-10\nA1,(2.5)\n").lines()] == [
        1000,
        -1000,
        -250,
    ]


def test_fee_kinds_and_terms_become_ours_or_stay_as_they_are(tmp_path: Path) -> None:
    text = "运单号,金额,费用类型,付款方式\nA1,10,运费,寄付现结\nA1,1,保价费,到付\nA1,1,燃油费,第三方付\n"
    assert [(line.kind, line.term) for line in read(tmp_path, text).lines()] == [
        ("freight", "sender_cash"),
        ("insured", "collect"),
        ("燃油费", "third_party"),
    ]


def test_a_fee_without_a_waybill_is_still_a_line(tmp_path: Path) -> None:
    lines = list(read(tmp_path, "运单号,项目,金额\nA1,运费,10\n,系统服务费,100\n").lines())
    assert [(line.waybill, line.amount_fen) for line in lines] == [("A1", 1000), ("", 10_000)]


@pytest.mark.parametrize(
    ("header", "missing"), [("邮件号,收寄日期,重量", "金额"), ("收寄日期,合计费用,重量", "运单号")]
)
def test_a_missing_column_is_named_with_what_to_do(tmp_path: Path, header: str, missing: str) -> None:
    with pytest.raises(MissingColumn, match=f"缺少“{missing}”列") as fault:
        read(tmp_path, f"{header}\n1,2,3\n")
    assert "请补上该列" in fault.value.message


def test_a_name_told_once_is_understood(tmp_path: Path) -> None:
    text = "邮件编码,结账数\nA1,10\n"
    with pytest.raises(MissingColumn):
        read(tmp_path, text)
    reading = read(tmp_path, text, own_names={"邮件编码": "waybill", "结账数": "amount"})
    assert [line.amount_fen for line in reading.lines()] == [1000]
    assert reading.layout.places == {Column.WAYBILL: 0, Column.AMOUNT: 1}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("A1,12.345,", "sub_fen"),
        ("A1,十元,", "not_money"),
        ("A1,,430", "missing_amount"),
        ("1.01235E+12,10,430", "rounded_waybill"),
        ("A1,10,很重", "bad_weight"),
        (f"{'A' * 60},10,1", "bad_waybill"),
    ],
)
def test_a_row_that_cannot_be_taken_exactly_stops_everything_and_is_named(
    tmp_path: Path, row: str, code: str
) -> None:
    with pytest.raises(BadLine, match="第 3 行") as fault:
        list(read(tmp_path, f"运单号,金额,重量\nA0,1,1\n{row}\n").lines())
    assert fault.value.code == code
