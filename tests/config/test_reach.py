"""Who reaches which page, read from the permission table; and what is not yours is not there."""

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from config.pages.frame import Page
from registry.actors import Actor
from registry.permissions import may
from registry.terms import Role
from tests.cast import Cast, open_case, person
from tests.config.addresses import ABOUT
from tests.config.conftest import SignIn
from tests.config.world import OPEN_TO_ALL, WITHOUT_LOGIN, World, pages, populate
from tests.logistics.road import Road

NOT_FOUND = 404
PEOPLE = ("clerk", "officer", "finance", "administrator", "auditor")
# Acts at the sending end find nothing at the receiving end, and the other way round.
ONE_END = {
    "seal": "clerk", "unseal": "clerk", "cancel_parcel": "clerk", "book": "clerk", "unbook": "clerk", "quote": "clerk",
    "remove_original": "clerk", "fill_parcel": "clerk", "confirm_delivery": "", "receive": "officer", "accept": "officer",
    "hand_out": "clerk", "worklist": "clerk",
    # Only about what an applicant sends, which the case of this world does not.
    "receive_papers": "", "call_off": "",
    "handover": "clerk", "print_handover": "clerk", "sign_handover": "clerk", "drop_handover": "clerk",
    "attach_handover": "clerk", "correct_handover": "clerk", "handover_signature": "clerk",
    "take_off_handover": "clerk", "handover_sheet": "clerk",
}  # fmt: skip


@pytest.fixture
def world(road: Road) -> World:
    return populate(road)


def acts_of(pattern: URLPattern) -> tuple[str, ...]:
    view: Page = pattern.callback  # type: ignore[assignment]
    return view.acts


def knock(client: Client, pattern: URLPattern, world: World) -> int:
    """The status of opening a page of this world; acts are posted without any input."""
    address = reverse(str(pattern.name), kwargs=world.address_of(str(pattern.name)))
    answer = client.get(address)
    if answer.status_code == 405:
        answer = client.post(address)
    if answer.streaming:
        list(answer)  # to the end, as a server sends it: files made for one request go with it
    return answer.status_code


def test_every_page_names_its_acts() -> None:
    unguarded = {str(pattern.name) for pattern in pages() if not getattr(pattern.callback, "acts", ())}
    assert unguarded == OPEN_TO_ALL


def test_every_address_with_an_object_is_in_the_world() -> None:
    with_object = {
        str(pattern.name)
        for pattern in pages()
        if pattern.pattern.converters and pattern.name not in {"worklist", "spending_chart", "figures_chart"}
    }
    assert with_object == set(ABOUT)


@pytest.mark.parametrize("who", PEOPLE)
def test_a_role_finds_only_what_the_table_gives_it(who: str, world: World, sign_in: SignIn) -> None:
    actor: Actor = getattr(world.road.cast, who)
    client = sign_in(actor)
    for pattern in pages():
        name = str(pattern.name)
        if name in OPEN_TO_ALL:
            continue
        status = knock(client, pattern, world)
        allowed = any(may(actor, act) for act in acts_of(pattern)) and ONE_END.get(name, who) == who
        assert (status != NOT_FOUND) == allowed, f"{who} at {name}: {status}"
        assert status < 500 or status == 503, f"{who} at {name}: {status}"


@pytest.mark.parametrize("who", ["other_clerk", "other_officer"])
def test_what_belongs_to_others_is_not_there(who: str, world: World, sign_in: SignIn) -> None:
    client = sign_in(getattr(world.road.cast, who))
    for pattern in pages():
        if pattern.name in ABOUT and pattern.name not in WITHOUT_LOGIN:
            assert knock(client, pattern, world) == NOT_FOUND, f"{who} at {pattern.name}"


def test_finance_of_another_centre_sees_no_books(world: World, sign_in: SignIn) -> None:
    stranger = person("finance-zhuji", Role.FINANCE, centre=world.road.cast.zhuji.centre)
    client = sign_in(stranger)
    for pattern in pages():
        if ABOUT.get(str(pattern.name)) in (
            "statement",
            "settlement",
            "proposal",
            "letter",
            "policy",
            "exception",
            "contract",
        ):
            assert knock(client, pattern, world) == NOT_FOUND, str(pattern.name)


def test_a_draft_is_nobody_elses_business(cast: Cast, objects: None, sign_in: SignIn) -> None:
    draft = open_case(cast)
    assert sign_in(cast.clerk).get(reverse("case", args=[draft.number])).status_code == 200
    assert sign_in(cast.officer).get(reverse("case", args=[draft.number])).status_code == NOT_FOUND


def test_strangers_are_asked_to_sign_in(world: World) -> None:
    client = Client()
    for pattern in pages():
        if pattern.name not in WITHOUT_LOGIN:
            address = reverse(str(pattern.name), kwargs=world.address_of(str(pattern.name)))
            answer = client.get(address)
            assert answer.status_code in (302, 405), f"{pattern.name}: {answer.status_code}"
