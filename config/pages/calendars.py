"""工作日历: which years are known, and loading the State Council's notice of the next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from registry.actors import Actor
from registry.calendar import calendar_warning, load_holidays
from registry.models import HolidayNotice
from registry.time import local_day
from registry.workdays import covered_until
from storage.errors import Refused


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


def _show(request: HttpRequest, fault: Fault | None = None) -> HttpResponse:
    today = local_day(timezone.now())
    context = {
        "warning": calendar_warning(today),
        "covered_until": covered_until(),
        "notices": HolidayNotice.objects.all(),
        "next_year": today.year + 1,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "directory/calendar.html", context, status=409 if fault else 200)
