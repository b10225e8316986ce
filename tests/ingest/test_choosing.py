"""What the applicant chose may be changed at the window until the result leaves, and is told."""

import pytest

from ingest.models import Case, Original
from ingest.rules import CaseState, NotNow
from ingest.services.choosing import change_choices
from ingest.services.intake import Incomplete
from registry.actors import Actor
from registry.models import Event
from registry.permissions import NotYours
from registry.terms import Delivery
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, open_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return open_case(cast)


def change(
    case: Case,
    actor: Actor,
    *,
    delivery: str = Delivery.WINDOW,
    consent: bool = True,
    address: str = "",
) -> Case:
    return change_choices(
        case=case, delivery=delivery, agent_consent=consent, address=address, actor=actor, now=NOW
    )


def test_the_window_writes_down_what_the_applicant_wants_now(case: Case, cast: Cast) -> None:
    changed = change(case, cast.clerk, consent=False)
    assert (changed.delivery, changed.agent_consent) == (Delivery.WINDOW, False)
    event = Event.objects.get(kind="case.choices_changed")
    assert event.data == {"delivery": ["mail", "window"], "agent_consent": False}
    assert (event.actor_label, event.case_number) == ("clerk", case.number)


def test_a_new_address_is_kept_and_stays_out_of_the_event(case: Case, cast: Cast) -> None:
    changed = change(case, cast.clerk, delivery=Delivery.MAIL, address="诸暨市浣东街道二号")
    assert changed.applicant_address == "诸暨市浣东街道二号"
    event = Event.objects.get(kind="case.choices_changed")
    assert event.data == {"address": True}


def test_by_post_needs_an_address(case: Case, cast: Cast) -> None:
    Case.objects.filter(pk=case.pk).update(applicant_address="", delivery=Delivery.WINDOW)
    with pytest.raises(Incomplete, match="送达地址"):
        change(case, cast.clerk, delivery=Delivery.MAIL)
    assert not Event.objects.filter(kind="case.choices_changed").exists()


def test_an_address_is_kept_whole_or_not_at_all(case: Case, cast: Cast) -> None:
    with pytest.raises(Refused, match="送达地址至多 200 个字，现有 201 个字"):
        change(case, cast.clerk, delivery=Delivery.MAIL, address="诸" * 201)
    assert not Event.objects.filter(kind="case.choices_changed").exists()


@pytest.mark.parametrize("delivery", ["", "pigeon"])
def test_a_way_that_does_not_exist_is_no_choice(case: Case, cast: Cast, delivery: str) -> None:
    with pytest.raises(Incomplete):
        change(case, cast.clerk, delivery=delivery)


def test_nothing_changed_is_said_and_not_recorded(case: Case, cast: Cast) -> None:
    with pytest.raises(Incomplete, match="没有改动"):
        change(case, cast.clerk, delivery=case.delivery)


@pytest.mark.parametrize(
    "state", [CaseState.DELIVERING, CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN]
)
def test_once_it_has_left_there_is_nothing_to_choose(case: Case, cast: Cast, state: CaseState) -> None:
    Case.objects.filter(pk=case.pk).update(state=state, submitted_at=NOW)
    with pytest.raises(NotNow, match="送达"):
        change(case, cast.clerk)


def test_a_result_in_a_parcel_goes_where_the_parcel_goes(case: Case, cast: Cast) -> None:
    Case.objects.filter(pk=case.pk).update(state=CaseState.DECIDED, submitted_at=NOW)
    Original.objects.create(
        case=case,
        handling=case.handlings.get(),
        kind=Original.Kind.RESULT,
        name="施工许可证",
        place=Original.Place.PARCEL,
        place_id=1,
        moved_at=NOW,
    )
    with pytest.raises(NotNow, match="已装件"):
        change(case, cast.clerk)


def test_consent_that_was_used_is_taken_back_by_withdrawing(case: Case, cast: Cast) -> None:
    Case.objects.filter(pk=case.pk).update(state=CaseState.SUBMITTED, submitted_at=NOW)
    with pytest.raises(NotNow, match="撤回"):
        change(case, cast.clerk, consent=False)
    assert change(case, cast.clerk).delivery == Delivery.WINDOW


def test_only_the_window_of_the_case_may(case: Case, cast: Cast) -> None:
    for stranger in (cast.other_clerk, cast.officer, cast.administrator):
        with pytest.raises(NotYours):
            change(case, stranger)


def test_what_was_chosen_at_the_counter_is_in_the_first_event(case: Case) -> None:
    told = Event.objects.get(kind="case.created", stream=case.number).data
    assert (told["delivery"], told["agent_consent"]) == (case.delivery, case.agent_consent)
