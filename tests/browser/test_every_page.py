"""Every page that a role may open: nothing that a screen reader stumbles over, and nothing that runs out of the window."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from registry.actors import Actor
from tests.browser.conftest import Enter
from tests.cast import Cast
from tests.config.world import World, pages, populate
from tests.logistics.road import build_road

PEOPLE = ("clerk", "officer", "finance", "administrator", "auditor")
NOWHERE = "http://127.0.0.1:9"
"""A courier that does not answer: waybills are registered by hand here."""

GRAVE = frozenset({"serious", "critical"})
AXE = Axe()
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
OK = 200
HOUSE_RULES = r"""() => {
  const faults = [];
  if (!document.querySelector("main")) return faults; // a paper, shown as it is printed
  const words = (node) => node.innerText.trim().replace(/\s+/g, " ").slice(0, 40);
  const shown = (node) => node.checkVisibility();
  const heads = [...document.querySelectorAll("main h1, main h2, main h3")];
  if (heads.filter((head) => head.tagName === "H1").length !== 1) faults.push("not exactly one first heading");
  let level = 0;
  for (const head of heads) {
    const next = Number(head.tagName[1]);
    if (next > level + 1) faults.push(`a heading skips a level: ${words(head)}`);
    level = next;
  }
  for (const empty of document.querySelectorAll(".empty")) {
    if (!empty.querySelector("p")) faults.push(`an empty state without advice: ${words(empty)}`);
  }
  const figure = /^-?\d[\d,]{0,11}(\.\d+)?( ?(元|克|件|条|行|次|页|份|处|%|个工作日))?$/;
  for (const table of document.querySelectorAll(".table table:not(.plain, .matrix)")) {
    const columns = [...table.querySelectorAll("thead th")];
    if (!columns.length) faults.push(`a table without heads: ${words(table)}`);
    for (const row of table.querySelectorAll("tbody tr, tfoot tr")) {
      if (row.cells.length !== columns.length) continue;
      [...row.cells].forEach((cell, at) => {
        const head = columns[at];
        if (head.querySelector(".visually-hidden") || !shown(cell)) return;
        const right = head.classList.contains("number");
        if (cell.classList.contains("number") && !right) faults.push(`a figure below a head on the left: ${words(head)}`);
        const text = cell.firstChild?.nodeType === Node.TEXT_NODE ? cell.firstChild.textContent.trim() : "";
        const code = cell.classList.contains("code"); // a digest may happen to be all digits
        if (figure.test(text) && !right && !code) faults.push(`figures that are not aligned: ${words(head)} ${text}`);
      });
    }
  }
  const text = document.querySelector("main").innerText;
  for (const [what, pattern] of [
    ["a value of the program", /\b(None|True|False|undefined|NaN)\b/],
    ["a date in another form", /\d{4}(年\d{1,2}月\d{1,2}日|\/\d{1,2}\/)/],
  ]) if (pattern.test(text)) faults.push(`${what}: ${text.match(pattern)[0]}`);
  for (const button of document.querySelectorAll("main button, main .button, main .chip")) {
    if (shown(button) && button.scrollWidth > button.clientWidth + 1) faults.push(`cut off: ${words(button)}`);
  }
  return [...new Set(faults)];
}"""
"""What this house asks of every page besides: headings in order, empty states with advice, figures to the right."""

SETTLED_MS = 50
"""The pages answer to a new size of the window in the next frame."""


@dataclass(frozen=True)
class View:
    """How somebody looks at the pages: size of the window in CSS pixels, light or dark."""

    width: int
    height: int
    scheme: str

    def of(self, page: Page) -> None:
        page.set_viewport_size({"width": self.width, "height": self.height})
        page.emulate_media(color_scheme="dark" if self.scheme == "dark" else "light")

    def __str__(self) -> str:
        return f"{self.width}×{self.height} {self.scheme}"


COUNTER = View(1366, 768, "light")
PHONE = View(390, 844, "dark")


@pytest.fixture
def world(cast: Cast) -> World:
    return populate(build_road(cast, NOWHERE))


def addresses(world: World) -> Iterator[tuple[str, str]]:
    for pattern in pages():
        name = str(pattern.name)
        try:
            yield name, reverse(name, kwargs=world.address_of(name))
        except NoReverseMatch as fault:
            raise AssertionError(f"the world of the tests has nothing for the page {name}") from fault


def is_shown(page: Page, address: str) -> bool:
    """Whether this person gets a whole page here; acts, files and parts of pages are somebody else's tests."""
    answer = page.context.request.get(address, max_redirects=0)
    html = answer.status == OK and answer.headers.get("content-type", "").startswith("text/html")
    whole = html and answer.text().lstrip().lower().startswith("<!doctype")
    answer.dispose()
    return whole


def faults_of(page: Page, name: str, view: View) -> Iterator[str]:
    view.of(page)
    page.wait_for_timeout(SETTLED_MS)
    if page.evaluate(WIDER_THAN_THE_WINDOW):
        yield f"{name} at {view}: wider than the window"
    yield from (f"{name} at {view}: {fault}" for fault in page.evaluate(HOUSE_RULES))
    for violation in AXE.run(page).response["violations"]:
        if violation["impact"] in GRAVE:
            places = ", ".join(str(node["target"][0]) for node in violation["nodes"][:3])
            yield f"{name} at {view}: {violation['id']}: {violation['help']} ({places})"


@pytest.mark.parametrize("who", PEOPLE)
def test_nothing_serious_on_any_page(who: str, cast: Cast, world: World, enter: Enter) -> None:
    person: Actor = getattr(cast, who)
    page = enter(person)
    faults: list[str] = []
    seen = 0
    for name, address in addresses(world):
        if not is_shown(page, address):
            continue
        page.goto(address)
        seen += 1
        for view in (COUNTER, PHONE):
            faults += faults_of(page, name, view)
    assert seen > 0
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("address", ["/login/", "/parcels/hand-over/offline/", "/no-such-page/"])
def test_nothing_serious_on_the_pages_of_strangers(
    address: str, cast: Cast, live_server: LiveServer, browser: Browser
) -> None:
    page = browser.new_page(base_url=live_server.url, locale="zh-CN")
    page.route("**/hand-over/later/", lambda asked: asked.abort())  # the page without network stays without
    page.goto(address)
    faults = [fault for view in (COUNTER, PHONE) for fault in faults_of(page, address, view)]
    page.close()
    assert not faults, "\n".join(faults)
