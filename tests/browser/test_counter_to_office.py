"""One application all the way through the screens: paper at the Zhuji counter, decision in Taizhou."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from ingest.codes import QR, read_codes
from ingest.models import Case, Original
from ingest.rules import CaseState
from logistics.models import Parcel
from logistics.rules.parcels import ParcelState
from logistics.sandbox.server import SandboxServer, running
from logistics.sandbox.world import World
from tests.browser.conftest import Enter, Papers
from tests.cast import Cast
from tests.logistics.couriers import API_KEY, WEBHOOK_SECRET
from tests.logistics.road import neutral_account


@pytest.fixture
def courier(cast: Cast) -> Iterator[SandboxServer]:
    """A courier that really listens, on Taizhou's account; both places have an address."""
    for place, phone in ((cast.zhuji, "0575-87000000"), (cast.taizhou, "0576-88000000")):
        place.phone, place.address = phone, f"{place.region.full_name}一号"
        place.save()
    world = World(accounts={API_KEY: [WEBHOOK_SECRET]}, followers={}, clock=lambda: datetime.now(UTC))
    with running(world) as server:
        neutral_account(cast, server.url)
        yield server


def test_from_the_counter_to_the_decision(
    cast: Cast, courier: SandboxServer, papers: Papers, enter: Enter
) -> None:
    clerk, officer = enter(cast.clerk), enter(cast.officer)
    open_case(clerk)
    hand_in(clerk, papers)
    clerk.get_by_role("button", name="提交审批部门").click()
    expect(clerk.get_by_text("已提交审批部门。")).to_be_visible()

    find_by_keyboard(officer)
    officer.get_by_role("button", name="预审通过").click()
    expect(officer.get_by_text("预审已通过，窗口可以寄出原件。")).to_be_visible()

    code = send_originals(clerk)
    receive_originals(officer, code)
    decide(officer)
    case = Case.objects.get()
    assert case.state == CaseState.DECIDED
    assert Original.objects.get(kind=Original.Kind.RESULT).place == Original.Place.OFFICE
    send_result(officer)


def open_case(clerk: Page) -> None:
    clerk.get_by_role("link", name="新收一件").first.click()
    clerk.get_by_label("事项名称、编码或地区").fill("资质证书变更")
    expect(clerk.locator("#items tbody tr")).to_have_count(1)
    clerk.get_by_role("link", name="建筑业企业资质证书变更").click()
    clerk.get_by_label("台州市住房和城乡建设局").check()
    clerk.get_by_label("姓名或单位名称").fill("施伯安")
    clerk.get_by_label("联系电话").fill("19900007219")
    clerk.get_by_label("送达地址").fill("浙江省诸暨市暨阳街道浣东北路213号")
    clerk.get_by_label("申请人同意窗口代为提交和寄递材料").check()
    clerk.get_by_role("button", name="建档，开始收材料").click()
    expect(clerk.get_by_text("收齐材料后提交")).to_be_visible()
    expect(clerk.get_by_text("施**")).not_to_have_count(0)


def hand_in(clerk: Page, papers: Papers) -> None:
    hand_in_scans(clerk, papers)
    for material in ("资质证书", "授权委托书"):
        row = clerk.locator(".checklist > li").filter(has=clerk.get_by_text(material, exact=True)).first
        row.get_by_role("button", name="收到原件，已核验").click()
        expect(clerk.get_by_text("原件已登记在本窗口。")).to_be_visible()


def look_at_applicant(clerk: Page) -> None:
    clerk.get_by_role("link", name="核验身份").click()
    clerk.get_by_label("未用读卡器的原因").fill("读卡器故障")
    clerk.get_by_role("button", name="本人与证件一致，记录核验").click()
    expect(clerk.get_by_text("身份核验已记录。")).to_be_visible()
    expect(clerk.get_by_role("link", name="核验身份")).to_have_count(0)


def hand_in_scans(clerk: Page, papers: Papers) -> None:
    """After a look at who came, every paper goes onto its row; the verdict appears at the file, the thumbnails above it."""
    look_at_applicant(clerk)
    for row in clerk.locator(".checklist > li").all():
        files = papers.get(row.locator(".head strong").inner_text(), [])
        if files:
            row.locator("input[type=file]").first.set_input_files(files)
        expect(row.locator(".tray-files li .said")).to_have_count(len(files))
        expect(row.locator(".tray-files li.late")).to_have_count(0)
    expect(clerk.get_by_text("必要材料已齐")).to_be_visible()
    expect(clerk.locator(".checklist .strip img")).to_have_count(sum(map(len, papers.values())) + 1)


