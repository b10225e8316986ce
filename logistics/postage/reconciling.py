"""对账: every line of a statement against what we know; run again, it finds the same and adds nothing."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from logistics.models import Charge, ChargeShare, Discrepancy, Statement, StatementLine, StatementState
from logistics.models.billing import BILLED_COLUMNS, billed_of
from logistics.postage.deciding import credit_from_line
from logistics.postage.facts import FactFinder
from logistics.rules.checks import (
    Billed,
    Finding,
    Period,
    Totals,
    check_totals,
    check_waybill,
    unmatched_credits,
)
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.parcels import ParcelState
from registry import events
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import check_may

_CHUNK = 2000
_Line = tuple[int, Billed]
"""A line with its key."""

S = DiscrepancyState


class Reconciled(NamedTuple):
    """What stands against a statement: open and decided differences (cleared ones left out), and what is at stake."""

    statement: Statement
    differences: int
    stake_fen: int
    accrued: int
    accrued_fen: int


def reconcile_statement(*, statement: Statement, actor: Actor, now: datetime) -> Reconciled:
    """Check every line, keep new differences, clear open ones whose reason is gone, match credits back.

    Later statements that name the same waybills are checked again, so the order of imports does not matter.
    """
    check_may(actor, "statement.reconcile", statement)
    with transaction.atomic():
        statement = (
            Statement.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=statement.pk)
        )
        _reconcile(statement, actor=actor, now=now)
        for later in _later(statement):
            _reconcile(later, actor=actor, now=now)
    return outcome_of(statement)


def outcome_of(statement: Statement) -> Reconciled:
    """The differences that stand and the accruals beside them, counted by the database."""
    standing = statement.discrepancies.exclude(state=S.CLEARED.value).aggregate(
        count=Count("pk"), stake=Sum("stake_fen")
    )
    missing = _unbilled(
        centre=statement.centre, carrier_id=statement.carrier_id, month=statement.month
    ).aggregate(count=Count("pk"), fen=Sum("amount_fen"))
    return Reconciled(
        statement, standing["count"], standing["stake"] or 0, missing["count"], missing["fen"] or 0
    )


def accruals(*, centre: ServiceCentre | None, carrier_id: int, month: str) -> list[Charge]:
    """Charges of parcels delivered by the end of the month that no statement up to that month has billed."""
    found = _unbilled(centre=centre, carrier_id=carrier_id, month=month)
    return list(found.select_related("waybill", "case", "office"))


def _unbilled(*, centre: ServiceCentre | None, carrier_id: int, month: str) -> QuerySet[Charge]:
    billed = StatementLine.objects.filter(
        statement__carrier_id=carrier_id,
        statement__month__lte=month,
        amount_fen__gt=0,
        waybill_number=OuterRef("waybill__number"),
    )
    found = Charge.objects.standing().filter(
        waybill__carrier_id=carrier_id,
        amount_fen__gt=0,
        parcel__delivered_at__date__lt=period_of(month).after,
    )
    if centre is not None:
        found = found.filter(Exists(ChargeShare.objects.filter(charge=OuterRef("pk"), centre=centre)))
    return found.exclude(parcel__state=ParcelState.LOST.value).exclude(Exists(billed))


def period_of(month: str) -> Period:
    """The days of a month written "2026-01"."""
    first = date.fromisoformat(f"{month}-01")
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Period(first=first, after=after)


def _reconcile(statement: Statement, *, actor: Actor, now: datetime) -> None:
    kept = {(found.row, found.code): found for found in statement.discrepancies.select_related("line")}
    seen: set[tuple[int, str]] = set()
    new: list[Discrepancy] = []
    for finding, line in _findings(statement):
        key = (finding.row, finding.code.value)
        if key in seen:
            continue
        seen.add(key)
        if key in kept:
            _renew(kept[key], finding)
            continue
        new.append(_row(statement, line, finding, now))
    Discrepancy.objects.bulk_create(new, batch_size=1000)
    gone = [found.pk for key, found in kept.items() if key not in seen and found.state == S.OPEN]
    Discrepancy.objects.filter(pk__in=gone, state=S.OPEN.value).update(state=S.CLEARED.value)
    for credit, left in _credits(statement):
        credit_from_line(line=credit, amount_fen=left, actor=actor, now=now)
    if new or gone or statement.state != StatementState.RECONCILED:
        Statement.objects.filter(pk=statement.pk).update(state=StatementState.RECONCILED, reconciled_at=now)
        events.record(
            kind="statement.reconciled",
            actor=actor,
            subject=statement,
            now=now,
            data={"month": statement.month, "found": len(new), "cleared": len(gone)},
        )


def _findings(statement: Statement) -> Iterator[tuple[Finding, int | None]]:
    """Each finding with the key of its line; a totals row has none."""
    period = period_of(statement.month)
    finder = FactFinder(statement.carrier)
    before = _periods_before(statement)
    for group in _chunks(_by_waybill(statement)):
        numbers = [number for number, _ in group]
        facts = finder.facts(numbers)
        earlier = _earlier(before, numbers)
        for number, rows in group:
            lines = {billed.row: pk for pk, billed in rows}
            billed = [one for _, one in rows]
            for unit in [billed] if number else [[one] for one in billed]:
                for finding in check_waybill(unit, facts.get(number), earlier.get(number, ()), period):
                    yield finding, lines[finding.row]
    for finding in check_totals(Totals(*total) for total in statement.totals):
        yield finding, None


def _by_waybill(statement: Statement) -> Iterator[tuple[str, list[_Line]]]:
    """The lines of each waybill together, in order, without holding the whole statement."""
    rows = statement.lines.order_by("waybill_number", "row").values_list("pk", *BILLED_COLUMNS)
    lines = ((pk, billed_of(values, statement.period)) for pk, *values in rows.iterator(chunk_size=2000))
    for number, group in groupby(lines, key=lambda line: line[1].waybill):
        yield number, list(group)


def _chunks(groups: Iterable[tuple[str, list[_Line]]]) -> Iterator[list[tuple[str, list[_Line]]]]:
    chunk: list[tuple[str, list[_Line]]] = []
    for group in groups:
        chunk.append(group)
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _periods_before(statement: Statement) -> dict[int, tuple[str, str]]:
    """The carrier's statements that come before this one by month, then by digest."""
    others = Statement.objects.filter(
        carrier_id=statement.carrier_id, month__lte=statement.month
    ).values_list("pk", "month", "sha256")
    return {pk: (month, sha256) for pk, month, sha256 in others if (month, sha256) < statement.period}


