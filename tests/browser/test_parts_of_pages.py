"""Pieces that a page asks for: told to who cannot see them, said when they fail, and never the page to sign in."""

import re

from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from registry.models import MaterialRequirement
from tests.browser.conftest import Enter
from tests.cast import Cast, open_case


def filter_by(page: Page, text: str) -> None:
    page.get_by_label("事项", exact=True).fill(text)


def test_a_new_list_is_told(cast: Cast, enter: Enter) -> None:
    open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("worklist", args=["intake"]))
    filter_by(page, "资质")
    expect(page.locator("[data-listed]")).to_have_text("列出 1 行")
    filter_by(page, "没有这样的事项")
    expect(page.locator("[data-listed]")).to_have_text(re.compile("^现在没有"))


def test_a_piece_that_fails_is_said_until_one_comes(cast: Cast, enter: Enter) -> None:
    def busy(route: Route) -> None:
        route.fulfill(status=409, body="")

    page = enter(cast.clerk)
    page.goto(reverse("worklist", args=["intake"]))
    list_alone = re.compile(re.escape(reverse("worklist", args=["intake"])) + r"\?")
    page.route(list_alone, busy)
    filter_by(page, "资质")
    expect(page.get_by_role("alert")).to_contain_text("没有得到结果")
    page.unroute(list_alone)
    filter_by(page, "变更")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_who_was_signed_out_is_asked_to_sign_in(cast: Cast, enter: Enter) -> None:
    page = enter(cast.clerk)
    page.goto(reverse("worklist", args=["intake"]))
    page.context.clear_cookies()
    filter_by(page, "资质")
    page.wait_for_url(re.compile("/login/"))
    expect(page.get_by_label("用户名")).to_be_visible()


def test_a_refusal_far_down_is_brought_before_the_eye(cast: Cast, enter: Enter) -> None:
    case = open_case(cast)
    last = case.materials.order_by("-position")[0]
    MaterialRequirement.objects.filter(pk=last.requirement_id).update(deferrable=True)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    row = page.locator(f"#material-{last.position}")
    row.get_by_role("button", name="容缺承诺").click()
    refusal = row.get_by_role("alert")
    expect(refusal).to_have_text("请选择承诺补交的日期。")
    expect(refusal).to_be_in_viewport()
