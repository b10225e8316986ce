"""Running one job: claimed by compare-and-set, kept under a lease, ended in one of four ways."""

import logging
import random
import traceback
import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import F

from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused
from workers import lease
from workers.lease import Clock
from workers.models import Job, JobState
from workers.reactions import find
from workers.rules import judge

log = logging.getLogger("tongban.workers")


def run(*, job_id: int, clock: Clock) -> JobState | None:
    """Do the job if it is due and free, and say how it stands then. None: it was not ours to do."""
    job = claim(job_id=job_id, now=clock())
    if job is None:
        return None
    try:
        with lease.kept_alive(job, clock):
            find(job.reaction).do(job.event, job.part, clock())
    except Exception as fault:  # noqa: BLE001 — whatever went wrong is kept with the job and tried again or shown
        return _failed(job, fault, clock())
    return _done(job, clock())


def claim(*, job_id: int, now: datetime) -> Job | None:
    """Take a queued job that is due, if nobody was faster."""
    token = uuid.uuid4().hex
    taken = Job.objects.filter(pk=job_id, state=JobState.QUEUED, next_try_at__lte=now).update(
        state=JobState.RUNNING, lease=token, lease_until=now + lease.length(), attempts=F("attempts") + 1
    )
    return Job.objects.select_related("event").get(pk=job_id) if taken else None


def retry(*, job: Job, actor: Actor, now: datetime) -> None:
    """Queue a failed job once more, with all its attempts before it."""
    check_may(actor, "job.see", job)
    with transaction.atomic():
        again = Job.objects.filter(pk=job.pk, state=JobState.FAILED).update(
            state=JobState.QUEUED, attempts=0, next_try_at=now, sent_at=None, finished_at=None
        )
        if not again:
            raise Refused("job_not_failed", "只有失败的后台任务可以重新执行。")
        _tell("job.retried", job, actor, now)


def give_up(*, job: Job, code: str, now: datetime) -> None:
    """End a job that this process holds; an administrator sees it and may queue it again."""
    with transaction.atomic():
        ours = lease.held(job).update(
            state=JobState.FAILED, last_error=code[:80], lease="", lease_until=None, finished_at=now
        )
        if ours:
            _tell("job.failed", job, SYSTEM, now, code=code)


def _done(job: Job, now: datetime) -> JobState | None:
    ours = lease.held(job).update(
        state=JobState.DONE, last_error="", lease="", lease_until=None, finished_at=now
    )
    return JobState.DONE if ours else None


def _failed(job: Job, fault: Exception, now: datetime) -> JobState:
    verdict = judge(fault, attempts=job.attempts, chance=random.random())  # noqa: S311 — spreads waits, no secret
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


def _tell(kind: str, job: Job, actor: Actor, now: datetime, **more: str) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=job,
        now=now,
        case_number=job.event.case_number,
        data={"reaction": job.reaction, "part": job.part, **more},
    )
