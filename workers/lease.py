"""The claim of one process on one job, kept alive by a thread for as long as the work takes."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from workers.models import Job, JobState

log = logging.getLogger("tongban.workers")
Clock = Callable[[], datetime]


def length() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def held(job: Job) -> QuerySet[Job]:
    """The job's row, as long as it is still ours."""
    return Job.objects.filter(pk=job.pk, lease=job.lease, state=JobState.RUNNING)


@contextmanager
def kept_alive(job: Job, clock: Clock) -> Iterator[None]:
    """Renew the lease four times within its length until the block ends."""
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=(job, clock, over), name=f"lease-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(job: Job, clock: Clock, over: threading.Event) -> None:
    pause = length() / 4
    try:
        while not over.wait(pause.total_seconds()):
            try:
                if not held(job).update(lease_until=clock() + length()):
                    log.warning("job %s: the lease was taken by another process", job.pk)
                    return
            except DatabaseError as fault:
                # The next beat may succeed; if none does, the lease runs out and another process takes over.
                log.warning("job %s: lease not renewed (%s)", job.pk, type(fault).__name__)
                connection.close()
    finally:
        connection.close()
