"""结算: one person prepares a month, another approves it; then its lines are copied, numbered and never change."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from logistics.models import (
    Carrier,
    Discrepancy,
    Settlement,
    SettlementLine,
    SettlementProposal,
    Statement,
    StatementState,
)
from logistics.postage.books import Books, Tally, post
from logistics.postage.drafting import Draft, Drawn, batches, draft_month, draw_lines
from logistics.postage.reconciling import accruals
from logistics.postage.settlement_files import keep_workbook
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.settling import NotAllowed, ProposalState, check_second_person, target_of
from registry import events
from registry.actors import Actor
from registry.models import NumberSequence, ServiceCentre
from registry.permissions import NotYours, check_may
from registry.rules.talk import fitting
from storage.errors import Refused
from storage.models import StoredObject

S = DiscrepancyState


def prepare_month(
    *, centre: ServiceCentre, carrier: Carrier, month: str, actor: Actor, now: datetime
) -> SettlementProposal:
    """Work a month out and lay it before a second person. Nothing is frozen, numbered or entered yet.

    Preparing again without a change answers the proposal that waits; after a change it is replaced. Raises Refused
    while a statement is not reconciled or a difference is undecided, and for a month that is settled.
    """
    check_may(actor, "month.prepare")
    if actor.kind != "system" and actor.centre_id != centre.pk:
        raise NotYours
    with transaction.atomic():
        Carrier.objects.select_for_update().get(pk=carrier.pk)
        _check_ready(centre, carrier, month)
        draft = draft_month(centre=centre, carrier=carrier, month=month)
        if draft.count == 0 and draft.accrued_count == 0:
            raise Refused("nothing_to_settle", "本期没有属于本中心的账单明细，无需结算。")
        waiting = SettlementProposal.objects.filter(
            centre=centre, carrier=carrier, month=month, state=ProposalState.PREPARED.value
        ).first()
        if waiting is not None:
            if waiting.digest == draft.digest:
                return waiting
            _move(waiting, "replace", actor=actor, now=now, reason="数据有变化，重新编制")
        return _propose(centre, carrier, month, draft, actor=actor, now=now)


def approve_settlement(*, proposal: SettlementProposal, actor: Actor, now: datetime) -> Settlement:
    """A second finance officer of the same centre agrees; the month is frozen, numbered and entered in the ledger.

    Approving again answers the settlement that is there. The signed PDF follows through the event
    `settlement.closed`. Raises Refused for whoever prepared it, and when the books changed since.
    """
    check_may(actor, "settlement.approve", proposal)
    check_second_person(prepared_by=proposal.prepared_by_id, kind=actor.kind, person=actor.id)
    with transaction.atomic():
        Carrier.objects.select_for_update().get(pk=proposal.carrier_id)
        proposal = SettlementProposal.objects.select_related("centre", "carrier", "settlement").get(
            pk=proposal.pk
        )
        settlement = proposal.settlement
        if settlement is None:
            _check_ready(proposal.centre, proposal.carrier, proposal.month)
            _move(proposal, "approve", actor=actor, now=now)
            settlement = _settle(proposal, actor=actor, now=now)
            SettlementProposal.objects.filter(pk=proposal.pk).update(settlement=settlement)
    keep_workbook(settlement=settlement, now=now)
    return Settlement.objects.get(pk=settlement.pk)


def return_settlement(
    *, proposal: SettlementProposal, reason: str, actor: Actor, now: datetime
) -> SettlementProposal:
    """Send a prepared month back, or withdraw it, with the reason. It can be prepared anew."""
    check_may(actor, "settlement.approve", proposal)
    reason = fitting(reason, what="退回的理由")
    if not reason:
        raise NotAllowed("return_reason", "请写明退回的理由。")
    with transaction.atomic():
        proposal = SettlementProposal.objects.select_related("carrier").get(pk=proposal.pk)
        _move(proposal, "return", actor=actor, now=now, reason=reason)
        events.record(
            kind="settlement.returned",
            actor=actor,
            subject=proposal,
            now=now,
            data={"month": proposal.month, "carrier": proposal.carrier.code, "reason": reason},
        )
    return SettlementProposal.objects.get(pk=proposal.pk)


def attach_settlement_pdf(
    *, settlement: Settlement, stored: StoredObject, actor: Actor, now: datetime
) -> Settlement:
    """Add the signed paper, once. The same paper again changes nothing; another one is refused."""
    with transaction.atomic():
        attached = Settlement.objects.filter(pk=settlement.pk, paper__isnull=True).update(paper=stored)
        settlement = Settlement.objects.get(pk=settlement.pk)
        if settlement.paper_id != stored.pk:
            raise Refused("settlement_signed", "结算单已签章，不能更换。")
        if attached:
            events.record(
                kind="settlement.signed",
                actor=actor,
                subject=settlement,
                now=now,
                data={"number": settlement.number, "sha256": stored.sha256},
            )
    return settlement


def _check_ready(centre: ServiceCentre, carrier: Carrier, month: str) -> None:
    statements = Statement.objects.filter(carrier=carrier).filter(Q(centre=centre) | Q(centre__isnull=True))
    if not statements.filter(month=month).exists():
        raise Refused("no_statement", f"{carrier.name} {month} 的对账单还没有导入，不能结算。")
    if statements.filter(month__lte=month).exclude(state=StatementState.RECONCILED).exists():
        raise Refused("not_reconciled", f"{carrier.name} {month} 及以前还有对账单没有核对，请先核对。")
    if Settlement.objects.filter(centre=centre, carrier=carrier, month=month).exists():
        raise Refused("month_closed", f"{carrier.name} {month} 已经结算，更正请计入下月。")
    if Settlement.objects.filter(centre=centre, carrier=carrier, month__gt=month).exists():
        raise Refused("later_month_closed", "之后的月份已经结算，更正请计入下月。")
    undecided = Discrepancy.objects.filter(
        statement__in=statements, statement__month__lte=month, state=S.OPEN.value
    )
    count = undecided.count()
    if count:
        raise Refused("open_discrepancies", f"还有 {count} 条差异没有处理，请先提出异议或认可。")


def _propose(
    centre: ServiceCentre, carrier: Carrier, month: str, draft: Draft, *, actor: Actor, now: datetime
) -> SettlementProposal:
    proposal = SettlementProposal.objects.create(
        centre=centre,
        carrier=carrier,
        month=month,
        line_count=draft.count,
        billed_fen=draft.billed_fen,
        withheld_fen=draft.withheld_fen,
        released_fen=draft.released_fen,
        payable_fen=draft.payable_fen,
        accrued_count=draft.accrued_count,
        accrued_fen=draft.accrued_fen,
        digest=draft.digest,
        prepared_by_id=actor.id,
        prepared_by=actor.label,
        prepared_at=now,
    )
    events.record(
        kind="settlement.prepared",
        actor=actor,
        subject=proposal,
        now=now,
        data={
            "month": month,
            "carrier": carrier.code,
            "payable_fen": draft.payable_fen,
            "lines": draft.count,
            "digest": draft.digest,
        },
    )
    return proposal


def _move(proposal: SettlementProposal, act: str, *, actor: Actor, now: datetime, reason: str = "") -> None:
    target = target_of(act, proposal.state)
    changed = SettlementProposal.objects.filter(pk=proposal.pk, state=proposal.state).update(
        state=target.value, decided_by_id=actor.id, decided_by=actor.label, decided_at=now, reason=reason
    )
    if not changed:
        raise Refused("stale", "该结算已被他人处理，请刷新页面。")


def _settle(proposal: SettlementProposal, *, actor: Actor, now: datetime) -> Settlement:
    centre, carrier, month = proposal.centre, proposal.carrier, proposal.month
    settlement = Settlement.objects.create(
        number=_number(centre, month),
        centre=centre,
        carrier=carrier,
        month=month,
        line_count=0,
        billed_fen=0,
        withheld_fen=0,
        released_fen=0,
        payable_fen=0,
        accrued_count=proposal.accrued_count,
        accrued_fen=proposal.accrued_fen,
        prepared_at=proposal.prepared_at,
        prepared_by=proposal.prepared_by,
        closed_at=now,
        closed_by=actor.label,
    )
    draft, tally, books = Draft(), Tally(), Books(centre=centre, carrier=carrier)
    for chunk in batches(draw_lines(settlement)):
        for drawn in chunk:
            draft.add(drawn.row)
            drawn.row.position = draft.count
            _enter(drawn, books, tally)
        SettlementLine.objects.bulk_create(drawn.row for drawn in chunk)
    draft.accrue(accruals(centre=centre, carrier_id=carrier.pk, month=month), centre)
    if draft.digest != proposal.digest:
        raise NotAllowed("month_changed", "编制之后账目有变化，请重新编制后再复核。")
    _freeze(settlement, draft)
    post(subject=f"settled:{settlement.pk}", words=f"结算 {settlement.number}", moves=tally.moves(), now=now)
    events.record(
        kind="settlement.closed",
        actor=actor,
        subject=settlement,
        now=now,
        data={
            "number": settlement.number,
            "month": month,
            "carrier": carrier.code,
            "centre": centre.pk,
            "payable_fen": settlement.payable_fen,
            "lines": draft.count,
            "prepared_by": proposal.prepared_by_id,
        },
    )
    return settlement


def _enter(drawn: Drawn, books: Books, tally: Tally) -> None:
    row = drawn.row
    if drawn.accepted:
        tally.add(*books.accepted(row.released_fen))
        return
    tally.add(
        *books.billed(
            expected_fen=row.expected_fen,
            billed_fen=row.billed_fen + row.released_fen,
            withheld_fen=row.withheld_fen,
        ),
        *books.credited(drawn.credited_fen),
    )


def _freeze(settlement: Settlement, draft: Draft) -> None:
    settlement.line_count = draft.count
    settlement.billed_fen = draft.billed_fen
    settlement.withheld_fen = draft.withheld_fen
    settlement.released_fen = draft.released_fen
    settlement.payable_fen = draft.payable_fen
    settlement.frozen = True
    settlement.save()


def _number(centre: ServiceCentre, month: str) -> str:
    year = month[:4]
    return f"JS-{centre.region_id}-{year}-{NumberSequence.take(f'settlement:{centre.pk}:{year}'):05d}"
