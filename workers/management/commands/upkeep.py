"""`manage.py upkeep`: the duties that come by the clock; runs until it is stopped."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone

from storage.ending import ending_on_signals
from workers.upkeep import round_of_upkeep


class Command(BaseCommand):
    help = (
        "Takes up half-booked waybills and forgotten pushes, polls couriers that fell silent, raises incidents, and "
        "renews the timestamps of dossiers before they run out. Ends on SIGTERM or Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="make one round, print what it did, and end")
        parser.add_argument("--every", type=float, default=60, metavar="SECONDS", help="pause between rounds")

    def handle(self, *args: Any, once: bool, every: float, **options: Any) -> None:
        with ending_on_signals() as over:
            while not over.is_set():
                done = round_of_upkeep(now=timezone.now())
                if once:
                    self.stdout.write(json.dumps(done))
                    return
                close_old_connections()
                over.wait(every)
