"""A page whose reading was given up says so: in its case's queue, to be tried again or left a picture."""

from datetime import datetime

from django.db import transaction

from ingest.models import Page
from ocr.models import Reading
from ocr.services.review import let_count, takes_nothing_away
from registry.actors import Actor
from registry.events import record

LONGEST_CODE = 40


def keep_unread(
    *, page: Page, engine: str, attempt: int, why: str, actor: Actor, now: datetime
) -> Reading | None:
    """Keep that this engine's try (from 1) of the page was given up, with the code of why. Said again, nothing happens.

    None where it is not so: the same try has left its reading after all. It counts only where no text does.
    """
    with transaction.atomic():
        Page.objects.select_for_update().get(pk=page.pk)
        if Reading.objects.filter(page=page, engine=engine, attempt__gte=attempt).exists():
            return None
        reading = Reading.objects.create(
            page=page,
            engine=engine,
            attempt=attempt,
            failure=why[:LONGEST_CODE],
            seconds=0.0,
            read_at=now,
        )
        if takes_nothing_away(page, reading):
            let_count(page=page, reading=reading, now=now)
        record(
            kind="page.reading_given_up",
            actor=actor,
            subject=page,
            now=now,
            case_number=page.case.number,
            data={"reading": reading.pk, "engine": engine, "attempt": attempt, "failure": reading.failure},
        )
    return reading
