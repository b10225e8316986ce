"""One intake for two offices, clicked through: scans at both at once, an original from one to the other, one result."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from ingest.models import Case, Handling, Original
from ingest.rules import CaseState
from logistics.models import Carrier, Parcel
from logistics.rules.payers import Leg
from logistics.sandbox.server import SandboxServer, running
from logistics.sandbox.world import World
from logistics.services.accounts import add_account
from registry.models import ServiceItem
from tests.browser.conftest import Enter, Papers
from tests.browser.test_counter_to_office import code_on_label, hand_in_scans
from tests.cast import NOW, Cast
from tests.logistics.couriers import API_KEY, NEUTRAL, WEBHOOK_SECRET
from tests.logistics.road import neutral_account

CERTIFICATE, FIRST, SECOND = "资质证书", "资质变更批复", "备案核准书"


@pytest.fixture
def courier(cast: Cast) -> Iterator[SandboxServer]:
    """A courier that really listens, on an account of each of the two centres; the item is open for several offices."""
    ServiceItem.objects.filter(pk=cast.item.pk).update(modes=[])
    for place in (cast.zhuji, cast.taizhou, cast.wenling):
        place.phone, place.address = "0576-88000000", f"{place.region.full_name}一号"
        place.save()
    world = World(accounts={API_KEY: [WEBHOOK_SECRET]}, followers={}, clock=lambda: datetime.now(UTC))
    with running(world) as server:
        neutral_account(cast, server.url)
        add_account(
            carrier=Carrier.objects.get(code="neutral"),
            centre=cast.wenling.centre,
            number="T-331081-1",
            credentials=NEUTRAL,
            options={"base_url": server.url},
            actor=cast.administrator,
            now=NOW,
        )
        yield server


def test_one_intake_two_offices_one_result(
    cast: Cast, courier: SandboxServer, papers: Papers, enter: Enter
) -> None:
    clerk, taizhou, wenling = enter(cast.clerk), enter(cast.officer), enter(cast.other_officer)
    open_joint_case(clerk, cast)
    hand_in_scans(clerk, papers)
    register_original(clerk, cast)
    clerk.get_by_role("button", name="提交审批部门").click()
    expect(clerk.get_by_text("已提交审批部门。")).to_be_visible()
    case = Case.objects.get()
    assert case.mode == "joint"

    # Fan-out: both offices have it at once.
    for office in (taizhou, wenling):
        office.get_by_role("link", name="待预审").click()
        expect(office.locator("tbody tr")).to_have_count(1)
        go_to(office, case)
        office.get_by_role("button", name="预审通过").click()
        expect(office.get_by_text("预审已通过，窗口可以寄出原件。")).to_be_visible()

    # The original goes to the first office that needs it, and from there to the second.
    receive(taizhou, send(clerk, case, to=cast.taizhou.name))
    for office in (taizhou, wenling):
        go_to(office, case)
        office.get_by_role("button", name="受理", exact=True).click()
        expect(office.get_by_text("已受理，承诺时限开始计算。")).to_be_visible()
    decide(taizhou, FIRST)
    expect(next_step(taizhou)).to_contain_text(f"把原件转给{cast.wenling.name}")
    receive(wenling, send(taizhou, case, to=cast.wenling.name, without=[FIRST]))
    assert Original.objects.get(name=CERTIFICATE).place_id == cast.wenling.pk

    # The first result waits for the second, and the lead office gathers both.
    go_to(taizhou, case)
    expect(next_step(taizhou)).to_contain_text("等待其余部门作出决定")
    go_to(wenling, case)
    decide(wenling, SECOND)
    expect(next_step(wenling)).to_contain_text("把审批结果转给牵头部门")
    receive(taizhou, send(wenling, case, to=cast.taizhou.name, without=[CERTIFICATE]))
    go_to(taizhou, case)
    expect(next_step(taizhou)).to_contain_text("寄出审批结果")
    receive(clerk, send(taizhou, case, to=cast.zhuji.name))
    assert Parcel.objects.filter(leg=Leg.JOINT_RESULT.value).count() == 1

    # Handed out together, and done.
    for _ in (FIRST, SECOND):
        go_to(clerk, case)
        clerk.get_by_role("button", name="交给申请人").first.click()
    expect(clerk.get_by_role("button", name="交给申请人")).to_have_count(0)
    go_to(clerk, case)
    clerk.get_by_role("button", name="开始送达").click()
    clerk.get_by_role("button", name="归结").click()
    expect(clerk.locator(".page-head")).to_contain_text("已归结")
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    results = Original.objects.filter(kind=Original.Kind.RESULT)
    assert set(results.values_list("name", "place")) == {(FIRST, "applicant"), (SECOND, "applicant")}


def open_joint_case(clerk: Page, cast: Cast) -> None:
    clerk.goto(f"{reverse('new_case')}?item={cast.item.pk}")
    expect(clerk.locator("html.js")).to_be_attached()
    clerk.get_by_label(cast.wenling.name).check()
    expect(clerk.get_by_role("radio", name="多地联办", exact=True)).to_be_checked()
    clerk.get_by_label("姓名或单位名称").fill("施伯安")
    clerk.get_by_label("联系电话").fill("19900007219")
    clerk.get_by_label("窗口领取").check()
    clerk.get_by_role("button", name="建档，开始收材料").click()
    expect(clerk.get_by_text("收齐材料后提交")).to_be_visible()
    assert Handling.objects.get(is_lead=True).office == cast.taizhou


def register_original(clerk: Page, cast: Cast) -> None:
    """First to Taizhou, which leads, then to Wenling."""
    row = clerk.locator(".checklist > li").filter(has=clerk.get_by_text(CERTIFICATE, exact=True)).first
    expect(row.get_by_label(f"{cast.taizhou.name}：第几站")).to_have_value("1")
    row.get_by_label(f"{cast.wenling.name}：第几站").fill("2")
    row.get_by_role("button", name="收到原件，已核验").click()
    expect(clerk.get_by_text("原件已登记在本窗口。")).to_be_visible()
    expect(clerk.locator("#originals")).to_contain_text(f"{cast.taizhou.name} → {cast.wenling.name}")


def go_to(page: Page, case: Case) -> None:
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()


def next_step(page: Page) -> Locator:
    return page.locator("#next")


def send(page: Page, case: Case, *, to: str, without: list[str] | None = None) -> str:
    """Pack for the place that is offered first, weigh, order, print, hand over; answers the code on the label."""
    go_to(page, case)
    page.get_by_role("link", name="装件寄出").first.click()
    for name in without or ():
        page.get_by_label(re.compile(f"^{name}")).uncheck()
    expect(page.get_by_role("radio").first).to_be_checked()
    expect(page.locator("label:has(input[type=radio])").first).to_contain_text(to)
    page.get_by_role("button", name="生成寄件").click()
    page.get_by_label("重量（克）").fill("320")
    page.get_by_role("button", name="封装", exact=True).click()
    page.get_by_role("button", name="下单取号").click()
    expect(page.get_by_text("已取得运单号，可以打印面单。")).to_be_visible()
    code = code_on_label(page)
    page.get_by_role("link", name="扫码交寄").click()
    page.get_by_label("用扫码枪扫面单上的二维码").fill(code)
    page.keyboard.press("Enter")
    expect(page.get_by_text("已交寄。")).to_be_visible()
    return code


def receive(page: Page, code: str) -> None:
    page.goto(reverse("receive_scan"))
    page.get_by_label("用扫码枪扫面单上的二维码").fill(code)
    page.get_by_role("button", name="打开清单").click()
    for box in page.locator("input[name=original]").all():
        box.check()
    page.get_by_role("button", name="确认签收").click()
    expect(page.get_by_text("已签收核对，原件已登记在此处。")).to_be_visible()


def decide(page: Page, result: str) -> None:
    page.get_by_label("准予").check()
    page.get_by_label("审批结果文书").fill(result)
    page.get_by_role("button", name="确认决定").click()
