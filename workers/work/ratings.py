"""What the closing of a case leads to: its applicant is asked once."""

from datetime import datetime

from ingest.models import Case
from ingest.services.rating import ask_satisfaction
from registry.models import Event


def ask(event: Event, part: str, now: datetime) -> None:
    ask_satisfaction(case=Case.objects.get(pk=event.subject_id), now=event.at)
