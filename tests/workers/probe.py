"""The product's own relay and worker with reactions that a test can watch through a file.

`python -m tests.workers.probe relay …` is `manage.py relay …`; `celery -A tests.workers.probe worker` the worker.
"""

import os
import sys
import time
from datetime import datetime
from pathlib import Path

import django
from django.core.management import execute_from_command_line

django.setup()

from config.celery import app  # noqa: E402, F401 — found here by `celery -A`
from registry.models import Event  # noqa: E402
from workers import reactions  # noqa: E402
from workers.reactions import Reaction  # noqa: E402

DIARY = Path(os.environ["PROBE_DIARY"])


def note(line: str) -> None:
    with DIARY.open("a") as diary:
        diary.write(f"{line}\n")


def hang_the_first_time(event: Event, part: str, now: datetime) -> None:
    """Two lines when it runs through. The first run never does: the test kills it."""
    note("started")
    if DIARY.read_text().count("started") == 1:
        time.sleep(300)
    note("finished")


def pause(event: Event, part: str, now: datetime) -> None:
    note("started")
    time.sleep(2)
    note("finished")


def run_through(event: Event, part: str, now: datetime) -> None:
    note(f"ran {event.data['number']}")


reactions.REACTIONS = {
    "test.hang": (Reaction("hang", hang_the_first_time),),
    "test.pause": (Reaction("pause", pause),),
    "test.run": (Reaction("run", run_through),),
}

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
