"""Quote what a parcel would cost under the contract in force, step by step."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from logistics.models import Carrier
from logistics.postage.services import quote_price
from logistics.rules.money import fen_of, yuan
from logistics.rules.tariffs import Consignment
from registry.actors import SYSTEM
from registry.models import ServiceCentre
from registry.time import local_day
from storage.errors import Refused

REFUSED, USAGE = 1, 2


class Command(BaseCommand):
    """Exit code 0: quoted; 1: no contract or route covers it; 2: wrong usage."""

    help = "Quote a parcel: regions by GB/T 2260 code, weight in grams, sides in millimetres."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--carrier", required=True)
        parser.add_argument("--centre", required=True)
        parser.add_argument("--product", default="standard")
        parser.add_argument("--from", required=True, dest="origin", metavar="CODE")
        parser.add_argument("--to", required=True, dest="destination", metavar="CODE")
        parser.add_argument("--weight", required=True, type=int, metavar="GRAMS")
        parser.add_argument("--sides", type=int, nargs=3, default=(0, 0, 0), metavar="MM")
        parser.add_argument("--extra", action="append", default=[], help="collect, insured, return_receipt…")
        parser.add_argument("--declared", default="0", metavar="YUAN", help="declared value")
        parser.add_argument("--on", type=date.fromisoformat, metavar="DATE")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, as_json: bool, **told: Any) -> None:
        carrier = Carrier.objects.filter(code=told["carrier"]).first()
        centre = ServiceCentre.objects.filter(code=told["centre"]).first()
        if carrier is None or centre is None:
            raise CommandError("unknown carrier or centre", returncode=USAGE)
        length, width, height = told["sides"]
        try:
            contract, quoted = quote_price(
                carrier=carrier,
                centre=centre,
                product=told["product"],
                on=told["on"] or local_day(timezone.now()),
                consignment=Consignment(
                    origin=told["origin"],
                    destination=told["destination"],
                    weight_g=told["weight"],
                    sides_mm=(length, width, height),
                    extras=frozenset(told["extra"]),
                    declared_fen=fen_of(told["declared"]),
                ),
                actor=SYSTEM,
            )
        except Refused as refusal:
            raise CommandError(refusal.message, returncode=REFUSED) from refusal
        if as_json:
            parts = [
                {"code": part.code, "words": part.words, "amount_fen": part.amount_fen}
                for part in quoted.parts
            ]
            report = {
                "contract": contract.version,
                "zone": quoted.zone,
                "charged_weight_g": quoted.charged_weight_g,
                "total_fen": quoted.total_fen,
                "parts": parts,
            }
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
            return
        self.stdout.write(
            f"合同 {contract.version}，分区 {quoted.zone}，计费重量 {quoted.charged_weight_g} 克"
        )
        for part in quoted.parts:
            self.stdout.write(f"{part.words}：{yuan(part.amount_fen)} 元")
        self.stdout.write(f"合计：{yuan(quoted.total_fen)} 元")
