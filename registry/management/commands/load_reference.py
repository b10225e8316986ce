"""Load the reference data set drawn from the public notices, or what an upgrade brought that is not there yet."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from registry.actors import SYSTEM
from registry.reference.load import DEFAULTS, KEYS, bring_up_to_date


class Command(BaseCommand):
    help = "Add regions, centres, offices, windows, items, agreements, grants and rules that are missing. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--defaults",
            action="store_true",
            help="only rules that every installation needs; no places, agreements or grants",
        )
        parser.add_argument("--dry-run", action="store_true", help="list what would be added and add nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        names = DEFAULTS if options["defaults"] else tuple(KEYS)
        fresh = bring_up_to_date(names=names, actor=SYSTEM, now=timezone.now(), dry_run=options["dry_run"])
        for name, keys in fresh.items():
            if keys or options["verbosity"] > 0:
                self.stdout.write(f"{name}: {len(keys)} new")
            if options["verbosity"] > 1 or options["dry_run"]:
                for key in keys:
                    self.stdout.write(f"  {key}")
