"""The letter to the carrier: everything disputed, each line claimed once, the same in PDF and XLSX, credits matched."""

import io
import re
import subprocess
from pathlib import Path

import pytest
from django.db.models import Sum
from openpyxl import load_workbook

from logistics.models import Discrepancy, Statement
from logistics.postage.services import (
    dispute_all,
    dispute_workbook,
    import_statement,
    reconcile_statement,
    resolve_discrepancy,
    write_dispute,
)
from logistics.rules.disputes import DiscrepancyState
from registry.models import Event
from registry.paper.issue import slip_pdf
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from storage.services import open_verified
from tests.cast import APPLICANT, NOW, assemble, person
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def world() -> PostageWorld:
    return PostageWorld.build(assemble())


def statement_of(
    world: PostageWorld, path: Path, rows: list[tuple[str, ...]], month: str = MONTH
) -> Statement:
    finance = world.cast.finance
    made = import_statement(
        path=write_csv(path, rows), carrier=world.carrier, month=month, actor=finance, now=NOW
    )
    reconcile_statement(statement=made.statement, actor=finance, now=NOW)
    return Statement.objects.get(pk=made.statement.pk)


def disputed(world: PostageWorld, path: Path) -> Statement:
    """A line too dear and under the wrong term, one right, one of a stranger: 15.00 and 7.00 in question."""
    right, wrong = world.charged(), world.charged()
    statement = statement_of(
        world,
        path,
        [
            world.row(wrong.waybill.number, "15.00", term="寄付月结"),
            world.row(right.waybill.number, "11.00"),
            world.row("=HYPERLINK(1)", "7.00"),
        ],
    )
    dispute_all(statement_id=statement.pk, reason="与合同不符", actor=world.cast.finance, now=NOW)
    return statement


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "letter.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True, timeout=60
    )
    return re.sub(r"\s", "", done.stdout)


def test_a_letter_claims_each_line_once_and_says_so_on_paper(world: PostageWorld, tmp_path: Path) -> None:
    statement = disputed(world, tmp_path / "a.csv")
    letter = write_dispute(statement=statement, actor=world.cast.finance, now=NOW)
    stakes = statement.discrepancies.aggregate(total=Sum("stake_fen"))["total"]
    assert stakes > 2200, "two differences speak of the same 15.00"
    assert letter.claimed_fen == 1500 + 700
    assert [sum(row["claimed_fen"] for row in letter.lines if row["row"] == n) for n in (2, 4)] == [1500, 700]
    text = text_of(slip_pdf(letter.slip), tmp_path)
    for said in ("邮资账单争议函", "22.00", "贰拾贰元整", statement.sha256, world.carrier.name, "与合同不符"):
        assert said in text
    assert "2026年3月24日" in text, "ten working days to answer"
    assert APPLICANT.name not in text
    assert letter.slip.number.startswith("通办异字〔2026〕")


def test_the_workbook_says_what_the_letter_says_and_never_computes_foreign_text(
    world: PostageWorld, tmp_path: Path
) -> None:
    letter = write_dispute(statement=disputed(world, tmp_path / "a.csv"), actor=world.cast.finance, now=NOW)
    assert letter.workbook is not None
    content = open_verified(letter.workbook)
    assert content == dispute_workbook(letter)
    page = load_workbook(io.BytesIO(content))["争议明细"]
    rows = list(page.iter_rows(min_row=2, max_row=1 + len(letter.lines)))
    assert [round(float(str(row[7].value)) * 100) for row in rows] == [
        line["claimed_fen"] for line in letter.lines
    ]
    formulas = {cell.value for row in page.iter_rows() for cell in row if cell.data_type == "f"}
    last = 1 + len(letter.lines)
    assert formulas == {f"=SUM(H2:H{last})", f"=SUM(K2:K{last})"}


def test_the_same_dispute_is_written_once_and_a_changed_one_anew(world: PostageWorld, tmp_path: Path) -> None:
    statement = disputed(world, tmp_path / "a.csv")
    first = write_dispute(statement=statement, actor=world.cast.finance, now=NOW)
    assert write_dispute(statement=statement, actor=world.cast.finance, now=NOW) == first
    assert Event.objects.filter(kind="dispute.written").count() == 1
    stranger = Discrepancy.objects.get(statement=statement, row=4, code="unknown_waybill")
    resolve_discrepancy(
        discrepancy=stranger,
        to=DiscrepancyState.ACCEPTED,
        reason="查实为补录",
        actor=world.cast.finance,
        now=NOW,
    )
    second = write_dispute(statement=statement, actor=world.cast.finance, now=NOW)
    assert (second.revision, second.claimed_fen) == (2, 1500)
    assert second.slip.number != first.slip.number
    first.refresh_from_db()
    assert first.claimed_fen == 2200, "what was written stays as it was"


def test_nothing_disputed_means_no_letter(world: PostageWorld, tmp_path: Path) -> None:
    statement = statement_of(world, tmp_path / "a.csv", [world.row("999999", "7.00")])
    with pytest.raises(Refused, match="没有已提出异议"):
        write_dispute(statement=statement, actor=world.cast.finance, now=NOW)


def test_only_the_own_finance_writes(world: PostageWorld, tmp_path: Path) -> None:
    statement = disputed(world, tmp_path / "a.csv")
    stranger = person("zhuji-finance", Role.FINANCE, centre=world.cast.zhuji.centre)
    for actor in (stranger, world.cast.clerk, world.cast.auditor, world.cast.administrator):
        with pytest.raises(NotYours):
            write_dispute(statement=statement, actor=actor, now=NOW)


def test_a_credit_in_the_next_statement_answers_the_letter(world: PostageWorld, tmp_path: Path) -> None:
    dear = world.charged()
    march = statement_of(world, tmp_path / "a.csv", [world.row(dear.waybill.number, "15.00")])
    dispute_all(statement_id=march.pk, reason="与合同不符", actor=world.cast.finance, now=NOW)
    assert write_dispute(statement=march, actor=world.cast.finance, now=NOW).claimed_fen == 400
    statement_of(world, tmp_path / "b.csv", [world.row(dear.waybill.number, "-4.00")], "2026-04")
    assert march.discrepancies.get().state == DiscrepancyState.CREDITED
    with pytest.raises(Refused, match="没有已提出异议"):
        write_dispute(statement=march, actor=world.cast.finance, now=NOW)
