"""The network drops at the counter while the courier waits: scans are kept, and counted once, in order, afterwards."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from logistics.models import CustodyEvent
from registry.models import Event
from tests.browser.conftest import Enter
from tests.browser.wire import Wire, wired
from tests.cast import APPLICANT, Cast
from tests.logistics.road import build_road

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/parcels/hand-over/"
IN_THE_CACHES = """async () => {
  const texts = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) texts.push(request.url, await (await cache.match(request)).text());
  }
  return texts.join("\\n");
}"""
LEFT_BEHIND = """async () => ({
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  who: localStorage.getItem("tongban.who"),
  scans: JSON.parse(localStorage.getItem("tongban.kept-scans")).length,
})"""


@pytest.fixture
def wire(live_server: LiveServer) -> Iterator[Wire]:
    with wired(live_server.url) as wire:
        yield wire


def opened_once(clerk: Page, wire: Wire) -> None:
    """The page was open once with network; the browser has what it needs to open it without."""
    clerk.goto(f"{wire.url}{PAGE}")
    clerk.evaluate("() => navigator.serviceWorker.ready.then(() => true)")


def away(clerk: Page, wire: Wire) -> None:
    wire.cut()
    clerk.context.set_offline(True)


def back(clerk: Page, wire: Wire) -> None:
    wire.mend()
    clerk.context.set_offline(False)


def scan(clerk: Page, code: str) -> None:
    clerk.get_by_label("用扫码枪扫面单上的二维码").fill(code)
    clerk.keyboard.press("Enter")


def test_scans_without_network_count_once_and_in_order(cast: Cast, enter: Enter) -> None:
    road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
    first = road.registered().parcel
    second = road.registered("1012345678902", parcel=road.another_sealed()).parcel
    clerk = enter(cast.clerk)
    clerk.goto("/parcels/hand-over/")
    clerk.context.set_offline(True)
    for code in (second.token_text, first.token_text, second.token_text, "SF7444407228423"):
        scan(clerk, code)
        expect(clerk.get_by_label("用扫码枪扫面单上的二维码")).to_have_value("")
    expect(clerk.locator("[data-kept-count]")).to_have_text("3 件")
    expect(clerk.locator("[data-kept-list] li").first).to_contain_text(second.number)
    assert not Event.objects.filter(kind="parcel.handed_over").exists()
    clerk.context.set_offline(False)
    for parcel in (first, second):
        expect(clerk.get_by_text(f"{parcel.number} 已交寄（离线时扫码）。")).to_be_visible()
    told = Event.objects.filter(kind="parcel.handed_over").order_by("pk")
    assert [event.data["parcel"] for event in told] == [second.number, first.number]
    assert all(event.data["scanned_at"] < event.at.isoformat() for event in told)
    assert CustodyEvent.objects.count() == 4
    # What is no code of ours stays with its reason until the clerk has read it.
    kept = clerk.locator("[data-kept-list] li")
    expect(kept).to_have_count(1)
    kept.get_by_role("button", name="知道了，移除").click()
    expect(kept).to_have_count(0)
    scan(clerk, first.token_text)
    expect(clerk.get_by_text("寄件当前为“已交寄”")).to_be_visible()


def test_the_page_opens_without_network_and_its_scans_arrive_in_order_once(
    cast: Cast, enter: Enter, wire: Wire
) -> None:
    road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
    first = road.registered().parcel
    second = road.registered("1012345678902", parcel=road.another_sealed()).parcel
    clerk = enter(cast.clerk)
    opened_once(clerk, wire)
    away(clerk, wire)
    clerk.reload()
    expect(clerk.get_by_role("heading", name="扫码交寄（离线）")).to_be_visible()
    for code in (second.token_text, first.token_text, second.token_text):
        scan(clerk, code)
        expect(clerk.get_by_label("用扫码枪扫面单上的二维码")).to_have_value("")
    clerk.reload()
    expect(clerk.locator("[data-kept-count]")).to_have_text("2 件")
    assert not Event.objects.filter(kind="parcel.handed_over").exists()

    back(clerk, wire)
    for parcel in (first, second):
        expect(clerk.get_by_text(f"{parcel.number} 已交寄（离线时扫码）。")).to_be_visible()
    expect(clerk.get_by_role("heading", name="扫码交寄", exact=True)).to_be_visible()
    told = Event.objects.filter(kind="parcel.handed_over").order_by("pk")
    assert [event.data["parcel"] for event in told] == [second.number, first.number]
    assert all(event.data["scanned_at"] < event.at.isoformat() for event in told)
    assert CustodyEvent.objects.count() == 4


def test_what_the_browser_keeps_is_about_nobody_and_goes_at_sign_out_but_for_the_scans(
    cast: Cast, enter: Enter, wire: Wire
) -> None:
    road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
    parcel = road.registered().parcel
    clerk = enter(cast.clerk)
    opened_once(clerk, wire)
    kept = clerk.evaluate(IN_THE_CACHES)
    assert "扫码交寄（离线）" in kept
    people = (cast.clerk.label, APPLICANT.name, parcel.number, road.case.number, "csrfmiddlewaretoken")
    assert [word for word in people if word in kept] == []

    away(clerk, wire)
    clerk.reload()
    scan(clerk, "SF7444407228423")
    expect(clerk.locator("[data-kept-count]")).to_have_text("1 件")
    back(clerk, wire)
    expect(clerk.get_by_role("button", name="知道了，移除")).to_be_visible()
    clerk.get_by_role("button", name="退出").click()
    clerk.wait_for_url("**/login/**")
    assert clerk.evaluate(LEFT_BEHIND) == {"caches": [], "workers": 0, "who": None, "scans": 1}
