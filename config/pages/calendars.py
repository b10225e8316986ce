"""工作日历: which years are known, and loading the State Council's notice of the next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.deadlines import policy_rows
from config.pages.frame import Fault, Typed, page
from config.pages.naming import region_named
from registry.actors import Actor
from registry.calendar import calendar_warning, load_holidays
from registry.deadlines import LONGEST, set_deadline_policy
from registry.models import HolidayNotice
from registry.rules.deadlines import UNLESS_TOLD, DeadlineRules
from registry.sheets.forms import day_of, whole_between
from registry.time import local_day
from registry.workdays import covered_until
from storage.errors import Refused

_DAYS = whole_between(0, LONGEST)


@page("calendar.edit")
def calendar(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "GET":
        return _show(request)
    told, now = request.POST, timezone.now()

    def load() -> None:
        year = told.get("year", "").strip()
        if not year.isdecimal() or len(year) != 4:
            raise Refused("holiday_year", "请填写四位年份。")
        load_holidays(
            year=int(year), text=told.get("days", ""), source=told.get("source", ""), actor=actor, now=now
        )

    return act_elsewhere(
        request,
        act=load,
        said="已载入，尚未办结的承诺期限正在按新的日历重新计算。",
        at="load",
        back=f"{reverse('calendar')}#load",
        refused=lambda fault: _show(request, fault),
    )


@require_POST
@page("calendar.edit")
def deadline_rules(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new rule for deadlines; what it replaces stays on record."""
    told, now = request.POST, timezone.now()

    def act() -> None:
        region = told.get("region", "").strip()
        set_deadline_policy(
            region=region_named(region) if region else None,
            valid_from=day_of(told.get("valid_from", "")),
            rules=DeadlineRules(
                amber_days=_DAYS(told.get("amber_days", "")),
                courier_days=_DAYS(told.get("courier_days", "")),
                receipt_days=_DAYS(told.get("receipt_days", "")),
                chase_days=_DAYS(told.get("chase_days", "")),
                incident_days=_DAYS(told.get("incident_days", "")),
                pause_for_courier=told.get("pause_for_courier") == "1",
            ),
            source=told.get("source", ""),
            actor=actor,
            now=now,
        )

    return act_elsewhere(
        request,
        act=act,
        said="期限规则已登记。",
        at="rules",
        back=f"{reverse('calendar')}#rules",
        refused=lambda fault: _show(request, fault),
    )


def _show(request: HttpRequest, fault: Fault | None = None) -> HttpResponse:
    today = local_day(timezone.now())
    context = {
        "warning": calendar_warning(today),
        "covered_until": covered_until(),
        "notices": HolidayNotice.objects.all(),
        "policies": policy_rows(),
        "unless_told": UNLESS_TOLD,
        "next_year": today.year + 1,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "directory/calendar.html", context, status=409 if fault else 200)
