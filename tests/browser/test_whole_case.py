"""A case at the counter with few motions: opened by keyboard, its papers handed in as one heap, sorted by one click."""

from pathlib import Path

from django.urls import reverse
from playwright.sync_api import expect

from ingest.models import Case, Original
from ingest.models import Page as CasePage
from ingest.services.intake import take_in_original
from registry.models import Event
from tests.browser.conftest import Enter, look, press_until, work_off
from tests.cast import NOW, Cast, open_case
from tests.ingest.paper import look_at_handler
from tests.ocr.paper import Paper

LICENCE = (
    "营业执照",
    "统一社会信用代码 91330681MA2XW0000G",
    "注册资本 伍佰万元整",
    "经营范围 房屋建筑工程施工",
    "登记机关",
)


def licence(path: Path) -> Path:
    sheet = Paper()
    for number, line in enumerate(LICENCE):
        sheet.write(300, 300 + 150 * number, line, size=72 if number == 0 else 40)
    return sheet.save(path)


def test_a_case_is_opened_without_a_mouse(cast: Cast, enter: Enter) -> None:
    clerk = enter(cast.clerk)
    clerk.goto(reverse("new_case"))
    expect(clerk.get_by_label("事项名称、编码或地区")).to_be_focused()
    expect(clerk.locator("html.js")).to_be_attached()
    clerk.keyboard.type("资质证书变更")
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_role("heading", name=cast.item.name)).to_be_visible()
    expect(clerk.get_by_label("姓名或单位名称")).to_be_focused()
    look(clerk, "new-case")
    clerk.keyboard.type("施伯安")
    for _ in range(2):
        clerk.keyboard.press("Tab")
    clerk.keyboard.type("12")
    press_until(clerk, clerk.get_by_label("送达地址"))
    clerk.keyboard.insert_text("浙江省诸暨市暨阳街道浣东北路213号")
    press_until(clerk, clerk.get_by_label("申请人同意窗口代为提交和寄递材料"))
    clerk.keyboard.press("Space")
    press_until(clerk, clerk.get_by_role("button", name="建档，开始收材料"))
    clerk.keyboard.press("Enter")

    # What is wrong has the cursor in it, and nothing else that was typed is gone.
    phone = clerk.get_by_label("联系电话")
    expect(clerk.get_by_text("请填写手机号码或带区号的固定电话。")).to_be_visible()
    expect(phone).to_be_focused()
    phone.fill("19900007219")
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_text("收齐材料后提交")).to_be_visible()
    case = Case.objects.get()
    assert (case.applicant_name, case.agent_consent) == ("施伯安", True)


def test_of_several_items_the_first_is_marked_and_the_usual_ones_lead(cast: Cast, enter: Enter) -> None:
    for _ in range(2):
        open_case(cast)
    clerk = enter(cast.clerk)
    clerk.goto(reverse("new_case"))
    expect(clerk.locator("#items tbody tr").first).to_contain_text("本窗口常收")
    expect(clerk.locator("#items tbody tr").first).to_contain_text(cast.item.name)
    look(clerk, "items")
    expect(clerk.locator("html.js")).to_be_attached()
    clerk.keyboard.press("Enter")
    expect(clerk.locator("#items tbody tr").first).to_have_attribute("aria-selected", "true")
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_role("heading", name=cast.item.name)).to_be_visible()


def test_a_heap_of_papers_is_read_and_sorted_by_one_click(cast: Cast, enter: Enter, tmp_path: Path) -> None:
    case = open_case(cast)
    clerk = enter(cast.clerk)
    clerk.goto(reverse("case", args=[case.number]))
    look(clerk, "draft-empty")
    heap = [licence(tmp_path / "heap.png"), Paper().letter().save(tmp_path / "letter.png")]
    clerk.get_by_label("选择整件扫描件").set_input_files(heap)
    expect(clerk.locator("#unsorted img")).to_have_count(2)
    expect(clerk.locator("#reading")).to_contain_text("正在识别 2 页")
    look(clerk, "draft-reading")
    work_off()
    expect(clerk.locator("#suggested")).to_contain_text("未归类第 1 页 → 营业执照")
    expect(clerk.locator("#reading")).to_be_empty()
    look(clerk, "draft-suggested")
    clerk.get_by_role("button", name="勾选的页归入").click()
    expect(clerk.get_by_text("已按建议归入材料。")).to_be_visible()
    assert CasePage.objects.get(material__isnull=False).material == case.materials.get(name="营业执照")

    # What says nothing of itself is ticked and laid by hand; without a tick that is said, and the choice stays.
    clerk.get_by_label("所选的页归入").select_option(label="1 申请表")
    clerk.get_by_role("button", name="归入", exact=True).click()
    expect(clerk.locator("#unsorted").get_by_role("alert")).to_contain_text("请先勾选要归入的页")
    expect(clerk.get_by_label("所选的页归入").locator("option:checked")).to_have_text("1 申请表")
    clerk.get_by_label("选未归类第 1 页").check()
    clerk.get_by_role("button", name="归入", exact=True).dblclick()
    expect(clerk.get_by_text("所选的页已归入材料。")).to_be_visible()
    expect(clerk.locator("#unsorted img")).to_have_count(0)
    assert Event.objects.filter(kind="page.moved").count() == 2


def test_what_somebody_is_ticking_is_not_taken_away_by_news(cast: Cast, enter: Enter, tmp_path: Path) -> None:
    case = open_case(cast)
    clerk = enter(cast.clerk)
    clerk.goto(reverse("case", args=[case.number]))
    clerk.get_by_label("选择整件扫描件").set_input_files(licence(tmp_path / "heap.png"))
    expect(clerk.locator("#reading")).to_contain_text("正在识别 1 页")
    work_off()
    box = clerk.locator("#suggested input[type=checkbox]")
    expect(box).to_be_checked()
    box.uncheck()
    box.blur()
    clerk.evaluate("refreshChecklist(true)")
    clerk.wait_for_load_state("networkidle")
    expect(box).not_to_be_checked()


def test_an_original_is_one_click(cast: Cast, enter: Enter) -> None:
    case = open_case(cast)
    other, paper = case.materials.filter(requirement__mailed=True)[:2]
    take_in_original(material=other, name="", verified=False, actor=cast.clerk, now=NOW)
    clerk = enter(cast.clerk)
    clerk.goto(reverse("case", args=[case.number]))
    row = clerk.locator(f"#material-{paper.position}")
    look(clerk, "draft-original")
    row.get_by_role("button", name="收到原件，已核验").dblclick()
    expect(row.get_by_text("原件已登记在本窗口。")).to_be_visible()
    expect(row).to_contain_text("（已核验）")
    assert list(Original.objects.order_by("pk").values_list("name", "verified")) == [
        (other.name, False),
        (paper.name, True),
    ]


def test_what_the_card_reader_tells_appears_by_itself(cast: Cast, enter: Enter) -> None:
    case = open_case(cast)
    clerk = enter(cast.clerk)
    clerk.goto(reverse("case", args=[case.number]))
    expect(clerk.locator("#next-step")).to_contain_text("核验身份")
    look_at_handler(case)
    expect(clerk.locator("#identity-checks")).to_contain_text("居民身份证")
    expect(clerk.locator("#next-step")).not_to_contain_text("核验身份")
