"""What people decide about differences, and what carriers give back."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from logistics.models import Discrepancy, SettlementLine, StatementLine
from logistics.postage.books import Books, post
from logistics.rules.disputes import DiscrepancyState, check_move, check_reason
from logistics.rules.money import split_by
from registry import events
from registry.actors import Actor
from registry.permissions import NotYours, check_may, visible
from registry.rules.talk import fitting
from storage.errors import Refused

S = DiscrepancyState


def resolve_discrepancy(
    *, discrepancy: Discrepancy, to: DiscrepancyState, reason: str, actor: Actor, now: datetime
) -> Discrepancy:
    """Dispute, accept, or note the carrier's credit, with a reason. Raises Refused when the step is not open."""
    resolve_discrepancies(discrepancies=[discrepancy], to=to, reason=reason, actor=actor, now=now)
    return Discrepancy.objects.get(pk=discrepancy.pk)


def resolve_discrepancies(
    *, discrepancies: Sequence[Discrepancy], to: DiscrepancyState, reason: str, actor: Actor, now: datetime
) -> int:
    """The same decision for many differences at once, all or none. Answers how many."""
    check_may(actor, "discrepancy.resolve")
    reason = fitting(reason, what="处理理由")
    check_reason(to, reason)
    with transaction.atomic():
        wanted = {discrepancy.pk for discrepancy in discrepancies}
        mine = visible(actor, "discrepancy.resolve", Discrepancy.objects.filter(pk__in=wanted))
        rows = list(Discrepancy.objects.filter(pk__in=mine.values("pk")).select_related("statement", "line"))
        if len(rows) != len(wanted):
            raise NotYours
        for row in rows:
            _move(row, to, reason=reason, line=None, actor=actor, now=now)
    return len(rows)


def dispute_all(*, statement_id: int, reason: str, actor: Actor, now: datetime) -> int:
    """Dispute everything that is still open in a statement."""
    still_open = Discrepancy.objects.filter(statement_id=statement_id, state=S.OPEN.value)
    return resolve_discrepancies(
        discrepancies=list(still_open), to=S.DISPUTED, reason=reason, actor=actor, now=now
    )


def credit_from_line(*, line: StatementLine, amount_fen: int, actor: Actor, now: datetime) -> int:
    """Match a 红冲 line against earlier differences of its waybill; answers the fen that found one."""
    spent = sum(line.credits.values_list("stake_fen", flat=True))
    left = amount_fen - spent
    waiting = Discrepancy.objects.filter(
        Q(state__in=[S.OPEN.value, S.DISPUTED.value]) | Q(state=S.CREDITED.value, credited_by__isnull=True),
        waybill_number=line.waybill_number,
        statement__carrier_id=line.statement.carrier_id,
        stake_fen__gt=0,
    ).exclude(statement_id=line.statement_id)
    reason = f"承运商在 {line.statement.month} 对账单第 {line.row} 行冲减"
    rows = waiting.select_related("statement", "line")
    for row in sorted(rows, key=lambda row: (row.statement.period, row.row)):
        if row.statement.period > line.statement.period or row.stake_fen > left:
            continue
        left -= row.stake_fen
        if row.state == S.CREDITED:
            Discrepancy.objects.filter(pk=row.pk).update(credited_by=line)
        else:
            _move(row, S.CREDITED, reason=reason, line=line, actor=actor, now=now)
    return amount_fen - left


def _move(
    row: Discrepancy,
    to: DiscrepancyState,
    *,
    reason: str,
    line: StatementLine | None,
    actor: Actor,
    now: datetime,
) -> None:
    old = S(row.state)
    check_move(old, to)
    changed = Discrepancy.objects.filter(pk=row.pk, state=old.value).update(
        state=to.value, reason=reason, decided_at=now, credited_by=line
    )
    if not changed:
        raise Refused("stale", "该差异已被他人处理，请刷新页面。")
    if to == S.CREDITED:
        _write_off(row, now=now)
    events.record(
        kind=f"discrepancy.{to.value}",
        actor=actor,
        subject=row,
        now=now,
        data={"code": row.code, "waybill": row.waybill_number, "stake_fen": row.stake_fen, "reason": reason},
    )


def _write_off(row: Discrepancy, *, now: datetime) -> None:
    """In a month already settled the stake was held back; now it is known that nobody owes it."""
    settled = list(
        SettlementLine.objects.filter(
            statement_line_id=row.line_id, kind=SettlementLine.Kind.BILLED, withheld_fen__gt=0
        ).select_related("centre", "settlement__carrier")
        if row.line_id
        else ()
    )
    if not settled:
        return
    held = [line.withheld_fen for line in settled]
    parts = split_by(min(row.stake_fen, sum(held)), held)
    for line, part in zip(settled, parts, strict=True):
        books = Books(centre=line.centre, carrier=line.settlement.carrier)
        post(
            subject=f"credited:{row.pk}:{line.pk}",
            words=f"承运商冲减 {row.waybill_number}",
            moves=books.credited(part),
            now=now,
        )
