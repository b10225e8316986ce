"""Originals that are late on their way to an office: with whom they lie is told to the handling that waits for them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from ingest.models import Delay, Handling, Original
from ingest.rules import HandlingState
from ingest.services.clock import end_delay, note_delay
from logistics.models import Parcel
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, Party
from registry.calendar import current_calendar
from registry.deadlines import deadline_policies
from registry.models import Office
from registry.rules.deadlines import DeadlineRules, Delayer, late_since, rules_for
from registry.time import local_day
from registry.workdays import Calendar

SOONEST = timedelta(days=1)
"""No policy calls a parcel late before a day has passed."""
_GONE = (*sorted(ON_THE_ROAD), ParcelState.LOST.value)


@dataclass(frozen=True)
class Lateness:
    """Since when somebody holds a parcel for too long; `until` None while that goes on."""

    who: Delayer
    since: date
    until: date | None


def watch_late_originals(*, now: datetime) -> int:
    """Tell every running handling whose originals are late with the courier, or lie unopened at its office, and end
    the waiting of those that have come. Answers how many waitings began or ended; done again it changes nothing.
    """
    today, calendar, policies = local_day(now), current_calendar(), deadline_policies()
    regions = dict(Office.objects.values_list("pk", "region_id"))
    changed = 0
    under_way = _to_offices().filter(state__in=_GONE, handed_over_at__lt=now - SOONEST)
    for parcel in under_way.prefetch_related("items__original").order_by("pk"):
        rules = rules_for(regions[parcel.receiver_id], today, policies)
        found = [late for late in lateness(parcel, rules, today=today, calendar=calendar) if not late.until]
        for handling in _waiting(parcel) if found else ():
            for late in found:
                changed += note_delay(
                    handling=handling,
                    who=late.who,
                    parcel=parcel.number,
                    since=late.since,
                    stops=late.who == Delayer.COURIER and rules.pause_for_courier,
                    now=now,
                )
    return changed + _end_over(today, now)


def lateness(parcel: Parcel, rules: DeadlineRules, *, today: date, calendar: Calendar) -> Iterator[Lateness]:
    """The courier's, from the hand-over to the delivery, and the office's, from there until it ticked the list."""
    if parcel.handed_over_at is None:
        return
    ended = _day(parcel.received_at or parcel.ended_at)
    arrived = _day(parcel.delivered_at) or ended
    since = late_since(
        local_day(parcel.handed_over_at), rules.courier_days, until=arrived or today, calendar=calendar
    )
    if since is not None:
        yield Lateness(Delayer.COURIER, since, arrived)
    if arrived is None or parcel.state == ParcelState.RETURNED:
        return
    since = late_since(arrived, rules.receipt_days, until=ended or today, calendar=calendar)
    if since is not None:
        yield Lateness(Delayer.OFFICE, since, ended)


def _end_over(today: date, now: datetime) -> int:
    """Waitings whose parcel has come to the office, or back to its sender."""
    changed = 0
    waiting = Delay.objects.filter(ended_on__isnull=True).exclude(parcel="").select_related("handling__case")
    parcels = {parcel.number: parcel for parcel in _to_offices().filter(number__in=waiting.values("parcel"))}
    for delay in waiting.order_by("pk"):
        parcel = parcels.get(delay.parcel)
        if parcel is None:
            continue
        ended = _day(parcel.received_at or parcel.ended_at)
        over = (_day(parcel.delivered_at) or ended) if delay.who == Delayer.COURIER else ended
        if over is not None:
            changed += end_delay(delay=delay, on=over, now=now)
    return changed


def _waiting(parcel: Parcel) -> Iterable[Handling]:
    """The running handlings of the receiving office for whose cases the parcel carries originals."""
    cases = {
        item.original.case_id for item in parcel.items.all() if item.holds and _is_material(item.original)
    }
    return Handling.objects.filter(
        case_id__in=cases, office_id=parcel.receiver_id, state=HandlingState.ACCEPTED.value
    ).order_by("pk")


def _is_material(original: Original) -> bool:
    return original.kind == Original.Kind.MATERIAL


def _to_offices() -> QuerySet[Parcel]:
    return Parcel.objects.filter(receiver_kind=Party.OFFICE.value, handed_over_at__isnull=False)


def _day(moment: datetime | None) -> date | None:
    return local_day(moment) if moment else None
