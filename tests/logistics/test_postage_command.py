"""`manage.py reconcile` and the demonstration's statement: five faults in, five found."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.demo.statements import FIVE_FAULTS, make_statement
from logistics.models import Discrepancy, Settlement, Statement
from logistics.postage.services import approve_settlement, dispute_all, prepare_month
from logistics.rules.payers import Leg, PaymentTerm
from tests.cast import NOW, assemble
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def world() -> PostageWorld:
    return PostageWorld.build(assemble())


def reconcile(path: Path, *, carrier: str = "ems", month: str = MONTH) -> tuple[int, dict[str, Any]]:
    """Exit code and report."""
    out = io.StringIO()
    try:
        call_command("reconcile", str(path), "--carrier", carrier, "--month", month, "--json", stdout=out)
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_the_demonstrations_faults_are_found_exactly(world: PostageWorld, tmp_path: Path, count: int) -> None:
    waybills = []
    for index in range(count):
        outbound = index % 2 == 1
        waybill = world.waybill(
            world.parcel(leg=Leg.RESULT if outbound else Leg.MATERIALS),
            term=PaymentTerm.SENDER_MONTHLY if outbound else PaymentTerm.COLLECT,
        )
        world.charged(waybill)
        waybills.append(waybill)
    planted = make_statement(tmp_path / "statement.xlsx", waybills)
    assert {fault.code for fault in planted} == {code.value for code in FIVE_FAULTS}
    code, report = reconcile(tmp_path / "statement.xlsx")
    assert code == 1
    found = [(one["code"], one["waybill"], one["row"], one["stake_fen"]) for one in report["discrepancies"]]
    assert sorted(found) == sorted((one.code, one.waybill, one.row, one.stake_fen) for one in planted)
    statement = Statement.objects.get()
    assert statement.centre == world.cast.taizhou.centre
    dispute_all(statement_id=statement.pk, reason="不符", actor=world.cast.finance, now=NOW)
    proposal = prepare_month(
        centre=world.cast.taizhou.centre,
        carrier=world.carrier,
        month=MONTH,
        actor=world.cast.finance,
        now=NOW,
    )
    settlement = approve_settlement(proposal=proposal, actor=world.cast.second_finance, now=NOW)
    assert settlement.line_count == count + 2
    assert settlement.payable_fen == settlement.billed_fen - settlement.withheld_fen


def test_a_clean_statement_exits_with_zero_and_may_be_repeated(world: PostageWorld, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    code, report = reconcile(path)
    assert (code, report["verdict"], report["known"]) == (0, "clean", False)
    code, report = reconcile(path)
    assert (code, report["known"]) == (0, True)


def test_words_for_people(world: PostageWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "12.00")])
    with pytest.raises(SystemExit, match="1"):
        call_command("reconcile", str(path), "--carrier", "ems", "--month", MONTH)
    assert "金额与资费不符：我方 11.00，账单 12.00，涉及 1.00 元" in capsys.readouterr().out


def test_a_refused_file_exits_with_one_and_leaves_nothing(world: PostageWorld, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("邮件号,重量\nA1,3\n", encoding="utf-8")
    code, report = reconcile(tmp_path / "a.csv")
    assert (code, report["verdict"], report["code"]) == (1, "refused", "missing_column")
    assert not Statement.objects.exists()
    assert not Discrepancy.objects.exists()
    assert not Settlement.objects.exists()


def test_wrong_usage_exits_with_two(world: PostageWorld, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [world.row("999999", "1")])
    assert reconcile(path, month="2026-13")[0] == 2
    for arguments in (
        [str(tmp_path / "none.csv"), "--carrier", "ems", "--month", MONTH],
        [str(path), "--carrier", "nobody", "--month", MONTH],
        [str(path), "--carrier", "ems", "--month", MONTH, "--centre", "nowhere"],
    ):
        with pytest.raises(CommandError) as fault:
            call_command("reconcile", *arguments)
        assert fault.value.returncode == 2
