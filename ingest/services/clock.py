"""The promised time: what stops it, what starts it again, and that its end is never passed over in silence."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from ingest.models import Case, Delay, Handling, overdue
from ingest.rules import HandlingState
from registry.actors import SYSTEM
from registry.calendar import current_calendar
from registry.events import record
from registry.rules.deadlines import Delayer, cause_of_lateness
from registry.time import local_day
from registry.workdays import add_workdays, workdays_between


def wait_for(
    handling: Handling, who: Delayer, *, since: date, stops: bool, parcel: str = ""
) -> dict[str, Any]:
    """Write a waiting down, in the caller's transaction; answers what changes on the handling for it.

    A promise that stands still already goes on standing still from its first day.
    """
    stops = stops and handling.deadline is not None
    Delay.objects.create(handling=handling, who=who.value, parcel=parcel, stopped=stops, began_on=since)
    return {"paused_on": since} if stops and handling.paused_on is None else {}


def no_longer_wait_for(handling: Handling, who: Delayer, *, on: date, parcel: str = "") -> dict[str, Any]:
    """End a waiting, in the caller's transaction; answers what changes on the handling for it.

    The promise runs again once nothing stops it any more, with the working days it had left: days late stay days late.
    """
    for delay in handling.delays.filter(who=who.value, parcel=parcel, ended_on__isnull=True):
        _end(delay, on)
    if handling.delays.filter(stopped=True, ended_on__isnull=True).exists():
        return {}
    return _run_again(handling, on)


def wait_no_more(handling: Handling, *, on: date) -> dict[str, Any]:
    """The handling is over: nobody is waited for any longer."""
    for delay in handling.delays.filter(ended_on__isnull=True):
        _end(delay, on)
    return _run_again(handling, on)


def note_delay(
    *, handling: Handling, who: Delayer, parcel: str, since: date, stops: bool, now: datetime
) -> bool:
    """A parcel with this handling's originals is late, and with whom; told again it changes nothing.

    Only a promise that has begun can lose time, so the waiting never begins before it was last counted from.
    """
    with transaction.atomic():
        held = _held(handling)
        known = held.delays.filter(who=who.value, parcel=parcel, ended_on__isnull=True)
        if held.state != HandlingState.ACCEPTED or known.exists():
            return False
        began = max(since, held.counted_from or since)
        changes = wait_for(held, who, since=began, stops=stops, parcel=parcel)
        if changes:
            Handling.objects.filter(pk=held.pk).update(**changes)
        record(
            kind="handling.clock_stopped" if changes else "handling.delayed",
            actor=SYSTEM,
            subject=held,
            now=now,
            case_number=held.case.number,
            data={"who": who.value, "since": str(began), "parcel": parcel, "office": held.office.code},
        )
    return True


def end_delay(*, delay: Delay, on: date, now: datetime) -> bool:
    """What was waited for is here; done again it changes nothing."""
    with transaction.atomic():
        held = _held(delay.handling)
        if not held.delays.filter(pk=delay.pk, ended_on__isnull=True).exists():
            return False
        changes = no_longer_wait_for(held, Delayer(delay.who), on=on, parcel=delay.parcel)
        if changes:
            Handling.objects.filter(pk=held.pk).update(**changes)
        deadline = {"deadline": str(changes["deadline"])} if changes else {}
        record(
            kind="handling.clock_started" if changes else "handling.delay_ended",
            actor=SYSTEM,
            subject=held,
            now=now,
            case_number=held.case.number,
            data={
                "who": delay.who,
                "on": str(on),
                "parcel": delay.parcel,
                "office": held.office.code,
                **deadline,
            },
        )
    return True


def tell_passed_deadlines(*, now: datetime) -> int:
    """Say of each promise that is over that it is, and who made it late: once. Answers how many were said."""
    today, calendar, said = local_day(now), current_calendar(), 0
    rows = Handling.objects.filter(
        overdue(today), state=HandlingState.ACCEPTED.value, passed_deadline__isnull=True
    )
    for handling in rows.select_related("case", "office").prefetch_related("delays").order_by("pk"):
        deadline = handling.deadline
        if deadline is None:
            continue
        over = workdays_between(deadline, handling.paused_on or today, calendar)
        delays = [delay.facts for delay in handling.delays.all()]
        cause = cause_of_lateness(over, delays, today=today, calendar=calendar)
        with transaction.atomic():
            untold = Handling.objects.filter(pk=handling.pk, deadline=deadline, passed_deadline__isnull=True)
            if not untold.update(passed_deadline=deadline):
                continue
            record(
                kind="handling.deadline_passed",
                actor=SYSTEM,
                subject=handling,
                now=now,
                case_number=handling.case.number,
                data={"deadline": str(deadline), "office": handling.office.code, "cause": cause.value},
            )
        said += 1
    return said


def may_pass_again(deadline: date, today: date) -> dict[str, Any]:
    """A promise that was moved into the future may be broken anew, and is told anew."""
    return {"passed_deadline": None} if deadline >= today else {}


def _run_again(handling: Handling, on: date) -> dict[str, Any]:
    if handling.paused_on is None:
        return {}
    if handling.deadline is None:
        return {"paused_on": None}
    calendar, since = current_calendar(), max(on, handling.paused_on)
    left = workdays_between(handling.paused_on, handling.deadline, calendar)
    deadline = add_workdays(since, left, calendar)
    return {
        "paused_on": None,
        "deadline": deadline.day,
        "deadline_certain": deadline.certain,
        "counted_from": since,
        "counted_days": left,
        **may_pass_again(deadline.day, since),
    }


def _end(delay: Delay, on: date) -> None:
    Delay.objects.filter(pk=delay.pk, ended_on__isnull=True).update(ended_on=max(on, delay.began_on))


def _held(handling: Handling) -> Handling:
    """The handling as it is now, while nobody else changes its case."""
    Case.objects.select_for_update().get(pk=handling.case_id)
    return Handling.objects.select_related("case", "office").get(pk=handling.pk)
