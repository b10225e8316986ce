"""Third act, in finance: the courier's statement with five planted faults, and the month's settlement."""

from collections.abc import Sequence

from django.utils import timezone

from config.demo.couriers import Couriers
from config.demo.people import People
from config.demo.play import Play
from config.demo.stage import DemoFailed, wait_for
from config.demo.statements import make_statement
from logistics.models import Discrepancy, DisputeLetter, Settlement, Waybill
from logistics.postage.services import (
    approve_settlement,
    dispute_all,
    import_statement,
    prepare_month,
    reconcile_statement,
    write_dispute,
)
from logistics.rules.money import yuan
from registry.time import local_day


def settle(play: Play, people: People, couriers: Couriers, waybills: Sequence[Waybill]) -> Settlement:
    """Import, check, find exactly what was planted, dispute it by letter; one person prepares the month, another approves it."""
    carrier, now = couriers.neutral.carrier, timezone.now()
    month = f"{local_day(now):%Y-%m}"
    path = play.folder / "statement.xlsx"
    with play.step("对账") as says:
        planted = make_statement(path, list(waybills))
        imported = import_statement(path=path, carrier=carrier, month=month, actor=people.finance, now=now)
        again = import_statement(path=path, carrier=carrier, month=month, actor=people.finance, now=now)
        if not again.known or again.statement != imported.statement:
            raise DemoFailed("a second import of the same statement had an effect")
        outcome = reconcile_statement(statement=imported.statement, actor=people.finance, now=now)
        found = sorted(
            Discrepancy.objects.filter(statement=imported.statement).values_list("code", "waybill_number")
        )
        if found != sorted((fault.code, fault.waybill) for fault in planted):
            raise DemoFailed(f"planted {planted}, found {found}")
        dispute_all(
            statement_id=imported.statement.pk,
            reason="与面单、称重或合同资费不符",
            actor=people.finance,
            now=now,
        )
        written = write_dispute(statement=imported.statement, actor=people.finance, now=now)
        letter = wait_for("the sealed letter to the courier", lambda: _sealed(written))
        says(
            f"{imported.statement.line_count} 行，差异 {outcome.differences} 处恰为预置，涉及 {yuan(outcome.stake_fen)} 元；{letter.slip.number}"
        )
    with play.step("结算") as says:
        prepared = prepare_month(
            centre=people.centre, carrier=carrier, month=month, actor=people.finance, now=timezone.now()
        )
        closed = approve_settlement(proposal=prepared, actor=people.second_finance, now=timezone.now())
        settlement = wait_for("the signed settlement", lambda: _signed(closed))
        says(
            f"{settlement.number}：应付 {yuan(settlement.payable_fen)} 元，暂扣 {yuan(settlement.withheld_fen)} 元"
        )
    play.facts["differences"] = [list(pair) for pair in found]
    return settlement


def _sealed(letter: DisputeLetter) -> DisputeLetter | None:
    return DisputeLetter.objects.select_related("slip").filter(pk=letter.pk, paper__isnull=False).first()


def _signed(settlement: Settlement) -> Settlement | None:
    return (
        Settlement.objects.select_related("paper", "workbook")
        .filter(pk=settlement.pk, paper__isnull=False, workbook__isnull=False)
        .first()
    )
