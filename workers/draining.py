"""Doing all waiting work in this very process: for one-shot commands, the demonstration and tests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from registry.models import Event
from workers import reaper, relay
from workers.lease import Clock
from workers.models import Job, JobState
from workers.running import run

PAUSE = 0.1
Told = Callable[[Job, JobState], None]


@dataclass
class Drained:
    """How many runs ended how. `left` counts jobs that are neither done nor failed."""

    done: int = 0
    retried: int = 0
    failed: list[int] = field(default_factory=list)
    left: int = 0


def drain(*, clock: Clock, patience: timedelta = timedelta(0), tell: Told | None = None) -> Drained:
    """Relay and run until nothing is left that is due within `patience` from now.

    Other processes may work on the same jobs meanwhile; each is done by one of us. Jobs that wait for a later
    try, or run elsewhere, are waited for as long as the patience lasts.
    """
    drained = Drained()
    end = clock() + patience
    while True:
        relay.publish(now=clock())
        reaper.reap(now=clock())
        if _run_due(drained, clock, tell) or Event.objects.filter(published_at__isnull=True).exists():
            continue
        waiting = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
        drained.left = waiting.count()
        if not drained.left or clock() >= end:
            return drained
        time.sleep(PAUSE)


def _run_due(drained: Drained, clock: Clock, tell: Told | None) -> int:
    due = Job.objects.filter(state=JobState.QUEUED, next_try_at__lte=clock()).order_by("pk")
    ran = 0
    for job in list(due.select_related("event")):
        state = run(job_id=job.pk, clock=clock)
        if state is None:
            continue
        ran += 1
        drained.done += state == JobState.DONE
        drained.retried += state == JobState.QUEUED
        if state == JobState.FAILED:
            drained.failed.append(job.pk)
        if tell:
            tell(job, state)
    return ran
