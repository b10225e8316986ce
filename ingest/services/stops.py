"""The way of an original between the offices that need it."""

from collections.abc import Iterable
from datetime import datetime

from ingest.models import Handling, Original, OriginalStop
from ingest.rules import NEEDS_NO_PAPER, HandlingState, Stop, next_stop


def onward(original: Original) -> Handling | None:
    """The handling that needs this original next; None once nobody does any more. Two queries, none when prefetched."""
    rows = {row.handling_id: row.handling for row in original.stops.all()}
    going = next_stop(_facts(row) for row in original.stops.all())
    return rows[going.handling] if going else None


def reach_stop(*, original: Original, office_id: int, now: datetime) -> None:
    """It lies at an office now: part of the move, in its transaction. An office that is no stop changes nothing."""
    stop = original.stops.select_related("handling").filter(handling__office_id=office_id).first()
    if stop is None:
        return
    OriginalStop.objects.filter(pk=stop.pk, reached_at__isnull=True).update(reached_at=now)
    Original.objects.filter(pk=original.pk).update(handling=stop.handling)
    original.handling = stop.handling


def deliverer(parts: Iterable[Handling]) -> Handling:
    """The part whose office sends a joint result: the lead's, or where that ended undecided the first that did not."""
    ended = {HandlingState.REFUSED.value, HandlingState.WITHDRAWN.value}
    ordered = sorted(parts, key=lambda part: (not part.is_lead, part.pk))
    return next((part for part in ordered if part.state not in ended), ordered[0])


def _facts(row: OriginalStop) -> Stop:
    return Stop(
        handling=row.handling_id,
        office=row.handling.office_id,
        reached=row.reached_at is not None,
        over=row.handling.state in NEEDS_NO_PAPER,
    )
