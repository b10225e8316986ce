"""Counting promises again when the calendar they were counted in becomes known or is corrected."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from ingest.models import Handling
from ingest.services.clock import may_pass_again
from registry.actors import SYSTEM
from registry.calendar import current_calendar
from registry.events import record
from registry.time import local_day
from registry.workdays import add_workdays


def recount_deadlines(*, year: int, now: datetime) -> int:
    """Count every open promise that the year touches anew from where it was counted; answers how many moved.

    Done again it changes nothing.
    """
    calendar, moved = current_calendar(), 0
    touched = Q(deadline_certain=False) | Q(
        deadline__gte=date(year, 1, 1), counted_from__lte=date(year, 12, 31)
    )
    rows = Handling.objects.filter(touched, decided_at__isnull=True, counted_from__isnull=False)
    for handling in rows.select_related("case", "office").iterator():
        if handling.counted_from is None or handling.counted_days is None:
            continue
        counted = add_workdays(handling.counted_from, handling.counted_days, calendar)
        if (counted.day, counted.certain) == (handling.deadline, handling.deadline_certain):
            continue
        with transaction.atomic():
            unchanged = Handling.objects.filter(
                pk=handling.pk, deadline=handling.deadline, counted_from=handling.counted_from
            )
            again = may_pass_again(counted.day, local_day(now))
            if not unchanged.update(deadline=counted.day, deadline_certain=counted.certain, **again):
                continue
            record(
                kind="handling.deadline_recounted",
                actor=SYSTEM,
                subject=handling,
                now=now,
                case_number=handling.case.number,
                data={"from": str(handling.deadline), "to": str(counted.day), "office": handling.office.code},
            )
        moved += 1
    return moved
