"""A year that the library does not know is loaded by the administrator, and promises follow it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from ingest.models import Handling
from ingest.services.handlings import accept, pre_review
from ingest.services.intake import submit
from ingest.services.recounting import recount_deadlines
from registry.calendar import calendar_warning, current_calendar, load_holidays
from registry.models import Event, HolidayNotice, User
from registry.permissions import NotYours
from registry.rules.holidays import HolidayFault, read_holidays
from registry.workdays import add_workdays, covered_until, is_workday, workdays_between, years_unknown
from tests.cast import Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything
from workers.reactions import jobs_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
YEAR = covered_until() + 1
# A made-up notice: what matters is that Monday to Thursday of a week in May are off and the Saturday before is worked.
MONDAY = next(date(YEAR, 5, day) for day in range(8, 15) if date(YEAR, 5, day).weekday() == 0)
NOTICE = f"""{YEAR}-01-01 至 {YEAR}-01-03 放假 元旦
{MONDAY} 至 {MONDAY.replace(day=MONDAY.day + 3)} 放假 劳动节
{MONDAY.replace(day=MONDAY.day - 2)} 上班
{YEAR}-10-01 至 {YEAR}-10-07 放假 国庆节"""
FRIDAY_BEFORE = datetime(YEAR, 5, MONDAY.day - 3, 2, 0, tzinfo=UTC)


@pytest.fixture
def cast() -> Cast:
    return assemble()


def load(cast: Cast, text: str = NOTICE) -> HolidayNotice:
    return load_holidays(
        year=YEAR, text=text, source="国办发明电", actor=cast.administrator, now=FRIDAY_BEFORE
    )


def accepted(cast: Cast) -> Handling:
    case = open_case(cast, now=FRIDAY_BEFORE)
    hand_in_everything(case)
    handling = submit(case=case, actor=cast.clerk, now=FRIDAY_BEFORE).handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=FRIDAY_BEFORE)
    return accept(handling=handling, actor=cast.officer, now=FRIDAY_BEFORE)


def test_a_loaded_year_is_known_with_its_holidays_and_make_up_days(cast: Cast) -> None:
    assert years_unknown(date(YEAR - 1, 11, 1)) == (YEAR,)
    assert f"{YEAR} 年" in calendar_warning(date(YEAR - 1, 11, 1))
    load(cast)
    calendar = current_calendar()
    assert calendar_warning(date(YEAR - 1, 11, 1)) == ""
    assert is_workday(MONDAY, calendar) == (False, True)
    assert is_workday(MONDAY.replace(day=MONDAY.day - 2), calendar) == (True, True)
    start = FRIDAY_BEFORE.date()
    assert add_workdays(start, 2, calendar).day == MONDAY.replace(day=MONDAY.day + 4)
    assert workdays_between(start, MONDAY.replace(day=MONDAY.day + 4), calendar) == 2


def test_a_promise_counted_before_the_notice_is_provisional_and_moves_when_it_comes(cast: Cast) -> None:
    handling = accepted(cast)
    assert not handling.deadline_certain
    before = handling.deadline
    load(cast)
    event = Event.objects.get(kind="calendar.published")
    assert [name for name, _ in jobs_of(event)] == ["recount_deadlines"]
    assert recount_deadlines(year=YEAR, now=FRIDAY_BEFORE) == 1
    counted = Handling.objects.get(pk=handling.pk)
    assert counted.deadline_certain
    assert before is not None
    assert counted.deadline == add_workdays(FRIDAY_BEFORE.date(), 5, current_calendar()).day != before
    moved = Event.objects.get(kind="handling.deadline_recounted")
    assert moved.data["from"] == str(before)
    assert recount_deadlines(year=YEAR, now=FRIDAY_BEFORE) == 0


def test_a_corrected_notice_counts_and_the_first_is_kept(cast: Cast) -> None:
    load(cast)
    load(cast, NOTICE.replace(f"{MONDAY} 至", f"{MONDAY.replace(day=MONDAY.day + 1)} 至"))
    assert HolidayNotice.objects.count() == 2
    assert is_workday(MONDAY, current_calendar()) == (True, True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{YEAR - 1}-10-01 放假", f"不在 {YEAR} 年"),
        (f"{YEAR}-02-30 放假", "没有"),
        (f"{YEAR}-10-05 至 {YEAR}-10-01 放假", "颠倒"),
        (f"{MONDAY} 上班", "周六或周日"),
        ("十月一日放假", "应写作"),
        (f"{YEAR}-10-01 放假", "重复"),
    ],
)
def test_a_list_with_a_fault_is_not_taken_and_every_fault_is_named(cast: Cast, line: str, says: str) -> None:
    with pytest.raises(HolidayFault) as refused:
        load(cast, f"{NOTICE}\n{line}\n没有日期")
    assert says in refused.value.message
    assert "第 6 行" in refused.value.message
    assert not HolidayNotice.objects.exists()


def test_half_a_notice_is_not_a_notice() -> None:
    with pytest.raises(HolidayFault, match="请补全"):
        read_holidays(f"{YEAR}-01-01 放假 元旦", year=YEAR)


def test_only_the_administrator_loads_a_calendar(cast: Cast) -> None:
    with pytest.raises(NotYours):
        load(replace(cast, administrator=cast.officer))


def test_the_page_warns_keeps_what_was_typed_and_takes_the_notice(cast: Cast, client: Client) -> None:
    client.force_login(User.objects.get(username="administrator"))
    address = reverse("calendar")
    assert client.get(address).status_code == 200
    told = {"year": str(YEAR), "source": "国办发明电", "days": "没有日期"}
    refused = client.post(address, told)
    assert (refused.status_code, "没有日期" in refused.content.decode()) == (409, True)
    client.post(address, {**told, "days": NOTICE})
    assert "国办发明电" in client.get(address).content.decode()
