"""A clerk goes through what was not read surely without touching the mouse."""

from pathlib import Path

from django.urls import reverse
from playwright.sync_api import expect

from ingest.uploads import receive_file
from ocr.models import Correction
from tests.browser.conftest import Enter
from tests.cast import NOW, Cast, open_case
from tests.config.world import read_page
from tests.ocr.paper import Paper


def test_enter_confirms_and_leads_on(cast: Cast, tmp_path: Path, enter: Enter) -> None:
    case = open_case(cast)
    receive_file(
        case=case,
        material=case.materials.get(position=1),
        path=Paper().letter().save(tmp_path / "form.jpg"),
        original_name="form.jpg",
        actor=cast.clerk,
        now=NOW,
    )
    read_page(case)
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
