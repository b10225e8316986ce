"""期限: how many promises are over, soon will be, or stand still, office by office; counts alone, nobody's papers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q

from ingest.models import Handling, overdue
from ingest.rules import HandlingState
from registry.actors import Actor
from registry.calendar import current_calendar
from registry.deadlines import deadline_policies
from registry.models import Office
from registry.permissions import check_may, visible
from registry.rules.deadlines import UNLESS_TOLD, DeadlinePolicyFacts, policy_for
from registry.time import local_day
from registry.workdays import Calendar, add_workdays

RUNNING = (HandlingState.ACCEPTED.value, HandlingState.SUPPLEMENT.value)
"""States of a handling in which a promise runs, or stands still for a while."""


@dataclass(frozen=True)
class OfficeLights:
    """One office with its running promises counted; `policy` is the one that says what is amber there."""

    office: Office
    policy: DeadlinePolicyFacts
    red: int
    amber: int
    paused: int
    running: int


def office_lights(*, actor: Actor, now: datetime) -> list[OfficeLights]:
    """Every office with a running promise within the actor's reach, most red first, in a fixed number of queries."""
    check_may(actor, "deadline.count")
    today, calendar, policies = local_day(now), current_calendar(), deadline_policies()
    ends = amber_ends(today, policies, calendar)
    handlings = visible(actor, "deadline.count", Handling.objects.all())
    late, stands_still = overdue(today), Q(paused_on__isnull=False)
    soon = Q(paused_on__isnull=True, deadline__gte=today)
    counted = (
        handlings.filter(state__in=RUNNING, deadline__isnull=False)
        .order_by()
        .values("office_id")
        .annotate(
            running=Count("pk"),
            red=Count("pk", filter=late),
            paused=Count("pk", filter=stands_still & Q(paused_on__lte=F("deadline"))),
            **{
                f"amber_{days}": Count("pk", filter=soon & Q(deadline__lte=end)) for days, end in ends.items()
            },
        )
    )
    rows: dict[int, dict[str, Any]] = {row["office_id"]: {**row} for row in counted}
    found = []
    for office in Office.objects.select_related("region").filter(pk__in=rows):
        row, policy = rows[office.pk], policy_for(office.region_id, today, policies)
        amber = row[f"amber_{policy.rules.amber_days}"]
        found.append(OfficeLights(office, policy, row["red"], amber, row["paused"], row["running"]))
    return sorted(found, key=lambda each: (-each.red, -each.amber, each.office.code))


def amber_ends(today: date, policies: Iterable[DeadlinePolicyFacts], calendar: Calendar) -> dict[int, date]:
    """For each number of working days from which on some policy calls a promise amber, the last day that is amber today.

    That is the eve of the next working day after them, so that a promise on a day off is no exception.
    """
    days_ahead = {UNLESS_TOLD.amber_days, *(policy.rules.amber_days for policy in policies)}
    return {
        days: add_workdays(today, days + 1, calendar).day - timedelta(days=1) for days in sorted(days_ahead)
    }
