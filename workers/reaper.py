"""Takes up work whose process died: the lease ran out, so nobody is at it any more."""

import logging
from datetime import datetime

from workers.models import Job, JobState
from workers.rules import LOST_ATTEMPTS
from workers.services import give_up

log = logging.getLogger("tongban.reaper")
LOST = "worker_lost"


def reap(*, now: datetime) -> int:
    """Queue every job whose lease ran out; the number of them. One that keeps killing its process is given up."""
    found = 0
    for job in Job.objects.select_related("event").filter(state=JobState.RUNNING, lease_until__lt=now):
        found += 1
        if job.attempts >= LOST_ATTEMPTS:
            log.error("%s (event %s): given up: its process died %s times", job, job.event.kind, job.attempts)
            give_up(job=job, code=LOST, now=now)
            continue
        # Only this very lease: had it been renewed or taken since we looked, nothing happens.
        again = Job.objects.filter(
            pk=job.pk, lease=job.lease, state=JobState.RUNNING, lease_until__lt=now
        ).update(
            state=JobState.QUEUED, last_error=LOST, next_try_at=now, sent_at=None, lease="", lease_until=None
        )
        if again:
            log.warning("%s (event %s): its process died; queued again", job, job.event.kind)
    return found
