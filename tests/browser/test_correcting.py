"""A clerk goes through what was not read surely without touching the mouse."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from ingest.uploads import receive_file
from ocr.models import Correction, Reading
from ocr.services.review import let_count
from tests.browser.conftest import Enter
from tests.cast import NOW, Cast, open_case
from tests.config.world import read_page
from tests.ocr.paper import Paper


@pytest.fixture
def reading(cast: Cast, tmp_path: Path) -> Reading:
    """Of a page with two lines, both of which wait."""
    case = open_case(cast)
    receive_file(
        case=case,
        material=case.materials.get(position=1),
        path=Paper().letter().save(tmp_path / "form.jpg"),
        original_name="form.jpg",
        actor=cast.clerk,
        now=NOW,
    )
    return read_page(case)


def test_enter_confirms_and_leads_on(cast: Cast, reading: Reading, enter: Enter) -> None:
    page = enter(cast.clerk)
    page.goto(reverse("reviews"))
    expect(page.locator("html.js")).to_be_attached()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    box = page.get_by_label("这一行的文字")
    expect(box).to_be_focused()
    expect(box).to_have_value("姓名：陈志弦")
    expect(page.locator(".cut-out img")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("强")
    page.keyboard.press("Enter")
    expect(box).to_have_value("身份证号：330681198807150038")
    expect(page.get_by_text("校验未通过")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("没有要核对的地方")).to_be_visible()
    said = list(Correction.objects.order_by("pk").values_list("confirms", flat=True))
    assert said == [False, True]


def test_a_line_and_its_place_on_the_page_lead_to_one_another(
    cast: Cast, reading: Reading, enter: Enter
) -> None:
    page = enter(cast.clerk)
    page.goto(reverse("review", args=[reading.page_id]))
    places, lines = page.locator(".linked polygon"), page.locator(".read-lines li")
    expect(places).to_have_count(2)
    expect(places.first).to_have_class("now")
    expect(lines.first).to_have_attribute("aria-current", "true")

    lines.nth(1).hover()
    expect(places.nth(1)).to_have_class("waits on")
    places.first.hover()
    expect(lines.first).to_have_class("now on")
    expect(places.nth(1)).to_have_class("waits")

    places.nth(1).click()
    expect(page.get_by_label("这一行的文字")).to_have_value("身份证号：330681198807150038")
    expect(page.get_by_label("这一行的文字")).to_be_focused()
    lines.first.get_by_role("link").focus()
    expect(places.first).to_have_class("waits on")
    page.keyboard.press("Enter")
    expect(page.get_by_label("这一行的文字")).to_have_value("姓名：陈志弦")


def test_a_page_without_text_is_left_a_picture_by_enter(cast: Cast, reading: Reading, enter: Enter) -> None:
    unread = Reading.objects.create(
        page=reading.page, engine="tesseract", engine_version="5", settings_digest="1" * 64, precision="none",
        failure="ocr_engine_failed", seconds=1, read_at=NOW,
    )  # fmt: skip
    let_count(page=reading.page, reading=unread, now=NOW + timedelta(minutes=1))
    page = enter(cast.clerk)
    page.goto(reverse("review", args=[reading.page_id]))
    expect(page.get_by_role("button", name="看过了，作为图像入卷")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("没有要核对的地方")).to_be_visible()
