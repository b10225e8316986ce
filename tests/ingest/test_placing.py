"""The page editor: every act is told, none changes the bytes, and a case that has left the window stands still."""

from collections.abc import Callable

import pytest

from ingest.models import Case, Page
from ingest.rules import NotNow
from ingest.services.intake import material_facts, submit
from ingest.services.placing import (
    bring_page_back,
    move_page,
    move_pages,
    put_page_at,
    set_page_aside,
    shift_page,
    turn_page,
)
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in, hand_in_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
Act = Callable[[Page], object]


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return open_case(cast)


@pytest.fixture
def pages(case: Case) -> list[Page]:
    return hand_in(case.materials.get(position=1), pages=3)


def order(case: Case, position: int) -> list[int]:
    rows = Page.objects.filter(case=case, material__position=position)
    return list(rows.order_by("position", "pk").values_list("pk", flat=True))


def test_a_page_goes_behind_those_of_another_material(cast: Cast, case: Case, pages: list[Page]) -> None:
    second = case.materials.get(position=2)
    (there,) = hand_in(second)
    move_page(page=pages[0], material=second, actor=cast.clerk, now=NOW)
    assert order(case, 1) == [pages[1].pk, pages[2].pk]
    assert order(case, 2) == [there.pk, pages[0].pk]
    event = Event.objects.get(kind="page.moved")
    assert event.data["to"] == second.pk
    assert list(verify_chains()) == []


def test_several_pages_go_together_or_not_at_all(cast: Cast, case: Case, pages: list[Page]) -> None:
    second = case.materials.get(position=2)
    move_pages(pages=pages[:2], material=second, actor=cast.clerk, now=NOW)
    assert order(case, 2) == [pages[0].pk, pages[1].pk]
    assert Event.objects.filter(kind="page.moved").count() == 2
    with pytest.raises(Refused, match="请先勾选"):
        move_pages(pages=[], material=second, actor=cast.clerk, now=NOW)
    stranger = open_case(cast)
    (elsewhere,) = hand_in(stranger.materials.get(position=1))
    with pytest.raises(Refused, match="不属于这个办件"):
        move_pages(pages=[pages[2], elsewhere], material=second, actor=cast.clerk, now=NOW)
    assert order(case, 2) == [pages[0].pk, pages[1].pk]
    assert list(verify_chains()) == []


def test_pages_change_places_one_by_one(cast: Cast, case: Case, pages: list[Page]) -> None:
    one, two, three = (page.pk for page in pages)
    shift_page(page=pages[2], by=-1, actor=cast.clerk, now=NOW)
    assert order(case, 1) == [one, three, two]
    shift_page(page=pages[0], by=1, actor=cast.clerk, now=NOW)
    assert order(case, 1) == [three, one, two]
    with pytest.raises(Refused, match="page_at_end"):
        shift_page(page=pages[1], by=1, actor=cast.clerk, now=NOW)


def test_a_page_goes_to_any_place_in_one_step(cast: Cast, case: Case, pages: list[Page]) -> None:
    one, two, three = (page.pk for page in pages)
    put_page_at(page=pages[2], place=1, actor=cast.clerk, now=NOW)
    assert order(case, 1) == [three, one, two]
    for _ in range(2):
        put_page_at(page=pages[2], place=2, actor=cast.clerk, now=NOW)
    assert order(case, 1) == [one, three, two]
    told = Event.objects.filter(kind="page.shifted").order_by("pk")
    assert [(event.data["from"], event.data["to"]) for event in told] == [(3, 1), (1, 2)]
    for nowhere in (0, 4):
        with pytest.raises(Refused, match="1 到 3 之间"):
            put_page_at(page=pages[0], place=nowhere, actor=cast.clerk, now=NOW)


def test_turning_is_a_note_beside_the_bytes(cast: Cast, pages: list[Page]) -> None:
    page = pages[0]
    before = page.sha256, page.stored_id
    for degrees, shown in ((90, 90), (270, 0), (180, 180)):
        page = turn_page(page=page, degrees=degrees, actor=cast.clerk, now=NOW)
        assert page.rotation == shown
    assert (page.sha256, page.stored_id) == before
    with pytest.raises(Refused, match="quarter_turns"):
        turn_page(page=page, degrees=45, actor=cast.clerk, now=NOW)


def test_somebody_who_looked_at_an_older_turn_is_told(cast: Cast, pages: list[Page]) -> None:
    stale = Page.objects.get(pk=pages[0].pk)
    turn_page(page=pages[0], degrees=90, actor=cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="stale"):
        turn_page(page=stale, degrees=90, actor=cast.clerk, now=NOW)
    assert Event.objects.filter(kind="page.turned").count() == 1


def test_what_is_set_aside_counts_nowhere_and_comes_back(cast: Cast, case: Case, pages: list[Page]) -> None:
    set_page_aside(page=pages[0], actor=cast.clerk, now=NOW)
    set_page_aside(page=pages[0], actor=cast.clerk, now=NOW)
    assert material_facts(case, today=NOW.date())[0].pages == 2
    bring_page_back(page=pages[0], actor=cast.clerk, now=NOW)
    assert material_facts(case, today=NOW.date())[0].pages == 3
    kinds = Event.objects.filter(kind__startswith="page.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["page.set_aside", "page.brought_back"]


def test_no_page_of_another_case(cast: Cast, pages: list[Page]) -> None:
    other = open_case(cast).materials.get(position=1)
    with pytest.raises(Refused, match="other_case"):
        move_page(page=pages[0], material=other, actor=cast.clerk, now=NOW)


def acts(cast_actor: str, cast: Cast, case: Case) -> list[Act]:
    actor = getattr(cast, cast_actor)
    second = case.materials.get(position=2)
    return [
        lambda page: move_page(page=page, material=second, actor=actor, now=NOW),
        lambda page: shift_page(page=page, by=1, actor=actor, now=NOW),
        lambda page: put_page_at(page=page, place=2, actor=actor, now=NOW),
        lambda page: turn_page(page=page, degrees=90, actor=actor, now=NOW),
        lambda page: set_page_aside(page=page, actor=actor, now=NOW),
        lambda page: bring_page_back(page=page, actor=actor, now=NOW),
    ]


def test_after_intake_is_closed_nothing_moves(cast: Cast, case: Case, pages: list[Page]) -> None:
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    for act in acts("clerk", cast, case):
        with pytest.raises(NotNow, match="case_not_open"):
            act(Page.objects.get(pk=pages[0].pk))


def test_only_the_window_that_took_it_in(cast: Cast, case: Case, pages: list[Page]) -> None:
    for who in ("other_clerk", "officer", "finance", "administrator"):
        for act in acts(who, cast, case):
            with pytest.raises(NotYours):
                act(pages[0])
