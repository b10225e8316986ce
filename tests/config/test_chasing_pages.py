"""Whoever is chased reads it in the talk, on the paper's page and in the lists, and answers there."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ingest.models import Original
from logistics.models import Incident
from logistics.services.chasing import chase_overdue
from registry.calendar import current_calendar
from registry.models import MaterialRequirement
from registry.time import local_day
from registry.workdays import is_workday
from tests.cast import NOW
from tests.config.conftest import SignIn
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(road: Road) -> Road:
    """A paper that lies at the window since long ago, of which the window was told on the last working day."""
    road.pre_reviewed()
    MaterialRequirement.objects.update(mailed=True)
    Original.objects.update(moved_at=NOW)
    return road


def told(times: int = 1) -> None:
    """On each of the last working days."""
    days, now = list[datetime](), timezone.now()
    while len(days) < times:
        if is_workday(local_day(now), current_calendar())[0]:
            days.append(now)
        now -= timedelta(days=1)
    assert [chase_overdue(now=day) for day in reversed(days)] == [1] * times


def test_the_line_is_unread_on_both_sides_and_nobody_takes_it_back(late: Road, sign_in: SignIn) -> None:
    told()
    for actor in (late.cast.clerk, late.cast.officer):
        client = sign_in(actor)
        assert "未读" in client.get(reverse("talks")).text
        shown = client.get(reverse("talk", args=[late.case.number])).text
        for words in ("催办", "系统", "原件超期，请", late.cast.zhuji.name, "应寄未寄"):
            assert words in shown
        assert "撤回这条留言" not in shown
    assert "催办超期原件" in sign_in(late.cast.clerk).get(reverse("case", args=[late.case.number])).text


def test_how_often_it_was_chased_stands_with_the_paper(late: Road, sign_in: SignIn) -> None:
    clerk, paper = sign_in(late.cast.clerk), late.originals[0]
    page = reverse("original", args=[paper.pk])
    assert "已催办" not in clerk.get(page).text
    told()
    assert "已催办 1 次" in clerk.get(page).text
    assert "已催办 1 次" in clerk.get(reverse("originals"), {"list": "overdue"}).text


def test_the_desk_answers_and_the_incident_is_closed(late: Road, sign_in: SignIn) -> None:
    told(2)  # late for far more than five days when it is told for the first time
    clerk, officer, paper = sign_in(late.cast.clerk), sign_in(late.cast.officer), late.originals[0]
    page, answer = (reverse(name, args=[paper.pk]) for name in ("original", "answer_overdue"))
    assert f"{page}#act" in clerk.get(reverse("incidents")).text
    assert "答复并关闭异常" in clerk.get(page).text
    assert "答复并关闭异常" not in officer.get(page).text, "it is the window's to answer"
    assert officer.post(answer, {"resolution": "算了"}).status_code == 409
    refused = clerk.post(answer, {"resolution": " "})
    assert (refused.status_code, "请填写处理结果" in refused.text) == (409, True)
    assert "已答复" in clerk.post(answer, {"resolution": "申请人周五来取"}, follow=True).text
    incident = Incident.objects.get(original=paper)
    assert (incident.state, incident.resolution) == ("resolved", "申请人周五来取")
    assert "答复并关闭异常" not in clerk.get(page).text
    assert sign_in(late.cast.other_clerk).post(answer, {"resolution": "x"}).status_code == 404