def find_by_keyboard(officer: Page) -> None:
    """The office never touches the mouse: j to the first row, Enter to open it."""
    officer.get_by_role("link", name="待预审").click()
    expect(officer.locator("tbody tr")).to_have_count(1)
    expect(officer.locator("html.js")).to_be_attached()
    officer.keyboard.press("j")
    expect(officer.locator("tbody tr").first).to_have_attribute("aria-selected", "true")
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("heading", name="建筑业企业资质证书变更")).to_be_visible()


def send_originals(clerk: Page) -> str:
    """Pack, weigh, order, print, and hand over by the code that was read off the printed label."""
    clerk.reload()
    clerk.get_by_role("link", name="装件寄出").first.click()
    clerk.get_by_role("button", name="生成寄件").click()
    clerk.get_by_label("重量（克）").fill("320")
    clerk.get_by_role("button", name="封装", exact=True).click()
    expect(clerk.get_by_text("到付").first).to_be_visible()
    clerk.get_by_role("button", name="下单取号").click()
    expect(clerk.get_by_text("已取得运单号，可以打印面单。")).to_be_visible()
    code = code_on_label(clerk)
    clerk.get_by_role("link", name="扫码交寄").click()
    clerk.get_by_label("用扫码枪扫面单上的二维码").fill(code)
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_text("已交寄。")).to_be_visible()
    assert Parcel.objects.get().state in (ParcelState.HANDED_OVER, ParcelState.IN_TRANSIT)
    return code


def code_on_label(page: Page) -> str:
    address = page.get_by_role("link", name="打印面单").first.get_attribute("href")
    answer = page.request.get(str(address))
    assert answer.headers["content-type"] == "application/pdf"
    with pypdfium2.PdfDocument(io.BytesIO(answer.body())) as label:
        picture = label[0].render(scale=203 / 72).to_pil()
    return next(code.text for code in read_codes(picture, expect=[QR]) if code.format == QR)


def receive_originals(officer: Page, code: str) -> None:
    officer.get_by_role("link", name="待收件").click()
    expect(officer.locator("tbody tr")).to_have_count(1)
    officer.get_by_role("link", name="扫码签收").click()
    officer.get_by_label("用扫码枪扫面单上的二维码").fill(code)
    officer.get_by_role("button", name="打开清单").click()
    for box in officer.locator("input[name=original]").all():
        box.check()
    officer.get_by_role("button", name="确认签收").click()
    expect(officer.get_by_text("已签收核对，原件已登记在此处。")).to_be_visible()
    assert set(Original.objects.values_list("place", flat=True)) == {Original.Place.OFFICE}


def decide(officer: Page) -> None:
    officer.locator("#contents").get_by_role("link", name="建筑业企业资质证书变更").first.click()
    officer.get_by_role("button", name="受理", exact=True).click()
    expect(officer.get_by_text("已受理，承诺时限开始计算。")).to_be_visible()
    expect(officer.get_by_text(re.compile("剩 5 个工作日"))).to_be_visible()
    officer.get_by_label("准予").check()
    officer.get_by_label("审批结果文书").fill("建筑业企业资质证书")
    officer.get_by_role("button", name="确认决定").click()
    expect(officer.get_by_text("寄出审批结果").first).to_be_visible()


def send_result(officer: Page) -> None:
    officer.get_by_role("link", name="装件寄出").first.click()
    expect(officer.get_by_label("建筑业企业资质证书 审批结果")).to_be_checked()
    officer.get_by_label(re.compile("^资质证书")).uncheck()
    officer.get_by_label("授权委托书").uncheck()
    officer.get_by_role("button", name="生成寄件").click()
    officer.get_by_label("重量（克）").fill("80")
    officer.get_by_role("button", name="封装", exact=True).click()
    expect(officer.get_by_text("寄付月结").first).to_be_visible()
    assert Parcel.objects.filter(leg="result", state=ParcelState.SEALED).count() == 1
