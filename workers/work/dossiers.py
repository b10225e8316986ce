"""Building the dossier of a handling, once everything that goes into it is there."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from dossier.models import Dossier
from dossier.services import build
from ingest.models import Case, Handling, Page
from ocr.services import read
from registry.actors import SYSTEM
from registry.models import Event
from workers.models import Job, JobState
from workers.rules import NotYet
from workers.work.papers import receipt_for

READ = "read_page"
HANDED_IN = ("handling.resubmitted", "handling.promise_kept")
"""Events after which an office needs a new version."""


def handlings_of_case(event: Event) -> Iterable[str]:
    """每个审批部门 gets a dossier of its own."""
    return (str(pk) for pk in Handling.objects.filter(case_id=event.subject_id).values_list("pk", flat=True))


def build_first(event: Event, part: str, now: datetime) -> None:
    """Version 1, when the case is submitted."""
    _build(Handling.objects.select_related("case__window", "case__item", "office").get(pk=part), 1, event)


def build_next(event: Event, part: str, now: datetime) -> None:
    """The next version, after a supplement or a kept promise; counted by what was handed in, so that doing it again
    makes no other.
    """
    handed_in = Event.objects.filter(
        kind__in=HANDED_IN,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        sequence__lte=event.sequence,
    ).count()
    handling = Handling.objects.select_related("case__window", "case__item", "office").get(
        pk=event.subject_id
    )
    _build(handling, 1 + handed_in, event)


def _build(handling: Handling, version: int, event: Event) -> None:
    if Dossier.objects.filter(handling=handling, version=version, stored__isnull=False).exists():
        return
    _read_what_is_left(handling.case, event.at)
    receipt_for(handling.case, at=handling.case.submitted_at or event.at)
    build(handling=handling, version=version, actor=SYSTEM, now=event.at)


def _read_what_is_left(case: Case, at: datetime) -> None:
    """Wait while others read; read here what nobody is reading any more."""
    unread = _unread(case)
    parts = [str(pk) for pk in unread.values_list("pk", flat=True)]
    if not parts:
        return
    living = Job.objects.filter(reaction=READ, part__in=parts, state__in=[JobState.QUEUED, JobState.RUNNING])
    unpublished = Event.objects.filter(
        kind="file.received", case_number=case.number, published_at__isnull=True
    )
    if living.exists() or unpublished.exists():
        raise NotYet("pages_unread")
    for page in unread:
        read(page=page, actor=SYSTEM, now=at)


def _unread(case: Case) -> QuerySet[Page]:
    pages = Page.objects.filter(case=case, set_aside=False, readings__isnull=True)
    return pages.select_related("case", "stored")
