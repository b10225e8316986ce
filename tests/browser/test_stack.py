"""A mixed stack at the counter: dropped once, split onto its cases, and the stray page is one click from home."""

from pathlib import Path

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from ingest.models import Page as CasePage
from ingest.stacks import print_separators
from tests.browser.conftest import Enter, look
from tests.cast import Cast, open_case
from tests.ingest.stacks import blank, paper, scan, sheets_of, spoiled

"""A folder for pictures of the pages, for whoever wants to look at them."""


def test_a_mixed_stack_is_split_and_its_stray_pages_come_home(
    cast: Cast, enter: Enter, tmp_path: Path
) -> None:
    one, two = open_case(cast), open_case(cast)
    first = sheets_of(print_separators(case=one, actor=cast.clerk, now=timezone.now()))
    second = sheets_of(print_separators(case=two, actor=cast.clerk, now=timezone.now()))
    path = scan(
        tmp_path / "SCAN_0001.pdf",
        [
            paper("散页"), first[0], paper("甲"), blank(), second[0], paper("乙"),
            spoiled(second[1]), paper("身份证正面"), paper("身份证反面"),
        ],
    )  # fmt: skip
    page = enter(cast.clerk)
    page.goto(reverse("unsorted"))
    expect(page.get_by_text("没有未归类的页面")).to_be_visible()
    look(page, "empty")
    expect(page.locator("html.js")).to_be_attached()
    page.locator("input[type=file]").first.set_input_files(path)
    line = page.locator("[data-tray] .tray-files li.ok")
    expect(line).to_contain_text("3 页已归入 2 个办件")
    expect(page.get_by_text("前面的分隔页读不出二维码")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    look(page, "tray")
    home = two.materials.get(position=2)
    page.get_by_role("button", name=f"归入 {two.number}“{home.name}”").click()
    expect(page.get_by_role("status").filter(has_text="2 页已归入")).to_be_visible()
    assert CasePage.objects.filter(case=two, material=home).count() == 2
    stray = page.get_by_label("归入哪份材料")
    stray.fill(f"{one.number} · 2")
    page.get_by_role("button", name="归入所选").click()
    expect(page.get_by_text("没有未归类的页面")).to_be_visible()
    look(page, "done")
    page.goto(reverse("case", args=[one.number]))
    expect(page.get_by_text("空白，搁置")).to_be_visible()
    look(page, "case")
    page.locator(".aside-mark").click()
    page.get_by_role("button", name="放回").click()
    expect(page.get_by_role("status").filter(has_text="已放回")).to_be_visible()
    page.get_by_role("button", name="右转").click()
    expect(page.get_by_role("status").filter(has_text="顺时针 90 度")).to_be_visible()
    shown = page.locator(".linked img")
    expect(shown).to_have_js_property("complete", value=True)
    assert shown.evaluate(
        "picture => picture.naturalWidth > picture.naturalHeight"
    )  # not the one kept before
    look(page, "page")
