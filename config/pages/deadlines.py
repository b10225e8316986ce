"""期限: which promises are over, which soon will be, and which stand still and for whom; office by office."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import page
from ingest.models import Handling
from ingest.services.lights import RUNNING, amber_ends
from registry.actors import Actor
from registry.calendar import current_calendar
from registry.deadlines import deadline_policies
from registry.masking import mask_name
from registry.models import DeadlinePolicy, Office
from registry.permissions import visible
from registry.rules.deadlines import DeadlinePolicyFacts, Delayer, Light, cause_of_lateness, light, policy_for
from registry.time import local_day
from registry.workdays import Calendar, workdays_between

MOST = 200
"""Rows of one list; whoever has more to do works from the top."""


@dataclass(frozen=True)
class Line:
    """One promise. `cause` is who made it late, or for whom it stands still; empty while neither."""

    number: str
    item: str
    applicant: str
    deadline: date
    paused: date | None
    light: Light
    cause: str
    about: str


@dataclass
class OfficeLines:
    """One office's promises, the most urgent first."""

    office: Office
    policy: DeadlinePolicyFacts
    lines: list[Line] = field(default_factory=list)

    @property
    def amber_days(self) -> int:
        return self.policy.rules.amber_days

    @property
    def red(self) -> list[Line]:
        return [line for line in self.lines if line.light == Light.RED]

    @property
    def amber(self) -> list[Line]:
        return [line for line in self.lines if line.light == Light.AMBER]

    @property
    def paused(self) -> list[Line]:
        return [line for line in self.lines if line.light == Light.PAUSED]


@page("case.see")
def deadlines(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The reader's own office, or every office that decides for the reader's window."""
    today = local_day(timezone.now())
    handlings = visible(actor, "case.see", Handling.objects.all())
    context = {"offices": office_lines(handlings, today), "most": MOST, "more": _more(handlings, today)}
    return render(request, "work/deadlines.html", context)


def office_lines(handlings: QuerySet[Handling], today: date) -> list[OfficeLines]:
    """Red, amber and paused promises by office, in a constant number of queries."""
    calendar, policies = current_calendar(), deadline_policies()
    rows = (
        _urgent(handlings, policies, today, calendar)
        .select_related("case__item", "office")
        .prefetch_related("delays")
    )
    offices: dict[int, OfficeLines] = {}
    for handling in rows.order_by("deadline", "pk")[:MOST]:
        policy = policy_for(handling.office.region_id, today, policies)
        line = _line(handling, policy.rules.amber_days, today, calendar)
        if line.light != Light.GREEN:
            offices.setdefault(handling.office_id, OfficeLines(handling.office, policy)).lines.append(line)
    return sorted(offices.values(), key=lambda each: (-len(each.red), -len(each.amber), each.office.code))


def _more(handlings: QuerySet[Handling], today: date) -> bool:
    """Whether there are promises that the lists have no room for."""
    urgent = _urgent(handlings, deadline_policies(), today, current_calendar())
    return bool(urgent.order_by()[MOST : MOST + 1].exists())


def _urgent(
    handlings: QuerySet[Handling],
    policies: Iterable[DeadlinePolicyFacts],
    today: date,
    calendar: Calendar,
) -> QuerySet[Handling]:
    """What may be red, amber or paused under any policy."""
    last = max(amber_ends(today, policies, calendar).values())
    open_ones = handlings.filter(state__in=RUNNING, deadline__isnull=False)
    return open_ones.filter(deadline__lte=last) | open_ones.filter(paused_on__isnull=False)


def _line(handling: Handling, amber: int, today: date, calendar: Calendar) -> Line:
    assert handling.deadline is not None
    shines = light(
        handling.deadline, paused_on=handling.paused_on, today=today, amber_days=amber, calendar=calendar
    )
    delays = list(handling.delays.all())
    waited = [delay for delay in delays if delay.ended_on is None]
    cause, about = "", ""
    if shines == Light.RED:
        over = workdays_between(handling.deadline, handling.paused_on or today, calendar)
        cause = cause_of_lateness(
            over, [delay.facts for delay in delays], today=today, calendar=calendar
        ).label
    if waited:
        cause = cause or Delayer(waited[0].who).label
        about = "；".join(
            f"自 {delay.began_on:%Y-%m-%d} 等待{delay.who_in_words}{f'（寄件 {delay.parcel}）' if delay.parcel else ''}"
            for delay in waited
        )
    return Line(
        number=handling.case.number,
        item=handling.case.item.name,
        applicant=mask_name(handling.case.applicant_name),
        deadline=handling.deadline,
        paused=handling.paused_on,
        light=shines,
        cause=cause,
        about=about,
    )


def policy_rows() -> list[DeadlinePolicy]:
    """For the administrator's calendar page, the newest first."""
    return list(DeadlinePolicy.objects.select_related("region").order_by("-valid_from", "region"))
