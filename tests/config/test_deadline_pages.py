"""The list of deadlines by office, what the case page says of delays, and setting the rules."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.pages.deadlines import office_lines
from ingest.models import Case, Delay, Handling
from registry.models import DeadlinePolicy, Office
from registry.time import local_day
from registry.workdays import add_workdays
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn

TODAY = date(2026, 3, 16)
"""A Monday."""


def accepted(
    cast: Cast, deadline: date, *, paused_on: date | None = None, office: Office | None = None
) -> Handling:
    case = open_case(cast, offices=[office or cast.taizhou])
    Case.objects.filter(pk=case.pk).update(state="accepted", submitted_at=NOW)
    handling = case.handlings.get()
    Handling.objects.filter(pk=handling.pk).update(
        state="accepted", accepted_at=NOW, deadline=deadline, paused_on=paused_on
    )
    return Handling.objects.get(pk=handling.pk)


def test_offices_are_listed_with_red_amber_and_paused_and_whoever_is_late(cast: Cast) -> None:
    red = accepted(cast, date(2026, 3, 13))
    accepted(cast, date(2026, 3, 18))
    paused = accepted(cast, date(2026, 3, 30), paused_on=date(2026, 3, 13))
    Delay.objects.create(
        handling=paused, who="courier", parcel="P1", stopped=True, began_on=date(2026, 3, 13)
    )
    accepted(cast, date(2026, 3, 20))
    accepted(cast, date(2026, 3, 19), office=cast.wenling)
    DeadlinePolicy.objects.create(
        region=cast.wenling.region, valid_from=NOW.date(), amber_days=3, courier_days=3, receipt_days=1, source="会商"
    )  # fmt: skip
    taizhou, wenling = office_lines(Handling.objects.all(), TODAY)
    assert taizhou.office == cast.taizhou
    assert [line.number for line in taizhou.red] == [red.case.number]
    assert taizhou.red[0].cause == "审批部门"
    assert [str(line.deadline) for line in taizhou.amber] == ["2026-03-18"]
    assert [(line.cause, line.about) for line in taizhou.paused] == [
        ("承运商", "自 2026-03-13 等待承运商（寄件 P1）")
    ]
    assert [str(line.deadline) for line in wenling.amber] == ["2026-03-19"]


def test_each_sees_own_offices_and_windows_only(cast: Cast, sign_in: SignIn) -> None:
    late = local_day(timezone.now()) - timedelta(days=30)
    own, other = accepted(cast, late), accepted(cast, late, office=cast.wenling)
    officer = sign_in(cast.officer).get(reverse("deadlines")).content.decode()
    assert own.case.number in officer
    assert other.case.number not in officer
    clerk = sign_in(cast.clerk).get(reverse("deadlines")).content.decode()
    assert own.case.number in clerk
    assert cast.wenling.name in clerk
    assert own.case.number not in sign_in(cast.other_clerk).get(reverse("deadlines")).content.decode()
    assert sign_in(cast.finance).get(reverse("deadlines")).status_code == 404


def test_more_promises_take_no_more_queries(cast: Cast, sign_in: SignIn) -> None:
    client, counts = sign_in(cast.officer), []
    late = local_day(timezone.now()) - timedelta(days=30)
    for more in (1, 8):
        for _ in range(more):
            accepted(cast, late)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("deadlines"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.usefixtures("objects")
def test_the_case_says_for_whom_its_promise_stands_still(cast: Cast, sign_in: SignIn) -> None:
    day = local_day(timezone.now())
    handling = accepted(cast, day + timedelta(days=9), paused_on=day)
    Delay.objects.create(handling=handling, who="courier", parcel="P1", stopped=True, began_on=day)
    page = sign_in(cast.officer).get(reverse("case", args=[handling.case.number])).content.decode()
    assert "原件由承运商迟延" in page
    assert "等待承运商" in page
    assert "P1" in page
    assert "系统默认" in page, "and by which policy"


def test_rules_for_deadlines_are_set_on_the_calendar_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    told = {
        "region": "台州市",
        "valid_from": local_day(timezone.now()).isoformat(),
        "amber_days": "4",
        "courier_days": "2",
        "receipt_days": "1",
        "chase_days": "3",
        "incident_days": "7",
        "pause_for_courier": "1",
        "source": "通办联席会议",
    }
    assert client.post(reverse("deadline_rules"), told).status_code == 302
    assert "通办联席会议" in client.get(reverse("calendar")).content.decode()
    policy = DeadlinePolicy.objects.get(region_id="331000")
    assert (policy.pause_for_courier, policy.chase_days, policy.incident_days) == (True, 3, 7)
    again = client.post(reverse("deadline_rules"), told)
    assert again.status_code == 409
    assert "已经登记" in again.content.decode()
    # The chips of that city's office turn amber four days before.
    soon = accepted(cast, add_workdays(local_day(timezone.now()), 4).day)
    page = sign_in(cast.officer).get(reverse("deadlines")).content.decode()
    assert soon.case.number in page
    assert "依据：通办联席会议" in page
