"""From events to jobs, and from due jobs to messages. A lost message is harmless: the job remembers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from logistics.services.inbox import note_arrivals
from registry.models import Event
from workers.models import Job, JobState
from workers.reactions import jobs_of

BATCH = 200
# A message that brought nothing about for this long is taken for lost and sent again.
RESEND_AFTER = timedelta(seconds=60)

Send = Callable[[int], None]


def publish(*, now: datetime, limit: int = BATCH) -> int:
    """Turn the oldest unpublished events into jobs; the number of events. Several relays may do so at once.

    Pushes that came in become events first: their requests leave only a row.
    """
    note_arrivals(now=now)
    if not Event.objects.filter(published_at__isnull=True).exists():
        return 0  # asked without a lock: on SQLite the transaction below would stop every writer
    with transaction.atomic():
        events = list(
            Event.objects.select_for_update(skip_locked=True)
            .filter(published_at__isnull=True)
            .order_by("pk")[:limit]
        )
        Job.objects.bulk_create(
            [
                Job(event=event, reaction=reaction, part=part, next_try_at=now, created_at=now)
                for event in events
                for reaction, part in jobs_of(event)
            ],
            ignore_conflicts=True,
        )
        Event.objects.filter(pk__in=[event.pk for event in events]).update(published_at=now)
    return len(events)


def send_due(*, send: Send, now: datetime, resend_after: timedelta = RESEND_AFTER, limit: int = BATCH) -> int:
    """Send a message for every job that is due and has none on its way. Raises what `send` raises."""
    sent = 0
    for job_id in list(_without_message(now, resend_after).values_list("pk", flat=True)[:limit]):
        # Marked first: were it the other way round, a fast worker could be done before the mark.
        if _without_message(now, resend_after).filter(pk=job_id).update(sent_at=now):
            try:
                send(job_id)
            except BaseException:
                Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(sent_at=None)
                raise
            sent += 1
    return sent


def _without_message(now: datetime, resend_after: timedelta) -> QuerySet[Job]:
    unsent = Q(sent_at__isnull=True) | Q(sent_at__lte=now - resend_after)
    return Job.objects.filter(unsent, state=JobState.QUEUED, next_try_at__lte=now).order_by("pk")
