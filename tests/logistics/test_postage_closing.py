"""A closed month: by office and case, to the fen, frozen, with live formulas and harmless foreign text."""

import io
import json
import random
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Sum
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from logistics.models import (
    Charge,
    ChargeShare,
    Discrepancy,
    LedgerAccount,
    LedgerEntry,
    Posting,
    Settlement,
    SettlementLine,
    SettlementProposal,
    Statement,
    StatementLine,
)
from logistics.postage.services import (
    approve_settlement,
    attach_settlement_pdf,
    dispute_all,
    import_statement,
    prepare_month,
    reconcile_statement,
    resolve_discrepancies,
    reverse_charge,
    settlement_json,
    settlement_workbook,
)
from logistics.postage.settlement_paper import settlement_paper
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.payers import Leg, PaymentTerm
from registry.actors import SYSTEM
from registry.models import Event, ServiceCentre
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from storage.models import Kind
from storage.services import open_verified, store_bytes
from tests.cast import APPLICANT, NOW, assemble, person
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
K = LedgerAccount.Kind


@pytest.fixture
def world() -> PostageWorld:
    return PostageWorld.build(assemble())


def bill(world: PostageWorld, path: Path, rows: list[tuple[str, ...]], *, month: str = MONTH) -> Statement:
    finance = world.cast.finance
    statement = import_statement(
        path=write_csv(path, rows), carrier=world.carrier, month=month, actor=finance, now=NOW
    ).statement
    reconcile_statement(statement=statement, actor=finance, now=NOW)
    return statement


def close(world: PostageWorld, *, month: str = MONTH) -> Settlement:
    proposal = prepare_month(
        centre=world.cast.taizhou.centre,
        carrier=world.carrier,
        month=month,
        actor=world.cast.finance,
        now=NOW,
    )
    return approve_settlement(proposal=proposal, actor=world.cast.second_finance, now=NOW)


def dispute(world: PostageWorld, statement: Statement) -> None:
    dispute_all(statement_id=statement.pk, reason="与合同不符", actor=world.cast.finance, now=NOW)


def accept(world: PostageWorld, statement: Statement) -> None:
    resolve_discrepancies(
        discrepancies=list(statement.discrepancies.all()),
        to=DiscrepancyState.ACCEPTED,
        reason="核实无误",
        actor=world.cast.finance,
        now=NOW,
    )


def balance(kind: LedgerAccount.Kind, centre: ServiceCentre | None = None) -> int:
    accounts = LedgerAccount.objects.filter(kind=kind)
    return sum(one.balance_fen() for one in (accounts.filter(centre=centre) if centre else accounts))


def test_a_month_is_settled_by_office_and_case(world: PostageWorld, tmp_path: Path) -> None:
    right, dear = world.charged(), world.charged()
    march = bill(
        world,
        tmp_path / "a.csv",
        [
            world.row(right.waybill.number, "11.00"),
            world.row(dear.waybill.number, "15.00"),
            world.row("999999", "7"),
        ],
    )
    with pytest.raises(Refused, match="还有 2 条差异没有处理"):
        close(world)
    dispute(world, march)
    settlement = close(world)
    assert (settlement.billed_fen, settlement.withheld_fen, settlement.payable_fen) == (3300, 1100, 2200)
    assert settlement.number == "JS-331000-2026-00001"
    lines = list(settlement.lines.values_list("waybill_number", "office_name", "case_number", "payable_fen"))
    office, case = world.cast.taizhou.name, world.case.number
    assert lines == [
        (right.waybill.number, office, case, 1100),
        (dear.waybill.number, office, case, 1100),
        ("999999", "", "", 0),
    ]
    assert Event.objects.filter(kind="settlement.closed").count() == 1
    assert (balance(K.ACCRUAL), balance(K.PAYABLE), balance(K.WITHHELD)) == (0, -2200, -1100)
    assert (balance(K.EXPENSE), balance(K.VARIANCE)) == (2200, 1100)


