"""Import a courier's statement and check every line of it."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from logistics.models import Carrier, Discrepancy, Statement
from logistics.postage.services import Reconciled, import_statement, reconcile_statement
from logistics.rules.checks import Code
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.money import yuan
from registry.actors import SYSTEM
from registry.models import ServiceCentre
from storage.errors import Refused

CLEAN, FOUND, USAGE = 0, 1, 2


class Command(BaseCommand):
    """Exit code 0: everything in order; 1: differences found, or the file was refused; 2: wrong usage."""

    help = "Import a courier statement (XLSX, XLS, CSV) and check every line against waybills, tariff and policy."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("statement", type=Path, help="the courier's file")
        parser.add_argument("--carrier", required=True, metavar="C", help="carrier code, for example ems")
        parser.add_argument("--month", required=True, metavar="YYYY-MM", help="billing month")
        parser.add_argument(
            "--centre", metavar="CODE", help="whose statement it is, when its accounts do not tell"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the result as JSON")

    def handle(self, *, statement: Path, carrier: str, month: str, as_json: bool, **options: Any) -> None:
        if not statement.is_file():
            raise CommandError(f"no such file: {statement}", returncode=USAGE)
        found = Carrier.objects.filter(code=carrier).first()
        if found is None:
            known = ", ".join(Carrier.objects.order_by("code").values_list("code", flat=True)) or "none"
            raise CommandError(f"unknown carrier {carrier!r} (known: {known})", returncode=USAGE)
        now = timezone.now()
        try:
            imported = import_statement(
                path=statement,
                carrier=found,
                month=month,
                actor=SYSTEM,
                now=now,
                centre=_centre(options["centre"]),
            )
            outcome = reconcile_statement(statement=imported.statement, actor=SYSTEM, now=now)
        except Refused as refusal:
            self._refuse(refusal, as_json=as_json)
        rows = list(outcome.statement.discrepancies.exclude(state=DiscrepancyState.CLEARED.value))
        if as_json:
            self.stdout.write(
                json.dumps(_report(outcome, rows, known=imported.known), ensure_ascii=False, indent=1)
            )
        else:
            self._print(outcome, rows, known=imported.known)
        if rows:
            raise SystemExit(FOUND)

    def _refuse(self, refusal: Refused, *, as_json: bool) -> None:
        if as_json:
            told = {"verdict": "refused", "code": refusal.code, "reason": refusal.message}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            self.stderr.write(refusal.message)
        raise SystemExit(USAGE if refusal.code == "bad_month" else FOUND) from refusal

    def _print(self, outcome: Reconciled, rows: list[Discrepancy], *, known: bool) -> None:
        statement = outcome.statement
        again = "（此前已导入）" if known else ""
        self.stdout.write(
            f"{statement.carrier.name} {statement.month}：{statement.line_count} 行，"
            f"合计 {yuan(statement.amount_fen)} 元{again}"
        )
        for row in rows:
            self.stdout.write(
                f"第 {row.row} 行 {row.waybill_number or '—'} {Code(row.code).label}："
                f"我方 {row.ours}，账单 {row.theirs}，涉及 {yuan(row.stake_fen)} 元"
            )
        self.stdout.write(f"差异 {outcome.differences} 条，涉及 {yuan(outcome.stake_fen)} 元")
        self.stdout.write(f"已妥投未计费 {outcome.accrued} 件，{yuan(outcome.accrued_fen)} 元")


def _centre(code: str | None) -> ServiceCentre | None:
    if not code:
        return None
    centre = ServiceCentre.objects.filter(code=code).first()
    if centre is None:
        raise CommandError(f"unknown centre {code!r}", returncode=USAGE)
    return centre


def _report(outcome: Reconciled, rows: list[Discrepancy], *, known: bool) -> dict[str, Any]:
    statement: Statement = outcome.statement
    return {
        "verdict": "discrepancies" if rows else "clean",
        "statement": statement.pk,
        "known": known,
        "carrier": statement.carrier.code,
        "month": statement.month,
        "lines": statement.line_count,
        "amount_fen": statement.amount_fen,
        "stake_fen": outcome.stake_fen,
        "accrued": {"count": outcome.accrued, "amount_fen": outcome.accrued_fen},
        "discrepancies": [
            {
                "row": row.row,
                "waybill": row.waybill_number,
                "code": row.code,
                "ours": row.ours,
                "theirs": row.theirs,
                "stake_fen": row.stake_fen,
                "state": row.state,
            }
            for row in rows
        ],
    }
