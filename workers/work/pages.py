"""Reading the pages of an uploaded file."""

from collections.abc import Iterable
from datetime import datetime

from ingest.models import Page
from ocr.services import read, read_again
from registry.actors import SYSTEM
from registry.models import Event


def pages_of_file(event: Event) -> Iterable[str]:
    """One job for each page, so that two workers share a long file and a crash costs one page."""
    return (str(pk) for pk in Page.objects.filter(file_id=int(event.subject_id)).values_list("pk", flat=True))


def read_page(event: Event, part: str, now: datetime) -> None:
    read(page=Page.objects.select_related("case", "stored").get(pk=part), actor=SYSTEM, now=now)


def read_page_again(event: Event, part: str, now: datetime) -> None:
    page = Page.objects.select_related("case", "stored").get(pk=event.subject_id)
    read_again(page=page, engine=str(event.data["engine"]), actor=SYSTEM, now=now)