def _earlier(before: Mapping[int, tuple[str, str]], numbers: Iterable[str]) -> dict[str, list[Billed]]:
    """Lines of these waybills in those statements."""
    found: dict[str, list[Billed]] = {}
    if not before:
        return found
    lines = StatementLine.objects.filter(
        waybill_number__in=[number for number in numbers if number], statement_id__in=list(before)
    )
    for pk, *values in lines.values_list("statement_id", *BILLED_COLUMNS):
        billed = billed_of(values, before[pk])
        found.setdefault(billed.waybill, []).append(billed)
    return found


def _later(statement: Statement) -> list[Statement]:
    """Reconciled statements behind this one that name one of its waybills."""
    numbers = statement.lines.exclude(waybill_number="").values("waybill_number")
    behind = (
        Statement.objects.filter(
            carrier_id=statement.carrier_id,
            month__gte=statement.month,
            state=StatementState.RECONCILED,
            lines__waybill_number__in=numbers,
        )
        .exclude(pk=statement.pk)
        .select_related("carrier")
        .distinct()
    )
    return sorted(
        (later for later in behind if later.period > statement.period), key=lambda later: later.period
    )


def _credits(statement: Statement) -> Iterator[tuple[StatementLine, int]]:
    """红冲 lines that take back something billed in an earlier statement."""
    with_credit = statement.lines.filter(amount_fen__lt=0).exclude(waybill_number="")
    lines = statement.lines.filter(waybill_number__in=with_credit.values("waybill_number"))
    for _, rows in groupby(lines.order_by("waybill_number", "row"), key=lambda line: line.waybill_number):
        by_row = {row.row: row for row in rows}
        billed = [row.as_billed(statement.period) for row in by_row.values()]
        for line, left in unmatched_credits(billed):
            yield by_row[line.row], left


def _row(statement: Statement, line: int | None, finding: Finding, now: datetime) -> Discrepancy:
    return Discrepancy(
        statement=statement,
        line_id=line,
        row=finding.row,
        code=finding.code.value,
        waybill_number=finding.waybill,
        ours=finding.ours[:120],
        theirs=finding.theirs[:120],
        stake_fen=finding.stake_fen,
        found_at=now,
    )


def _renew(kept: Discrepancy, finding: Finding) -> None:
    """An undecided difference follows the facts; what a person has decided stays as it was decided."""
    figures = {"ours": finding.ours[:120], "theirs": finding.theirs[:120], "stake_fen": finding.stake_fen}
    same = all(getattr(kept, name) == value for name, value in figures.items())
    if kept.state == S.CLEARED or (kept.state == S.OPEN and not same):
        Discrepancy.objects.filter(pk=kept.pk, state=kept.state).update(state=S.OPEN.value, **figures)
