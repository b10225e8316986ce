"""The calendar in force: what was loaded here over what the library knows, and loading another year."""

from datetime import date, datetime

from django.db import transaction

from registry.actors import Actor
from registry.events import record
from registry.models import HolidayNotice
from registry.permissions import check_may
from registry.rules.holidays import read_holidays
from registry.rules.talk import fitting
from registry.workdays import Calendar, years_unknown
from storage.errors import Refused


def current_calendar() -> Calendar:
    """One query; the newest notice of each year."""
    years: dict[int, dict[date, bool]] = {}
    for year, days in HolidayNotice.objects.order_by("pk").values_list("year", "days"):
        years[year] = {date.fromisoformat(day): works for day, works, _ in days}
    return Calendar(years)


def load_holidays(*, year: int, text: str, source: str, actor: Actor, now: datetime) -> HolidayNotice:
    """Take in a year's notice; open deadlines that it touches are counted again. Raises HolidayFault."""
    check_may(actor, "calendar.edit")
    source = fitting(source, what="文号或出处")
    if not source:
        raise Refused("holiday_source", "请填写国务院办公厅通知的文号或出处。")
    days = read_holidays(text, year=year)
    with transaction.atomic():
        notice = HolidayNotice.objects.create(
            year=year,
            source=source,
            days=[[day.day.isoformat(), day.works, day.name] for day in days],
            loaded_at=now,
            loaded_by=actor.label,
        )
        record(
            kind="calendar.published",
            actor=actor,
            subject=notice,
            now=now,
            data={"year": year, "days": len(days)},
        )
    return notice


def calendar_warning(today: date) -> str:
    """What people must be told when a year they count in is not published; empty when all is known."""
    unknown = years_unknown(today, current_calendar())
    if not unknown:
        return ""
    named = "、".join(f"{year} 年" for year in unknown)
    return f"{named}的放假调休安排尚未载入，落在其中的承诺期限按周一至周五暂计，公布后请管理员在“工作日历”载入国务院办公厅通知。"