def test_a_month_is_closed_once(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    first = close(world)
    again = approve_settlement(
        proposal=SettlementProposal.objects.get(), actor=world.cast.second_finance, now=NOW
    )
    assert again == first
    with pytest.raises(Refused, match="已经结算"):
        close(world)
    assert Settlement.objects.count() == 1
    assert LedgerEntry.objects.count() == 2


def test_what_must_come_first(world: PostageWorld, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="还没有导入"):
        close(world)
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    import_statement(path=path, carrier=world.carrier, month=MONTH, actor=world.cast.finance, now=NOW)
    with pytest.raises(Refused, match="没有核对"):
        close(world)
    assert not Settlement.objects.exists()


def test_only_the_centres_own_finance_officer_closes(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    stranger = person("other-finance", Role.FINANCE, centre=world.cast.wenling.centre)
    for actor in (stranger, world.cast.clerk, world.cast.auditor):
        with pytest.raises(NotYours):
            prepare_month(
                centre=world.cast.taizhou.centre, carrier=world.carrier, month=MONTH, actor=actor, now=NOW
            )


def test_joint_parcels_fall_on_each_centre_and_sum_to_the_whole(
    world: PostageWorld, tmp_path: Path, tampering: None
) -> None:
    parcel = world.parcel(leg=Leg.JOINT_RESULT, case=world.joint_case(), weight_g=320)
    charge = world.charged(world.waybill(parcel, term=PaymentTerm.SENDER_MONTHLY))
    march = bill(world, tmp_path / "a.csv", [world.row(charge.waybill.number, "10.51", term="寄付月结")])
    accept(world, march)
    lead = close(world)
    other_finance = person("wenling-finance", Role.FINANCE, centre=world.cast.wenling.centre)
    Statement.objects.filter(pk=march.pk).update(centre=None)
    theirs = prepare_month(
        centre=world.cast.wenling.centre, carrier=world.carrier, month=MONTH, actor=SYSTEM, now=NOW
    )
    other = approve_settlement(proposal=theirs, actor=other_finance, now=NOW)
    assert (lead.payable_fen, other.payable_fen) == (526, 525)
    assert other.lines.get().office == world.cast.wenling
    assert balance(K.ACCRUAL) == 0


def test_a_difference_accepted_later_is_paid_next_month(world: PostageWorld, tmp_path: Path) -> None:
    march = bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "15.00")])
    dispute(world, march)
    first = close(world)
    frozen = settlement_json(first)["lines"]
    accept(world, march)
    bill(world, tmp_path / "b.csv", [world.row(world.charged().waybill.number, "11.00")], month="2026-04")
    second = close(world, month="2026-04")
    assert (first.payable_fen, second.payable_fen) == (1100, 1500)
    assert list(second.lines.values_list("kind", "payable_fen")) == [("billed", 1100), ("accepted", 400)]
    assert (balance(K.WITHHELD), balance(K.PAYABLE)) == (0, -2600)
    assert settlement_json(Settlement.objects.get(pk=first.pk))["lines"] == frozen
    bill(world, tmp_path / "c.csv", [world.row(world.charged().waybill.number, "11.00")], month="2026-05")
    assert close(world, month="2026-05").payable_fen == 1100


def test_a_credit_note_for_what_was_held_back_costs_and_earns_nothing(
    world: PostageWorld, tmp_path: Path
) -> None:
    number = world.charged().waybill.number
    dispute(world, bill(world, tmp_path / "a.csv", [world.row(number, "15.00")]))
    close(world)
    bill(world, tmp_path / "b.csv", [world.row(number, "-4.00")], month="2026-04")
    second = close(world, month="2026-04")
    assert (second.billed_fen, second.released_fen, second.payable_fen) == (-400, 400, 0)
    assert (balance(K.WITHHELD), balance(K.VARIANCE), balance(K.PAYABLE)) == (0, 0, -1100)


def test_a_credit_note_for_what_was_paid_lowers_the_next_bill(world: PostageWorld, tmp_path: Path) -> None:
    number = world.charged().waybill.number
    bill(world, tmp_path / "a.csv", [world.row(number, "11.00")])
    close(world)
    bill(world, tmp_path / "b.csv", [world.row(number, "-3.00")], month="2026-04")
    assert close(world, month="2026-04").payable_fen == -300
    assert (balance(K.PAYABLE), balance(K.VARIANCE)) == (-800, -300)


