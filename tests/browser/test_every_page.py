"""Every page that a role may open: nothing that a screen reader stumbles over, and nothing that runs out of the window."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Page

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
