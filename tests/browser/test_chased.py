"""Who is chased reads it where they work: in the talk, on the paper's page, in the lists; and answers there."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ingest.models import Original
from logistics.models import Incident
from logistics.services.chasing import chase_overdue
from registry.models import MaterialRequirement
from tests.browser.conftest import Enter, look
from tests.cast import NOW, Cast
from tests.logistics.road import build_road

pytestmark = pytest.mark.django_db(transaction=True)


def test_chased_and_answered(cast: Cast, enter: Enter) -> None:
    road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
    MaterialRequirement.objects.update(mailed=True)
    Original.objects.update(moved_at=NOW)
    for days in range(14, -1, -1):
        chase_overdue(now=timezone.now() - timedelta(days=days))
    paper = road.originals[0]

    clerk = enter(cast.clerk)
    clerk.goto(f"/cases/{road.case.number}/talk/")
    expect(clerk.get_by_text("原件超期").first).to_be_visible()
    look(clerk, "chased-talk")
    clerk.goto("/originals/?list=overdue")
    expect(clerk.get_by_text("已催办").first).to_be_visible()
    look(clerk, "chased-list")
    clerk.goto("/incidents/")
    look(clerk, "chased-incidents")
    clerk.locator(f'a[href="/originals/{paper.pk}/#act"]').click()
    clerk.locator("summary", has_text="答复原因").click()
    look(clerk, "chased-original")
    clerk.get_by_label("原因和打算").fill("申请人周五来取")
    clerk.get_by_role("button", name="答复并关闭异常").click()
    expect(clerk.get_by_text("已答复，异常已关闭")).to_be_visible()
    assert Incident.objects.get(original=paper).resolution == "申请人周五来取"
