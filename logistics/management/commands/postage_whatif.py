"""Try a postage policy on past months before it takes effect."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logistics.postage.services import try_policy
from logistics.rules.money import yuan
from logistics.rules.policies import WhatIf, policy_from_data
from registry.actors import SYSTEM
from registry.models import ServiceCentre
from storage.errors import Refused

REFUSED, USAGE = 1, 2


class Command(BaseCommand):
    """Exit code 0: tried; 1: the policy or the months were refused; 2: wrong usage."""

    help = "Decide the charges of past months again under a policy version (JSON file); nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "policy", type=Path, help="JSON: code, source, valid_from, rules[{code,leg,bearer,term,…}]"
        )
        parser.add_argument("--from", required=True, dest="first", metavar="YYYY-MM")
        parser.add_argument("--to", required=True, dest="last", metavar="YYYY-MM")
        parser.add_argument("--centre", metavar="CODE", help="only what this centre's own policy decides")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, policy: Path, first: str, last: str, as_json: bool, **options: Any) -> None:
        if not policy.is_file():
            raise CommandError(f"no such file: {policy}", returncode=USAGE)
        code = options["centre"]
        centre = ServiceCentre.objects.filter(code=code).first() if code else None
        if code and centre is None:
            raise CommandError(f"unknown centre {code!r}", returncode=USAGE)
        try:
            told = json.loads(policy.read_text(encoding="utf-8"))
            tried = try_policy(
                policy=policy_from_data(told), centre=centre, first=first, last=last, actor=SYSTEM
            )
        except json.JSONDecodeError as fault:
            raise CommandError(f"not JSON: {fault}", returncode=USAGE) from fault
        except Refused as refusal:
            raise CommandError(refusal.message, returncode=REFUSED) from refusal
        names = dict(ServiceCentre.objects.values_list("pk", "name"))
        self._print(tried, names, as_json=as_json)

    def _print(self, tried: WhatIf, names: dict[int, str], *, as_json: bool) -> None:
        payers = sorted({*tried.before, *tried.after}, key=lambda payer: payer or 0)
        rows: list[dict[str, Any]] = [
            {
                "payer": names[payer] if payer else "申请人",
                "before_fen": tried.before.get(payer, 0),
                "after_fen": tried.after.get(payer, 0),
            }
            for payer in payers
        ]
        if as_json:
            told = {
                "checked": tried.checked,
                "changed": [one.past.key for one in tried.changed],
                "unpriced": list(tried.unpriced),
                "unanswered": list(tried.unanswered),
                "payers": rows,
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
            return
        self.stdout.write(f"试算 {tried.checked} 件，付费方或付款方式改变 {len(tried.changed)} 件")
        for row in rows:
            before, after = row["before_fen"], row["after_fen"]
            self.stdout.write(
                f"{row['payer']}：原 {yuan(before)} 元，新 {yuan(after)} 元，增减 {yuan(after - before)} 元"
            )
        for one in tried.changed:
            self.stdout.write(f"{one.past.key} {one.past.month} {one.decision.words}")
        if tried.unpriced:
            self.stdout.write(f"没有合同、无法估价：{'、'.join(tried.unpriced)}")
        if tried.unanswered:
            self.stdout.write(f"新政策没有回答：{'、'.join(tried.unanswered)}")
