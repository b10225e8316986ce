"""`manage.py simulate`: many cases at once among crashes and faults, every step checked against what must hold."""

import json
import logging
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.simulation.database import throw_away_database
from config.simulation.points import remember
from config.simulation.run import Outcome, simulate
from config.simulation.store import throw_away_store

SHOWN = 25
PAPER_EVERY = 40
"""One case in so many has real pages, which are read, bound and sealed: some seconds each."""


class Command(BaseCommand):
    help = (
        "Plays clerks, couriers, offices and misfortunes over the real services, in a throw-away database of its own, and "
        "checks after every step what must hold. The same seed plays the same way. "
        "Exit 0 if everything held, 1 when something broke: the seed, the step and what led to it are printed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--cases", type=int, default=50, help="cases opened in all (default 50)")
        parser.add_argument("--until", type=int, metavar="STEP", help="end after this step")
        parser.add_argument("--trace", action="store_true", help="print every step")
        parser.add_argument(
            "--closely", action="store_true", help="ask everything after every step, which is slow"
        )
        parser.add_argument("--learn", action="store_true", help="add what committed to the list in the code")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the outcome as JSON")

    def handle(
        self,
        *,
        seed: int,
        cases: int,
        until: int | None,
        trace: bool,
        closely: bool,
        learn: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        begun = time.monotonic()
        # What goes wrong here is meant to; what matters of it stands in the trace.
        logging.getLogger("tongban").setLevel(logging.CRITICAL)
        with throw_away_database(), throw_away_store():
            tell = self._line if trace else None
            outcome = simulate(
                seed=seed, cases=cases, until=until, tell=tell, closely=closely, paper_every=PAPER_EVERY
            )
        if learn:
            remember(outcome.places)
        if as_json:
            self.stdout.write(_as_json(outcome))
        else:
            self._report(outcome, time.monotonic() - begun, shown=not trace)
        if not outcome.holds:
            raise SystemExit(1)

    def _line(self, line: str) -> None:
        self.stdout.write(line)

    def _report(self, outcome: Outcome, seconds: float, *, shown: bool) -> None:
        if not outcome.holds:
            for line in outcome.lines[-SHOWN:] if shown else ():
                self.stdout.write(line)
            for violation in outcome.violations[:SHOWN]:
                self.stderr.write(f"BROKEN {violation}")
            self.stderr.write(f"replay: {outcome.replay}")
        self.stdout.write(
            f"seed {outcome.seed}: {outcome.steps} steps over {outcome.days} days, {outcome.opened} cases opened, "
            f"{outcome.ended} ended, {outcome.crashes} crashes at {outcome.struck} of the {outcome.reached} commit points "
            f"reached, {_races(outcome)}, {sum(outcome.refusals.values())} refusals, {seconds:.0f} s: "
            f"{'everything held' if outcome.holds else 'BROKEN'}"
        )
        if outcome.never_reached:
            missed = ", ".join(outcome.never_reached)
            self.stdout.write(
                f"{len(outcome.never_reached)} places known of other runs and not reached: {missed}"
            )


def _races(outcome: Outcome) -> str:
    if outcome.races is None:
        return "no two acts at once (SQLite has one writer; PostgreSQL plays them)"
    return f"{outcome.races} times two acts at once"


def _as_json(outcome: Outcome) -> str:
    told = vars(outcome) | {
        "holds": outcome.holds,
        "violations": [str(violation) for violation in outcome.violations],
        "lines": outcome.lines[-SHOWN:],
    }
    return json.dumps(told, ensure_ascii=False, indent=1)
