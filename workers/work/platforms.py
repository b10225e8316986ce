"""What platforms are told when a case moves."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingest.telling.notices import parked_of, subscribers_of, tell, tell_again
from registry.models import Event
from workers.rules import Later


def subscribers(event: Event) -> Iterable[str]:
    """One job for each subscription, so that a slow platform delays nobody else."""
    return map(str, subscribers_of(event))


def parked(event: Event) -> Iterable[str]:
    """One job for each notice that waited for its subscription."""
    return map(str, parked_of(int(event.subject_id)))


def tell_platform(event: Event, part: str, now: datetime) -> None:
    """Tell one subscription."""
    _later(tell(event=event, subscription_id=int(part), now=now))


def tell_platform_again(event: Event, part: str, now: datetime) -> None:
    """Tell a notice again: the one that the event is about, or one of those it brings back."""
    _later(tell_again(notice_id=int(part or event.subject_id), now=now))


def _later(wait: timedelta | None) -> None:
    if wait is not None:
        raise Later("platform_not_told", wait)
