"""Statements, differences and closed months: what is wrong is found, what is right is settled once, by two people."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Exists, OuterRef, Sum

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from logistics.models import (
    ChargeShare,
    LedgerAccount,
    Posting,
    Settlement,
    SettlementLine,
    SettlementProposal,
    Statement,
)
from logistics.rules.checks import Code
from registry.models import Event

K = LedgerAccount.Kind
SAID_INSTEAD = {
    Code.BILLED_BEFORE.value,
    Code.CANCELLED_LABEL.value,
    Code.FEE_AFTER_CANCELLATION.value,
}
"""Of a line that is not owed at all, its price is not said to be wrong as well."""
NEVER_WITHOUT_CAUSE = {
    Code.UNKNOWN_WAYBILL.value,
    Code.WRONG_ACCOUNT.value,
    Code.WRONG_TERM.value,
    Code.OVERWEIGHT.value,
    Code.WRONG_AMOUNT.value,
}


def what_is_billed_wrongly_is_found(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Each line that the courier made wrong is found, with the fen that it asks too much; a right one is not."""
    checked = {int(event.subject_id) for event in news.events if event.kind == "statement.reconciled"}
    for statement in Statement.objects.filter(pk__in=checked).order_by("pk") if checked else ():
        bill = world.bills.sent.get(statement.sha256)
        if bill is None:
            yield f"statement {statement.pk} was never sent by a courier"
            continue
        found: dict[int, dict[str, int]] = {}
        for row, code, stake in statement.discrepancies.values_list("row", "code", "stake_fen"):
            found.setdefault(row, {})[code] = stake
        for wrong in bill.planted:
            here = found.get(wrong.row, {})
            if here.keys() & SAID_INSTEAD - {wrong.code.value}:
                continue
            if wrong.code.value not in here or wrong.stake_fen not in (None, here[wrong.code.value]):
                yield f"{statement.month} row {wrong.row}: {wrong.code.value} of {wrong.stake_fen} fen, found {here}"
        planted = {(wrong.row, wrong.code.value) for wrong in bill.planted}
        for row, codes in sorted(found.items()):
            for code in sorted(codes.keys() & NEVER_WITHOUT_CAUSE):
                if (row, code) not in planted:
                    yield f"{statement.month} row {row}: {code} is found, and nothing is wrong with it"


def each_month_is_closed_by_two(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Whoever prepared a month did not close it, and what was closed is what was prepared."""
    for event in _closings(news):
        proposal = SettlementProposal.objects.select_related("settlement").get(
            settlement_id=int(event.subject_id)
        )
        if event.actor_kind != "user" or event.actor_id == proposal.prepared_by_id:
            yield f"{event.data['number']} was prepared and closed by {event.actor_label}"
        settlement = proposal.settlement
        assert settlement is not None
        lines = SettlementLine.objects.filter(settlement=settlement).aggregate(
            count=Count("pk"), fen=Sum("payable_fen")
        )
        sums = {proposal.payable_fen, settlement.payable_fen, lines["fen"] or 0, event.data["payable_fen"]}
        if len(sums) > 1 or len({proposal.line_count, settlement.line_count, lines["count"]}) > 1:
            yield f"{settlement.number}: prepared, closed and its lines differ: {sorted(sums)}"


def each_line_is_settled_once(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """A billed line falls on each centre and office once, and only on whoever bears a share of its charge."""
    if not _closings(news):
        return
    billed = SettlementLine.objects.filter(kind=SettlementLine.Kind.BILLED)
    parts = billed.values("statement_line", "centre", "office").annotate(count=Count("pk"))
    for part in parts.filter(count__gt=1):
        yield f"line {part['statement_line']} is settled {part['count']} times by centre {part['centre']}"
    share = ChargeShare.objects.filter(charge=OuterRef("charge"), centre=OuterRef("centre"))
    for line in billed.filter(charge__isnull=False).exclude(Exists(share)).order_by("pk"):
        yield f"line {line.pk} falls on centre {line.centre_id}, which bears no share of its charge"


def the_ledger_says_what_was_settled(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """What is owed is the sum of the closed months, nothing is released that was not held back, and what was charged
    and not settled is what is still expected.
    """
    if not (_closings(news) or any(event.kind.startswith("discrepancy.") for event in news.events)):
        return
    balances = _balances()
    settled = Settlement.objects.values("centre", "carrier").annotate(fen=Sum("payable_fen"))
    owed = {(row["centre"], row["carrier"]): row["fen"] for row in settled}
    expected = _sums(ChargeShare.objects.values_list("centre", "charge__waybill__carrier", "amount_fen"))
    used = _sums(SettlementLine.objects.values_list("centre", "settlement__carrier", "expected_fen"))
    for key in sorted({key for _, key in balances} | owed.keys()):
        payable, held = -balances.get((K.PAYABLE, key), 0), -balances.get((K.WITHHELD, key), 0)
        accrued = -balances.get((K.ACCRUAL, key), 0)
        if payable != owed.get(key, 0):
            yield f"centre {key[0]} owes carrier {key[1]} {payable} fen, its months say {owed.get(key, 0)}"
        if held < 0:
            yield f"centre {key[0]} released {-held} fen more than it held back from carrier {key[1]}"
        if accrued != expected.get(key, 0) - used.get(key, 0):
            yield (
                f"centre {key[0]} expects {accrued} fen of carrier {key[1]}, its charges say "
                f"{expected.get(key, 0) - used.get(key, 0)}"
            )


def _closings(news: News) -> list[Event]:
    return [event for event in news.events if event.kind == "settlement.closed"]


def _balances() -> dict[tuple[str, tuple[int, int]], int]:
    """Debits less credits of each kind of account, by centre and carrier."""
    sums: dict[tuple[str, tuple[int, int]], int] = {}
    for side, sign in (("debit", 1), ("credit", -1)):
        rows = Posting.objects.filter(**{f"{side}__carrier__isnull": False}).values_list(
            f"{side}__kind", f"{side}__centre", f"{side}__carrier"
        )
        for kind, centre, carrier, fen in rows.annotate(fen=Sum("amount_fen")).order_by():
            key = (kind, (centre, carrier))
            sums[key] = sums.get(key, 0) + sign * fen
    return sums


def _sums(rows: Any) -> dict[tuple[int, int], int]:
    sums: dict[tuple[int, int], int] = {}
    for centre, carrier, fen in rows:
        sums[centre, carrier] = sums.get((centre, carrier), 0) + fen
    return sums
