"""`manage.py jobs`: what the workers have to do, what failed, and trying that again."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from django.utils import timezone

from registry.actors import SYSTEM
from storage.errors import Refused
from workers.models import Job, JobState
from workers.services import retry

LINES = 200


class Command(BaseCommand):
    help = "Lists background jobs. Exit 0; 1 when --failed found some or --retry was refused; 2: wrong use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--failed", action="store_true", help="only jobs that were given up")
        parser.add_argument("--retry", type=int, metavar="ID", help="queue this failed job once more")
        parser.add_argument("--json", action="store_true", help="print a list of objects")

    def handle(self, *args: Any, failed: bool, **options: Any) -> None:
        if options["retry"] is not None:
            self._retry(options["retry"])
            return
        jobs = Job.objects.select_related("event").order_by("-pk")
        jobs = jobs.filter(state=JobState.FAILED) if failed else jobs.exclude(state=JobState.DONE)
        rows = [_row(job) for job in jobs[:LINES]]
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            self._print(rows)
        if failed and rows:
            sys.exit(1)

    def _retry(self, job_id: int) -> None:
        job = Job.objects.select_related("event").filter(pk=job_id).first()
        if job is None:
            raise CommandError(f"there is no job {job_id}", returncode=1)
        try:
            retry(job=job, actor=SYSTEM, now=timezone.now())
        except Refused as refused:
            raise CommandError(refused.message, returncode=1) from refused
        self.stdout.write(f"job {job_id} is queued again")

    def _print(self, rows: list[dict[str, Any]]) -> None:
        counts = Job.objects.values_list("state").annotate(Count("pk")).order_by("state")
        self.stdout.write(", ".join(f"{number} {state}" for state, number in counts) or "no jobs yet")
        for row in rows:
            self.stdout.write(
                f"{row['id']:>6} {row['state']:<8} {row['event']:<28} {row['reaction']:<24} {row['part']:<8} "
                f"attempt {row['attempts']}, next {row['next_try_at'] or '-'} {row['last_error']}"
            )


def _row(job: Job) -> dict[str, Any]:
    return {
        "id": job.pk,
        "state": job.state,
        "event": job.event.kind,
        "case_number": job.event.case_number,
        "reaction": job.reaction,
        "part": job.part,
        "attempts": job.attempts,
        "last_error": job.last_error,
        "next_try_at": timezone.localtime(job.next_try_at).isoformat(timespec="seconds")
        if job.state == JobState.QUEUED
        else None,
    }
