"""The collector signs on the screen, with a pointer, and everything on the list is handed over."""

import pytest
from playwright.sync_api import expect

from logistics.models import CustodyEvent, HandoverList
from tests.browser.conftest import Enter
from tests.cast import Cast
from tests.logistics.road import build_road

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_signature_is_drawn_cleared_drawn_again_and_counts(cast: Cast, enter: Enter) -> None:
    parcel = build_road(cast, "http://127.0.0.1:9").pre_reviewed().registered().parcel
    clerk = enter(cast.clerk)
    clerk.goto("/handovers/")
    clerk.get_by_role("button", name="开始交接").click()
    clerk.get_by_label("用扫码枪扫面单上的二维码").fill(parcel.token_text)
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_text("已列入。")).to_be_visible()
    clerk.get_by_label("揽收员姓名").fill("王小明")
    pad = clerk.get_by_role("img", name="签名框")
    for clear in (True, False):
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        clerk.mouse.move(box["x"] + 40, box["y"] + 40)
        clerk.mouse.down()
        clerk.mouse.move(box["x"] + 240, box["y"] + 120, steps=8)
        clerk.mouse.up()
        if clear:
            clerk.get_by_role("button", name="清除重签").click()
    clerk.get_by_role("button", name="确认签收 1 件").click()
    expect(clerk.get_by_text("已签收，清单内各件已交给承运商。")).to_be_visible()
    expect(clerk.get_by_role("img", name="揽收员的签名")).to_be_visible()
    handover = HandoverList.objects.get()
    assert handover.collector == "王小明"
    assert {row.handover_id for row in CustodyEvent.objects.all()} == {handover.pk}
