"""At the counter: what goes wrong is said where it went wrong, and the pages work without any script."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.cast import Cast, open_case


@pytest.fixture
def text_as_pdf(tmp_path: Path) -> Path:
    path = tmp_path / "fake.pdf"
    path.write_text("这不是 PDF")
    return path


def test_a_refused_file_says_why_beside_its_name(cast: Cast, text_as_pdf: Path, enter: Enter) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    row = page.locator(".checklist > li").first
    row.locator("input[type=file]").first.set_input_files(text_as_pdf)
    line = row.locator(".tray-files li.late")
    expect(line).to_contain_text("fake.pdf")
    expect(line.locator(".said")).to_contain_text("拒收")


def test_losing_the_network_says_so_and_keeps_what_was_typed(cast: Cast, enter: Enter) -> None:
    page = enter(cast.clerk)
    page.goto(f"{reverse('new_case')}?item={cast.item.pk}")
    page.get_by_label("姓名或单位名称").fill("王建国")
    expect(page.locator("html.js")).to_be_attached()
    page.context.set_offline(True)
    expect(page.get_by_text("网络已断开")).to_be_visible()
    page.get_by_role("button", name="建档，开始收材料").click()
    expect(page.get_by_label("姓名或单位名称")).to_have_value("王建国")
    page.context.set_offline(False)
    expect(page.get_by_text("网络已断开")).to_be_hidden()


def test_showing_personal_data_happens_in_place(cast: Cast, enter: Enter) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.get_by_text("13800138000")).to_have_count(0)
    page.get_by_role("button", name="显示完整信息").click()
    expect(page.get_by_text("13800138000")).to_be_visible()


def test_a_scan_from_anywhere_finds_the_case(cast: Cast, enter: Enter) -> None:
    """A wedge scanner is a fast keyboard; nothing is focused."""
    case = open_case(cast)
    page = enter(cast.clerk)
    expect(page.locator("html.js")).to_be_attached()
    page.locator("main").click()
    page.keyboard.type(case.number, delay=1)
    page.keyboard.press("Enter")
    expect(page.locator(".page-head").get_by_text(case.number)).to_be_visible()


def test_without_script_a_case_is_opened_and_read(cast: Cast, enter: Enter) -> None:
    page = enter(cast.clerk, scripts=False)
    page.goto(f"{reverse('new_case')}?item={cast.item.pk}")
    page.get_by_label("姓名或单位名称").fill("王建国")
    page.get_by_label("联系电话").fill("13812345678")
    page.get_by_label("窗口领取").check()
    page.get_by_role("button", name="建档，开始收材料").click()
    expect(page.get_by_text("收齐材料后提交")).to_be_visible()
    page.get_by_role("button", name="提交审批部门").click()
    expect(page.get_by_role("alert")).to_contain_text("缺少“营业执照”")


SIZES = ((1366, 768), (1920, 1080), (390, 844))


def test_no_page_is_wider_than_the_screen(cast: Cast, enter: Enter) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    for address in (
        reverse("worklist", args=["intake"]),
        reverse("case", args=[case.number]),
        reverse("new_case"),
        f"{reverse('new_case')}?item={cast.item.pk}",
        reverse("parcels"),
        reverse("hand_over"),
    ):
        page.goto(address)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
