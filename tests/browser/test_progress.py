"""An applicant with a telephone: scans the slip, types four digits, reads large letters, and nothing runs out of the screen."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect

from ingest.slips import receipt_of
from logistics.services.custody import hand_over
from registry.actors import SYSTEM
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from tests.browser.test_every_page import GRAVE, NOWHERE, WIDER_THAN_THE_WINDOW
from tests.cast import APPLICANT, NOW, Cast
from tests.logistics.road import Road, build_road

LARGE_PX = 18
LETTERS = "Number.parseFloat(getComputedStyle(document.querySelector('main p:not(.wordmark)')).fontSize)"


@pytest.fixture
def road(cast: Cast) -> Road:
    road = build_road(cast, NOWHERE).pre_reviewed()
    waybill = road.registered()
    hand_over(token=waybill.parcel.token_text, actor=cast.clerk, now=NOW + timedelta(minutes=5))
    return road


def faults_of(page: Page) -> list[str]:
    found = [
        violation["id"]
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in GRAVE
    ]
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        if page.evaluate(WIDER_THAN_THE_WINDOW):
            found.append(f"wider than {width}")
    page.set_viewport_size({"width": 390, "height": 844})
    return found


def test_from_the_slip_to_where_the_paper_is(road: Road, phone: Page) -> None:
    data = receipt_of(road.case, received_at=NOW)
    slip = issue(kind=SlipKind.RECEIPT, subject=road.case, data=data, actor=SYSTEM, now=NOW)
    token = str(slip.data["code"]).rpartition("/")[2]
    phone.goto(reverse("progress_by_slip", args=[token]))
    expect(phone.get_by_role("status")).to_contain_text("初步审查已通过")
    assert phone.evaluate(LETTERS) >= LARGE_PX
    assert faults_of(phone) == []
    phone.get_by_label("手机号后四位").fill("0000")
    phone.get_by_role("button", name="查询").click()
    expect(phone.get_by_role("alert")).to_contain_text("没有查到")
    phone.get_by_label("手机号后四位").fill(APPLICANT.phone[-4:])
    phone.get_by_role("button", name="查询").click()
    expect(phone.get_by_text("2 份申请材料原件在寄送途中")).to_be_visible()
    expect(phone.get_by_text("1012345678901")).to_be_visible()
    assert faults_of(phone) == []
    assert road.case.number not in phone.url


def test_by_number_and_tail(road: Road, phone: Page) -> None:
    phone.goto(reverse("progress"))
    assert faults_of(phone) == []
    phone.get_by_label("办件编号").fill(road.case.number.lower())
    phone.get_by_label("手机号后四位").fill(APPLICANT.phone[-4:])
    phone.get_by_role("button", name="查询").click()
    expect(phone.get_by_text("结果送达：邮寄")).to_be_visible()
    assert road.case.number not in phone.url
