"""Taking, giving up and re-queueing one job: every change of its state but the ones at the end of its work."""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import F

from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused
from workers import lease
from workers.models import Job, JobState


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


def _tell(kind: str, job: Job, actor: Actor, now: datetime, **more: str) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=job,
        now=now,
        case_number=job.event.case_number,
        data={"reaction": job.reaction, "part": job.part, **more},
    )
