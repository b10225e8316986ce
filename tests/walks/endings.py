"""A way to a good end, found in the tables of states and then walked with the real services."""

from collections import deque
from datetime import datetime

from django.db import transaction

from ingest.models import Case, Handling, Original
from ingest.rules import (
    CaseState,
    HandlingState,
    NotNow,
    case_state_from,
    case_target,
    check_follows,
    handling_target,
)
from ingest.services.awaiting import awaited
from logistics.models import CustodyEvent
from logistics.rules.payers import Leg
from logistics.services.endings import hand_to_applicant
from logistics.services.moving import move_original
from logistics.services.parcels import pack
from registry.actors import SYSTEM
from registry.models import Office
from registry.terms import Delivery, Right
from storage.errors import Refused
from tests.walks.deeds import DEEDS
from tests.walks.oracle import Notebook
from tests.walks.world import World, gather, grant, officer_at, officer_of, rightful

Part = tuple[str, str]
"""State of a handling, and the state it goes back to after a supplement."""
Place = tuple[str, tuple[Part, ...]]
Way = list[tuple[str, int]]
"""Deeds with the number of the handling they are done to."""
FORWARD = ("pre_review", "accept", "resubmit", "decide")


def way_out(place: Place, mode: str) -> Way | None:
    """The shortest way to 已归结 on which nobody refuses, withdraws or asks for more; None when there is none."""
    seen, open_ways = {place}, deque([(place, Way())])
    while open_ways:
        here, way = open_ways.popleft()
        if here[0] == CaseState.CLOSED:
            return way
        for deed, index in [("submit", 0), ("deliver", 0), ("close", 0), *_parts(here)]:
            there = _after(here, deed, index, mode)
            if there is not None and there not in seen:
                seen.add(there)
                open_ways.append((there, [*way, (deed, index)]))
    return None


def _parts(place: Place) -> list[tuple[str, int]]:
    return [(deed, index) for index in range(len(place[1])) for deed in FORWARD]


def _after(place: Place, deed: str, index: int, mode: str) -> Place | None:
    case, parts = place
    try:
        if deed in {"deliver", "close"}:
            return case_target(deed, case, mode), parts
        if deed == "submit":
            submitted = tuple((str(handling_target("submit", state, mode)), "") for state, _ in parts)
            return case_target("submit", case, mode), submitted
        state, before = parts[index]
        accepted = deed == "resubmit" and before == HandlingState.ACCEPTED
        state = str(handling_target("resubmit_accepted" if accepted else deed, state, mode))
        changed = (*parts[:index], (state, ""), *parts[index + 1 :])
        follows = case_state_from(state for state, _ in changed)
        if follows != case:
            check_follows(case, follows)
    except NotNow:
        return None
    return str(follows), changed


def place_of(case: Case) -> Place:
    return case.state, tuple((part.state, part.resume_state) for part in parts_of(case))


def parts_of(case: Case) -> list[Handling]:
    return list(case.handlings.select_related("case", "office").order_by("pk"))


def walk_out(case: Case, world: World, book: Notebook, now: datetime) -> None:
    """Goes a way to the end and comes back as if nothing had happened. Raises AssertionError when it cannot."""
    way = way_out(place_of(case), case.mode)
    assert way is not None, f"no way out of {place_of(case)} in {case.mode}"
    before = transaction.savepoint()
    try:
        for office in world.offices:
            if (office.pk, "accept") not in book.granted:
                grant(world, office, [Right.ACCEPT], now)
        for deed, index in way:
            _go(deed, Case.objects.get(pk=case.pk), index, world, now)
        assert Case.objects.get(pk=case.pk).state == CaseState.CLOSED, f"{way} does not end"
    except Refused as refused:
        raise AssertionError(f"{way} stops: {refused.message}") from refused
    finally:
        transaction.savepoint_rollback(before)


def _go(deed: str, case: Case, index: int, world: World, now: datetime) -> None:
    if deed in {"submit", "resubmit", "decide"} or (deed == "accept" and case.state == CaseState.SUBMITTED):
        gather_if_open(case, world, now)
    if deed == "deliver" and case.delivery == Delivery.ELECTRONIC:
        for part in parts_of(case):
            if part.decision == "approved":
                DEEDS["attach"](case, part, officer_of(part, world), now)
    if deed == "close":
        _bring_home(case, now)
    part = parts_of(case)[index]
    if deed == "decide" and awaited(case):
        DEEDS["receive_papers"](case, part, rightful("receive_papers", part, world), now)
    DEEDS[deed](case, part, rightful(deed, part, world), now)


def gather_if_open(case: Case, world: World, now: datetime) -> None:
    """Gathers what is missing while the questionnaire may still be answered; afterwards only the pages."""
    gather(case, world, now, answers=case.state in {"draft", "submitted", "supplement"})


def _bring_home(case: Case, now: datetime) -> None:
    """Every paper reaches the applicant."""
    for original in case.originals.exclude(place__in=[Original.Place.APPLICANT, Original.Place.ARCHIVE]):
        move_original(
            original=original,
            to_place=Original.Place.APPLICANT,
            to_id=case.pk,
            proof=CustodyEvent.Proof.SIGNATURE,
            actor=SYSTEM,
            now=now,
        )


def send_home(case: Case, world: World, now: datetime) -> None:
    """The papers of a case that ended without a decision go back from wherever they lie, and all is as before.

    Raises AssertionError when one cannot.
    """
    before = transaction.savepoint()
    try:
        for original in case.originals.filter(place=Original.Place.OFFICE).exclude(parcel_items__holds=True):
            who = officer_at(original.place_id, world)
            pack(
                leg=Leg.ORIGINAL_RETURN,
                sender=Office.objects.get(pk=original.place_id),
                receiver=case,
                originals=[original],
                actor=who,
                now=now,
            )
        for original in case.originals.filter(place=Original.Place.WINDOW).exclude(parcel_items__holds=True):
            hand_to_applicant(original=original, actor=world.cast.clerk, now=now)
    except Refused as refused:
        raise AssertionError(f"a paper of an ended case stays: {refused.message}") from refused
    finally:
        transaction.savepoint_rollback(before)
