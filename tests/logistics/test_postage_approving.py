"""Two people close a month: what one prepared another approves, exactly as it was shown, or sends back."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from logistics.models import LedgerEntry, Settlement, SettlementLine, SettlementProposal
from logistics.postage.services import (
    approve_settlement,
    dispute_all,
    draft_month,
    import_statement,
    prepare_month,
    reconcile_statement,
    return_settlement,
)
from logistics.postage.settlement_paper import settlement_paper
from logistics.rules.settling import STEPS, NotAllowed, ProposalState, check_second_person, target_of
from registry.actors import SYSTEM, Actor
from registry.models import Event
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, assemble, person
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv


@pytest.fixture
def world(db: None, objects: None) -> PostageWorld:
    return PostageWorld.build(assemble())


def bill(world: PostageWorld, path: Path, rows: list[tuple[str, ...]], *, month: str = MONTH) -> None:
    finance = world.cast.finance
    made = import_statement(
        path=write_csv(path, rows), carrier=world.carrier, month=month, actor=finance, now=NOW
    )
    reconcile_statement(statement=made.statement, actor=finance, now=NOW)
    dispute_all(statement_id=made.statement.pk, reason="与合同不符", actor=finance, now=NOW)


def prepare(world: PostageWorld, actor: Actor | None = None) -> SettlementProposal:
    return prepare_month(
        centre=world.cast.taizhou.centre,
        carrier=world.carrier,
        month=MONTH,
        actor=actor or world.cast.finance,
        now=NOW,
    )


def test_every_act_and_state_answers_as_the_table_says() -> None:
    allowed = {(step.act, source): step.target for step in STEPS for source in step.sources}
    for act in ("approve", "return", "replace"):
        for state in ProposalState:
            if (act, state) in allowed:
                assert target_of(act, state) is allowed[act, state]
            else:
                with pytest.raises(NotAllowed):
                    target_of(act, state)


@pytest.mark.parametrize(
    ("kind", "who", "allowed"),
    [("user", "2", True), ("user", "1", False), ("user", "", False), ("system", "", False)],
)
def test_the_second_person_is_a_person_and_another_one(kind: str, who: str, allowed: bool) -> None:
    if allowed:
        check_second_person(prepared_by="1", kind=kind, person=who)
        return
    with pytest.raises(NotAllowed):
        check_second_person(prepared_by="1", kind=kind, person=who)


def test_preparing_freezes_numbers_and_enters_nothing(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "15.00")])
    entries = LedgerEntry.objects.count()
    proposal = prepare(world)
    assert (proposal.billed_fen, proposal.withheld_fen, proposal.payable_fen) == (1500, 400, 1100)
    assert not Settlement.objects.exists()
    assert not SettlementLine.objects.exists()
    assert LedgerEntry.objects.count() == entries
    assert not Event.objects.filter(kind="settlement.closed").exists()
    assert Event.objects.filter(kind="settlement.prepared").count() == 1


def test_another_person_of_the_centre_approves_and_only_then_it_is_frozen(
    world: PostageWorld, tmp_path: Path
) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "15.00")])
    proposal = prepare(world)
    settlement = approve_settlement(proposal=proposal, actor=world.cast.second_finance, now=NOW)
    assert settlement.frozen
    assert (settlement.prepared_by, settlement.closed_by) == ("finance", "second-finance")
    assert settlement.payable_fen == proposal.payable_fen
    proposal.refresh_from_db()
    assert (proposal.state, proposal.settlement) == (ProposalState.APPROVED, settlement)
    assert Event.objects.filter(kind="settlement.closed").count() == 1
    paper = settlement_paper(settlement)
    assert paper.prepared_by
    assert paper.approved_by


def test_whoever_prepared_never_approves(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    proposal = prepare(world)
    with pytest.raises(Refused, match="不能复核自己"):
        approve_settlement(proposal=proposal, actor=world.cast.finance, now=NOW)
    with pytest.raises(Refused, match="本人复核"):
        approve_settlement(proposal=proposal, actor=SYSTEM, now=NOW)
    stranger = person("zhuji-finance", Role.FINANCE, centre=world.cast.zhuji.centre)
    for actor in (stranger, world.cast.clerk, world.cast.officer, world.cast.auditor):
        with pytest.raises(NotYours):
            approve_settlement(proposal=proposal, actor=actor, now=NOW)
    assert not Settlement.objects.exists()


def test_the_database_knows_the_rule_too(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    prepare(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        SettlementProposal.objects.update(state="approved", decided_by_id=F("prepared_by_id"))


def test_what_is_approved_is_what_was_prepared(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    proposal = prepare(world)
    assert prepare(world) == proposal, "nothing changed, so nothing is prepared anew"
    bill(world, tmp_path / "late.csv", [world.row(world.charged().waybill.number, "11.00")])
    with pytest.raises(Refused, match="账目有变化"):
        approve_settlement(proposal=proposal, actor=world.cast.second_finance, now=NOW)
    assert not Settlement.objects.exists()
    assert not SettlementLine.objects.exists()
    anew = prepare(world, world.cast.second_finance)
    proposal.refresh_from_db()
    assert (proposal.state, anew.payable_fen) == (ProposalState.OUTDATED, 2200)
    with pytest.raises(Refused, match="请刷新"):
        approve_settlement(proposal=proposal, actor=world.cast.second_finance, now=NOW)
    settlement = approve_settlement(proposal=anew, actor=world.cast.finance, now=NOW)
    assert settlement.number.endswith("00001"), "refused attempts take no number"


def test_a_month_is_sent_back_with_a_reason_and_prepared_anew(world: PostageWorld, tmp_path: Path) -> None:
    bill(world, tmp_path / "a.csv", [world.row(world.charged().waybill.number, "11.00")])
    proposal = prepare(world)
    with pytest.raises(Refused, match="写明退回的理由"):
        return_settlement(proposal=proposal, reason=" ", actor=world.cast.second_finance, now=NOW)
    returned = return_settlement(
        proposal=proposal, reason="漏了补充账单", actor=world.cast.second_finance, now=NOW
    )
    assert (returned.state, returned.reason) == (ProposalState.RETURNED, "漏了补充账单")
    with pytest.raises(Refused, match="已退回"):
        approve_settlement(proposal=proposal, actor=world.cast.second_finance, now=NOW)
    assert prepare(world).pk != proposal.pk


def test_the_draft_says_what_the_settlement_will_say(world: PostageWorld, tmp_path: Path) -> None:
    world.charged()
    rows = [world.row(world.charged().waybill.number, "15.00"), world.row("999999", "7.00")]
    bill(world, tmp_path / "a.csv", rows)
    draft = draft_month(centre=world.cast.taizhou.centre, carrier=world.carrier, month=MONTH)
    settlement = approve_settlement(proposal=prepare(world), actor=world.cast.second_finance, now=NOW)
    assert [(row.waybill_number, row.payable_fen) for row in draft.first] == list(
        settlement.lines.values_list("waybill_number", "payable_fen")
    )
    assert {name: office.payable_fen for name, office in draft.offices.items()} == {
        world.cast.taizhou.name: 1100,
        "": 0,
    }
    assert (draft.accrued_count, draft.accrued_fen) == (settlement.accrued_count, settlement.accrued_fen)
