"""A paper that is not on its desk: told by the window without a mouse, found by the office, once however often it is sent."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from ingest.models import Original
from logistics.models import CustodyEvent, Incident
from registry.models import Event
from tests.browser.conftest import Enter, look, press_until
from tests.browser.test_every_page import NOWHERE
from tests.cast import Cast
from tests.logistics.road import Road, build_road

HOW = "夹在另一份卷内，随别的件一起到了"


@pytest.fixture
def road(cast: Cast) -> Road:
    return build_road(cast, NOWHERE).pre_reviewed()


def told(kind: str) -> int:
    return Event.objects.filter(kind=kind).count()


def test_missed_by_the_window_and_found_by_the_office(road: Road, enter: Enter) -> None:
    paper = road.originals[0]
    address = reverse("original", args=[paper.pk])
    clerk = enter(road.cast.clerk)
    clerk.goto(f"{reverse('originals')}?list=here")
    expect(clerk.locator("html.js")).to_be_attached()
    press_until(clerk, clerk.get_by_role("link", name=paper.name))
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_role("heading", name=paper.name)).to_be_visible()
    press_until(clerk, clerk.locator("summary", has_text="在本处找不到"))
    clerk.keyboard.press("Enter")
    press_until(clerk, clerk.get_by_role("button", name="登记查找"))
    clerk.keyboard.press("Enter")
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_text("已登记查找，由本处负责，请在期限内查找。")).to_be_visible()
    paper.refresh_from_db()
    assert (paper.place, told("incident.opened")) == (Original.Place.MISSING, 1)

    # The page before is not of today any more: sent again from there it is refused, and the paper is looked for once.
    clerk.go_back()
    stale = clerk.locator("summary", has_text="在本处找不到")
    if stale.count():
        stale.click()
        clerk.get_by_role("button", name="登记查找").click()
        expect(clerk.locator("#act [role=alert]")).to_be_visible()
    assert (told("incident.opened"), CustodyEvent.objects.filter(original=paper).count()) == (1, 1)

    officer = enter(road.cast.officer)
    officer.goto(reverse("originals"))
    press_until(officer, officer.get_by_role("link", name=paper.name))
    officer.keyboard.press("Enter")
    look(officer, "missing-elsewhere")
    press_until(officer, officer.locator("summary", has_text="找到了"))
    officer.keyboard.press("Enter")
    press_until(officer, officer.get_by_label("找到的经过"))
    officer.keyboard.insert_text(HOW)
    officer.keyboard.press("Enter")
    expect(officer.get_by_text("已登记找回")).to_be_visible()
    paper.refresh_from_db()
    assert (paper.place, paper.place_id) == (Original.Place.OFFICE, road.cast.taizhou.pk)
    assert Incident.objects.get().resolved_at is not None
    assert CustodyEvent.objects.filter(original=paper).count() == 2
    look(officer, "found-elsewhere")

    clerk.goto(address)
    expect(clerk.locator("#where")).to_contain_text(road.cast.taizhou.name)
    expect(clerk.locator("summary", has_text="找到了")).to_have_count(0)
    clerk.get_by_role("link", name="异常", exact=True).click()
    expect(clerk.locator("main")).not_to_contain_text(paper.name)
