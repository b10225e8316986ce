"""`manage.py drain`: do all waiting work here and now, without broker and workers."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from workers.draining import drain
from workers.models import Job, JobState


class Command(BaseCommand):
    help = (
        "Relays events and runs jobs in this process until nothing is left. "
        "Exit 0: all done; 1: a job failed for good or something is left; 2: wrong use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--patience",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="how long to wait for jobs that are to be tried later or run elsewhere (default 60)",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, patience: float, **options: Any) -> None:
        def tell(job: Job, state: JobState) -> None:
            if not options["json"]:
                self.stdout.write(f"{job.event.kind:<28} {job.reaction:<28} {state.value}")

        drained = drain(clock=timezone.now, patience=timedelta(seconds=patience), tell=tell)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(drained)))
        else:
            self.stdout.write(
                f"{drained.done} done, {drained.retried} to be tried again, "
                f"{len(drained.failed)} failed, {drained.left} left"
            )
        if drained.failed or drained.left:
            sys.exit(1)
