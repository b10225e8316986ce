"""A missing original before two screens: written off by one, confirmed by the other, found after all, signed for."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ingest.models import Original
from logistics.models import CustodyEvent, Loss
from logistics.rules.losses import LossState, Remedy
from logistics.services.custody import hand_over, receive_parcel, report_lost
from logistics.services.losses import confirm_loss, declare_lost
from logistics.services.parcels import seal_parcel
from registry.models import MaterialRequirement
from tests.browser.conftest import Enter, look
from tests.cast import NOW, Cast
from tests.logistics.road import build_road

pytestmark = pytest.mark.django_db(transaction=True)


def test_written_off_by_two_found_and_signed_for(cast: Cast, enter: Enter) -> None:
    road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
    parcel = hand_over(token=road.registered().parcel.token_text, actor=cast.clerk, now=NOW)
    long_ago = timezone.now() - timedelta(days=3)
    receive_parcel(parcel=parcel, ticked=[road.originals[0].pk], actor=cast.officer, now=long_ago)
    gone = road.originals[1]

    clerk = enter(cast.clerk)
    clerk.goto("/originals/")
    look(clerk, "originals")
    clerk.get_by_role("link", name=gone.name).click()
    clerk.locator("summary", has_text="报失核销").click()
    clerk.get_by_label("核销理由").fill("窗口、承运商网点和对方收件处均已查找，未找到。")
    clerk.get_by_label("赔付").check()
    clerk.get_by_label("处理说明").fill("已按邮寄协议向申请人赔付。")
    look(clerk, "declare")
    clerk.get_by_role("button", name="申报核销此原件").click()
    expect(clerk.get_by_text("等另一人复核")).to_have_count(2)

    officer = enter(cast.officer)
    officer.goto(f"/originals/{gone.pk}/")
    look(officer, "decide")
    officer.get_by_role("button", name="确认丢失，核销此原件").click()
    expect(officer.get_by_text("已复核，原件报失核销。")).to_be_visible()
    assert Loss.objects.get().state == LossState.CONFIRMED

    clerk.reload()
    clerk.locator("summary", has_text="又找到了").click()
    clerk.get_by_label("找到的经过").fill("夹在另一份卷内")
    clerk.get_by_role("button", name="登记在本处找到").click()
    pad = clerk.get_by_role("img", name="签名框")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    clerk.mouse.move(box["x"] + 40, box["y"] + 40)
    clerk.mouse.down()
    clerk.mouse.move(box["x"] + 240, box["y"] + 120, steps=8)
    clerk.mouse.up()
    look(clerk, "found")
    clerk.get_by_role("button", name="交给申请人").click()
    expect(clerk.get_by_text("已交给申请人。")).to_be_visible()
    gone.refresh_from_db()
    assert gone.place == Original.Place.APPLICANT
    assert CustodyEvent.objects.filter(original=gone).latest("sequence").photo is not None
    clerk.goto(f"/originals/{gone.pk}/")
    look(clerk, "chain")
    clerk.goto("/parcels/returning/")
    look(clerk, "returning")
    packing = road.packed(road.another_case())
    clerk.goto(f"/parcels/{packing.number}/")
    look(clerk, "packing")


def test_what_is_not_on_the_desk_is_looked_for_and_found(cast: Cast, enter: Enter) -> None:
    road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
    paper, other = road.originals
    MaterialRequirement.objects.update(mailed=True)
    clerk = enter(cast.clerk)
    clerk.goto("/originals/?list=overdue")
    look(clerk, "overdue")
    clerk.get_by_role("link", name=paper.name).click()
    clerk.locator("summary", has_text="在本处找不到").click()
    look(clerk, "miss")
    clerk.get_by_role("button", name="登记查找").click()
    expect(clerk.get_by_text("已登记查找，由本处负责，请在期限内查找。")).to_be_visible()
    look(clerk, "missing-desk")
    clerk.get_by_role("link", name="异常", exact=True).click()
    expect(clerk.get_by_text("原件在原处查无")).to_be_visible()
    look(clerk, "incidents")
    clerk.get_by_role("link", name="原件在原处查无").click()
    clerk.locator("summary", has_text="找到了").click()
    clerk.get_by_label("找到的经过").fill("夹在另一份卷内")
    clerk.get_by_role("button", name="登记在本处找到").click()
    expect(clerk.get_by_text("已登记找回")).to_be_visible()

    sealed = road.packed([other])
    seal_parcel(parcel=sealed, weight_g=90, actor=cast.clerk, now=NOW)
    bag = hand_over(token=road.registered(parcel=sealed).parcel.token_text, actor=cast.clerk, now=NOW)
    report_lost(parcel=bag, actor=cast.clerk, now=NOW)
    loss = declare_lost(
        original=Original.objects.select_related("case").get(pk=other.pk),
        reason="承运商网点已查找",
        remedy=Remedy.EXPLAINED,
        done="已说明",
        actor=cast.clerk,
        now=timezone.now(),
    )
    confirm_loss(loss=loss, actor=cast.officer, now=timezone.now())
    officer = enter(cast.officer)
    officer.goto(f"/parcels/{bag.number}/receive/")
    expect(officer.get_by_text("其中 1 件已报失核销")).to_be_visible()
    look(officer, "receive-written-off")
    officer.get_by_label(other.name, exact=True).check()
    officer.get_by_role("button", name="确认签收").click()
    expect(officer.get_by_text("已签收核对，原件已登记在此处。")).to_be_visible()
    look(officer, "received")
    assert Original.objects.get(pk=other.pk).place == Original.Place.OFFICE
