"""Taking an application back: what is decided stays decided."""

import pytest

from ingest.models import Case, Handling
from ingest.rules import CaseState, HandlingState, NotNow
from ingest.services.delivery import start_delivery
from ingest.services.handlings import accept, decide
from ingest.services.withdrawing import withdraw
from registry.actors import SYSTEM
from registry.models import Event
from registry.terms import Mode
from tests.cast import NOW, Cast, assemble, further_on, open_case
from tests.ingest.paper import hand_in_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def joint(cast: Cast) -> Case:
    """A submitted case of two offices, Taizhou in the lead."""
    case = open_case(cast)
    hand_in_everything(case)
    Handling.objects.create(case=case, office=cast.wenling)
    case.handlings.update(state=HandlingState.PENDING)
    return further_on(case, CaseState.SUBMITTED, mode=Mode.JOINT.value)


def at(case: Case, cast: Cast, *, lead: bool) -> Handling:
    return case.handlings.select_related("case", "office").get(is_lead=lead)


def test_after_one_decision_only_the_open_parts_are_withdrawn_and_the_decision_is_delivered(
    cast: Cast, joint: Case
) -> None:
    accept(handling=at(joint, cast, lead=False), actor=cast.other_officer, now=NOW)
    decide(
        handling=at(joint, cast, lead=False),
        approved=True,
        result_name="",
        actor=cast.other_officer,
        now=NOW,
    )
    joint.refresh_from_db()
    withdraw(case=joint, reason="申请人要求", actor=cast.clerk, now=NOW)
    assert at(joint, cast, lead=True).state == HandlingState.WITHDRAWN
    assert at(joint, cast, lead=False).state == HandlingState.DECIDED
    assert (joint.state, joint.closed_at) == (CaseState.DECIDED, None)
    told = Event.objects.get(case_number=joint.number, kind="case.partly_withdrawn")
    assert told.data == {"offices": [cast.taizhou.code]}
    start_delivery(case=joint, actor=SYSTEM, now=NOW)
    assert joint.state == CaseState.DELIVERING


def test_before_any_decision_the_whole_case_ends(cast: Cast, joint: Case) -> None:
    withdraw(case=joint, reason="申请人要求", actor=cast.clerk, now=NOW)
    assert (joint.state, joint.closed_at) == (CaseState.WITHDRAWN, NOW)
    assert {handling.state for handling in joint.handlings.all()} == {HandlingState.WITHDRAWN}


def test_once_everything_is_decided_nothing_is_taken_back(cast: Cast, joint: Case) -> None:
    for lead, actor in ((True, cast.officer), (False, cast.other_officer)):
        accept(handling=at(joint, cast, lead=lead), actor=actor, now=NOW)
        decide(handling=at(joint, cast, lead=lead), approved=True, result_name="", actor=actor, now=NOW)
    joint.refresh_from_db()
    with pytest.raises(NotNow):
        withdraw(case=joint, reason="申请人要求", actor=cast.clerk, now=NOW)


def test_what_is_decided_stays_on_the_offices_desk_until_it_leaves(cast: Cast, joint: Case) -> None:
    for lead, actor in ((True, cast.officer), (False, cast.other_officer)):
        accept(handling=at(joint, cast, lead=lead), actor=actor, now=NOW)
        decide(handling=at(joint, cast, lead=lead), approved=True, result_name="", actor=actor, now=NOW)
    assert all(joint.handlings.values_list("unsent", flat=True))
    joint.refresh_from_db()
    start_delivery(case=joint, actor=SYSTEM, now=NOW)
    assert not any(joint.handlings.values_list("unsent", flat=True))
