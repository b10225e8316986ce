"""On every page the menu says where one is, or the page belongs to no one place and says why here."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from tests.config.conftest import SignIn
from tests.config.world import OPEN_TO_ALL, World, pages, populate
from tests.logistics.road import Road

PEOPLE = ("clerk", "officer", "finance", "administrator", "auditor")
MENU = re.compile(r'<nav class="places".*?</nav>', re.DOTALL)
FILE = re.compile(r"\.[a-z]+$")
NOWHERE = {
    "case": "it stands in the list that its state says today, and its own way back leads there",
    "findings": "the case again",
    "page": "one page of a case: the way back is the case",
}


@pytest.fixture
def world(road: Road) -> World:
    return populate(road)


def menus(client: Client, world: World) -> Iterator[tuple[str, str]]:
    """The menu of each page that this person can open, with the name of its address."""
    for pattern in pages():
        name = str(pattern.name)
        if name in OPEN_TO_ALL or FILE.search(str(pattern.pattern)):
            continue
        answer = client.get(reverse(name, kwargs=world.address_of(name)))
        if answer.streaming:
            list(answer)  # to the end, as a server sends it: files made for one request go with it
        elif menu := MENU.search(answer.content.decode(errors="replace")):
            yield name, menu.group()


def test_every_page_lights_one_entry_of_the_menu(world: World, sign_in: SignIn) -> None:
    seen, dark = 0, set()
    for who in PEOPLE:
        for name, menu in menus(sign_in(getattr(world.road.cast, who)), world):
            lit = menu.count('aria-current="page"')
            assert lit <= 1, f"{who} at {name}: {lit} entries"
            seen += 1
            if not lit:
                dark.add(name)
    assert seen > 60, "the menu is found on the pages"
    assert dark == NOWHERE.keys()