def test_a_late_statement_of_a_closed_month_goes_into_the_next(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    first = close(world)
    bill(world, tmp_path / "late.csv", [world.row(world.charged().waybill.number, "11.00")])
    with pytest.raises(Refused, match="更正请计入下月"):
        close(world)
    assert first.line_count == 1
    bill(world, tmp_path / "b.csv", [world.row(world.charged().waybill.number, "11.00")], month="2026-04")
    assert close(world, month="2026-04").payable_fen == 2200


def test_the_ledger_tells_the_truth_after_any_month(world: PostageWorld, tmp_path: Path) -> None:
    """After random months: what is owed is what the settlements say, and accruals are the unbilled charges."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    waiting: list[Charge] = []
    for index in range(3):
        waiting += [world.charged() for _ in range(4)]
        reversed_one = waiting.pop(chance.randrange(len(waiting)))
        reverse_charge(charge=reversed_one, reason="误计", actor=world.cast.finance, now=NOW)
        billed = [waiting.pop(chance.randrange(len(waiting))) for _ in range(2)]
        rows = [
            world.row(one.waybill.number, chance.choice(["11.00", "11.01", "19.00", "8.50"]))
            for one in billed
        ]
        rows.append(world.row(f"88888{index}", "3.33"))
        month = f"2026-0{index + 3}"
        statement = bill(world, tmp_path / f"{index}.csv", rows, month=month)
        chance.choice([dispute, accept])(world, statement)
        close(world, month=month)
        if chance.random() < 0.5 and statement.discrepancies.filter(state="disputed").exists():
            accept(world, statement)
    due = Settlement.objects.aggregate(total=Sum("payable_fen"))["total"]
    assert -balance(K.PAYABLE) == due, f"seed {seed}"
    assert -balance(K.ACCRUAL) == sum(one.amount_fen for one in waiting), f"seed {seed}"
    assert sum(balance(kind) for kind in K) == 0


def test_the_workbook_has_live_totals_that_agree(world: PostageWorld, tmp_path: Path) -> None:
    world.charged()
    rows = [world.row(world.charged().waybill.number, "15.00"), world.row("999999", "7.00")]
    dispute(world, bill(world, tmp_path / "a.csv", rows))
    settlement = close(world)
    assert settlement.workbook is not None
    content = open_verified(settlement.workbook)
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["汇总", "按事项", "按办件", "明细", "差异"]
    summary = book["汇总"]
    total = next(row for row in summary.iter_rows() if row[0].value == "合计")
    values = [evaluate(book["明细"], str(cell.value), summary) for cell in total[1:6]]
    assert values == [2, Decimal(22), Decimal(11), Decimal(0), Decimal(11)]
    by_office = list(summary.iter_rows(min_row=10, max_row=11))
    assert sum(evaluate(book["明细"], str(row[5].value), summary) for row in by_office) == Decimal(11)
    for name, group in (("按事项", world.cast.item.name), ("按办件", world.case.number)):
        sheet: Worksheet = book[name]
        sums = {str(row[0].value): str(row[5].value) for row in sheet.iter_rows(min_row=2)}
        assert evaluate(book["明细"], sums[group], sheet) == Decimal(11), name
    assert [cell.value for cell in book["差异"][2]][2] in {"金额与资费不符", "运单号不存在"}
    assert settlement_workbook(settlement) == content


def test_paper_and_json_say_what_the_workbook_says(world: PostageWorld, tmp_path: Path) -> None:
    waiting = world.charged()
    dispute(world, bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "15.00")]))
    settlement = close(world)
    paper, data = settlement_paper(settlement), settlement_json(settlement)
    assert [
        (row.office, row.parcels, row.billed, row.disputed, row.corrections, row.payable)
        for row in paper.offices
    ] == [(world.cast.taizhou.name, 1, 1500, 400, 0, 1100)]
    assert [(line.amount, line.waybill) for line in paper.lines] == [
        (line["payable_fen"], line["waybill"]) for line in data["lines"]
    ]
    assert paper.total == data["totals_fen"]["payable"] == 1100
    assert any("暂扣" in remark for remark in paper.remarks)
    assert data["totals_fen"]["accrued"] == waiting.amount_fen
    assert sum(line["payable_fen"] for line in data["lines"]) == data["totals_fen"]["payable"]
    for group in ("by_office", "by_item", "by_case"):
        assert sum(row["payable"] for row in data[group]) == data["totals_fen"]["payable"], group
    for text in (paper.model_dump_json(), json.dumps(data, ensure_ascii=False)):
        assert APPLICANT.name not in text
        assert APPLICANT.address not in text


def test_the_signed_paper_is_attached_once(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    settlement = close(world)
    one, other = (
        store_bytes(content=f"%PDF {n}".encode(), kind=Kind.SETTLEMENT, media_type="application/pdf", now=NOW)
        for n in range(2)
    )
    for _ in range(2):
        assert (
            attach_settlement_pdf(settlement=settlement, stored=one, actor=world.cast.finance, now=NOW).paper
            == one
        )
    with pytest.raises(Refused, match="不能更换"):
        attach_settlement_pdf(settlement=settlement, stored=other, actor=world.cast.finance, now=NOW)
    assert Event.objects.filter(kind="settlement.signed").count() == 1


def test_a_lying_statement_is_defused_on_its_way_out(world: PostageWorld, tmp_path: Path) -> None:
    dispute(world, bill(world, tmp_path / "a.csv", [world.row("=CMD()", "7.00", term="=1+1")]))
    settlement = close(world)
    assert settlement.workbook is not None
    book = load_workbook(io.BytesIO(open_verified(settlement.workbook)))
    texts = [cell for page in (book["明细"], book["差异"]) for row in page.iter_rows() for cell in row]
    assert {cell.value for cell in texts if cell.data_type == "f"} <= {"=SUM(F2:F2)", "=SUM(F2:F3)"}


def test_nothing_is_ever_edited_away(world: PostageWorld, tmp_path: Path, append_only: None) -> None:
    dispute(world, bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "15.00")]))
    settlement = close(world)
    for model in (Charge, ChargeShare, LedgerEntry, Posting, StatementLine, SettlementLine):
        table = model._meta.db_table
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(sql)
    partly: list[tuple[type[Statement | Settlement], str]] = [
        (Statement, "amount_fen"),
        (Settlement, "payable_fen"),
    ]
    for kept, field in partly:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            kept._base_manager.update(**{field: F(field) + 1})
    Settlement.objects.filter(pk=settlement.pk).update(paper=settlement.workbook)
    Statement.objects.update(reconciled_at=NOW + timedelta(days=1))
    resolve_discrepancies(
        discrepancies=[Discrepancy.objects.get()],
        to=DiscrepancyState.ACCEPTED,
        reason="认可",
        actor=world.cast.finance,
        now=NOW,
    )
    bill(world, tmp_path / "b.csv", [world.row(world.charged().waybill.number, "11.00")], month="2026-04")
    assert close(world, month="2026-04").payable_fen == 1500


def evaluate(details: Worksheet, formula: str, summary: Worksheet) -> Decimal | int:
    """Enough of a spreadsheet to follow our own formulas over 明细."""
    if match := re.fullmatch(r"=SUM\(明细!([A-Z])2:\1(\d+)\)", formula):
        return sum(
            (_number(details[f"{match[1]}{row}"].value) for row in range(2, int(match[2]) + 1)), Decimal(0)
        )
    if match := re.fullmatch(r"=COUNTA\(明细!A2:A(\d+)\)", formula):
        return sum(details[f"A{row}"].value is not None for row in range(2, int(match[1]) + 1))
    match = re.fullmatch(r"=SUMIF\(明细!([DEF])2:\1(\d+),A(\d+),明细!([A-Z])2:\4\2\)", formula)
    assert match is not None, formula
    key = summary.cell(row=int(match[3]), column=1).value
    rows = [row for row in range(2, int(match[2]) + 1) if details[f"{match[1]}{row}"].value == key]
    return sum((_number(details[f"{match[4]}{row}"].value) for row in rows), Decimal(0))


def _number(value: object) -> Decimal:
    return Decimal(str(value))
