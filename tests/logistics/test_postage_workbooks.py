"""Workbooks that leave the house, and the columns that the database keeps from changing."""

import io

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from logistics.models import Settlement, Statement
from logistics.postage.safeguards import POSTAGE_GUARDS, SETTLEMENT_COLUMNS, STATEMENT_COLUMNS
from registry.sheets.workbooks import Money, Sheet, make_workbook, safe_text
from tests.cast import NOW


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", '=HYPERLINK("x")', "|cmd"]
)
def test_foreign_text_never_begins_a_formula(text: str) -> None:
    content = make_workbook([Sheet("表", [(text, Money(-5), "平常")])], made_at=NOW)
    page = load_workbook(io.BytesIO(content)).active
    assert isinstance(page, Worksheet)
    cell = page["A1"]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")
    assert page["B1"].value == -0.05
    assert safe_text("平常") == "平常"


def test_the_safeguards_know_every_column() -> None:
    free = {
        "logistics_statement": {"state", "reconciled_at"},
        "logistics_settlement": {"workbook_id", "paper_id"},
    }
    for model, columns in ((Statement, STATEMENT_COLUMNS), (Settlement, SETTLEMENT_COLUMNS)):
        table = model._meta.db_table
        assert table in POSTAGE_GUARDS
        assert {field.column for field in model._meta.fields} == set(columns) | free[table]
