"""Reading the pages of an uploaded file."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from ingest.models import Page
from ocr.services import keep_unread, read, read_again
from registry.actors import SYSTEM
from registry.models import Event
from workers.models import Job

FIRST, AGAIN = "read_page", "read_page_again"


def pages_of_file(event: Event) -> Iterable[str]:
    """One job for each page, so that two workers share a long file and a crash costs one page."""
    return (str(pk) for pk in Page.objects.filter(file_id=int(event.subject_id)).values_list("pk", flat=True))


def read_page(event: Event, part: str, now: datetime) -> None:
    read(page=Page.objects.select_related("case", "stored").get(pk=part), actor=SYSTEM, now=now)


def read_page_again(event: Event, part: str, now: datetime) -> None:
    page = Page.objects.select_related("case", "stored").get(pk=event.subject_id)
    read_again(
        page=page,
        engine=str(event.data["engine"]),
        attempt=int(event.data.get("attempt", 1)),
        actor=SYSTEM,
        now=now,
    )


def given_up(event: Event) -> Iterable[str]:
    """One job where the work that failed was the reading of a page."""
    return ("",) if event.data["reaction"] in (FIRST, AGAIN) else ()


def keep_page_unread(event: Event, part: str, now: datetime) -> None:
    job = Job.objects.select_related("event").get(pk=event.subject_id)
    asked = job.event.data if job.reaction == AGAIN else {}
    keep_unread(
        page=Page.objects.select_related("case").get(pk=job.part or job.event.subject_id),
        engine=str(asked.get("engine", settings.OCR_ENGINE)),
        attempt=int(asked.get("attempt", 1)),
        why=str(event.data["code"]),
        actor=SYSTEM,
        now=now,
    )
