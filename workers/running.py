"""Doing one job: claimed by compare-and-set, kept under a lease, ended in one of four ways.

Importing this module brings in every engine that a reaction may use; what only looks at jobs takes `services`.
"""

import logging
import random
import traceback
from collections.abc import Callable
from datetime import datetime

from storage.errors import Refused
from workers import lease
from workers.lease import Clock
from workers.models import Job, JobState
from workers.reactions import find
from workers.rules import judge
from workers.services import claim, give_up

log = logging.getLogger("tongban.workers")


def run(*, job_id: int, clock: Clock, chance: Callable[[], float] = random.random) -> JobState | None:
    """Do the job if it is due and free, and say how it stands then. None: it was not ours to do.

    `chance` spreads the waits of many that failed together.
    """
    job = claim(job_id=job_id, now=clock())
    if job is None:
        return None
    try:
        with lease.kept_alive(job, clock):
            find(job.reaction).do(job.event, job.part, clock())
    except Exception as fault:  # noqa: BLE001 — whatever went wrong is kept with the job and tried again or shown
        return _failed(job, fault, clock(), chance())
    return _done(job, clock())


def _done(job: Job, now: datetime) -> JobState | None:
    ours = lease.held(job).update(
        state=JobState.DONE, last_error="", lease="", lease_until=None, finished_at=now
    )
    return JobState.DONE if ours else None


def _failed(job: Job, fault: Exception, now: datetime, chance: float) -> JobState:
    verdict = judge(fault, attempts=job.attempts, chance=chance)
    if not isinstance(fault, Refused):
        # The frames without the message: messages of strangers may hold personal data.
        frames = "".join(traceback.format_tb(fault.__traceback__))
        log.error("%s (event %s): %s\n%s", job, job.event.kind, verdict.code, frames)
    if verdict.wait is None:
        log.error("%s (event %s): given up: %s", job, job.event.kind, verdict.code)
        give_up(job=job, code=verdict.code, now=now)
        return JobState.FAILED
    lease.held(job).update(
        state=JobState.QUEUED,
        last_error=verdict.code[:80],
        next_try_at=now + verdict.wait,
        attempts=job.attempts if verdict.counts else job.attempts - 1,
        sent_at=None,
        lease="",
        lease_until=None,
    )
    return JobState.QUEUED
