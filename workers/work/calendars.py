"""What a newly published calendar changes."""

from datetime import datetime

from ingest.services.recounting import recount_deadlines
from registry.models import Event


def recount(event: Event, part: str, now: datetime) -> None:
    recount_deadlines(year=int(event.data["year"]), now=event.at)
