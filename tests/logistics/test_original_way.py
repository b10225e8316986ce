"""An original that several offices need travels from one to the next, and home from the last."""

import pytest

from ingest.models import Case, Handling, Original
from ingest.rules import HandlingState, Stop, next_stop
from ingest.services.handlings import accept, decide
from ingest.services.intake import take_in_original
from logistics.models import CustodyEvent, Parcel
from logistics.rules.parcels import NotNow
from logistics.rules.payers import Leg
from logistics.services.ends import End
from logistics.services.moving import move_original
from logistics.services.parcels import pack
from registry.actors import SYSTEM, Actor
from registry.models import Event
from registry.terms import Mode
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """A draft of two offices: Taizhou leads, Wenling decides with it."""
    case = open_case(cast)
    hand_in_everything(case)
    Handling.objects.create(case=case, office=cast.wenling)
    Case.objects.filter(pk=case.pk).update(mode=Mode.JOINT.value)
    return Case.objects.get(pk=case.pk)


def part(case: Case, *, lead: bool) -> Handling:
    return case.handlings.select_related("case", "office").get(is_lead=lead)


def take_in(case: Case, cast: Cast, *way: Handling) -> Original:
    material = case.materials.select_related("case").get(position=2)
    return take_in_original(material=material, name="", verified=False, actor=cast.clerk, now=NOW, way=way)


def sent_in(case: Case) -> None:
    """As submitting does it; whether a joint intake is lawful is tested elsewhere."""
    Case.objects.filter(pk=case.pk).update(state="submitted", submitted_at=NOW)
    case.handlings.update(state=HandlingState.PENDING)


def send(original: Original, leg: Leg, sender: End, receiver: End, actor: Actor) -> Parcel:
    again = Original.objects.get(pk=original.pk)
    return pack(leg=leg, sender=sender, receiver=receiver, originals=[again], actor=actor, now=NOW)


def arrive(original: Original, office_id: int) -> None:
    move_original(
        original=Original.objects.get(pk=original.pk),
        to_place=Original.Place.OFFICE,
        to_id=office_id,
        proof=CustodyEvent.Proof.TICK,
        actor=SYSTEM,
        now=NOW,
    )


def decided(case: Case, actor: Actor, *, lead: bool) -> None:
    accept(handling=part(case, lead=lead), actor=actor, now=NOW)
    decide(handling=part(case, lead=lead), approved=True, result_name="", actor=actor, now=NOW)


def test_it_goes_first_to_the_office_that_was_named_first(case: Case, cast: Cast) -> None:
    original = take_in(case, cast, part(case, lead=False), part(case, lead=True))
    told = Event.objects.get(kind="original.taken_in", case_number=case.number)
    assert told.data["way"] == [cast.wenling.code, cast.taizhou.code]
    sent_in(case)
    with pytest.raises(NotNow) as refused:
        send(original, Leg.MATERIALS, cast.zhuji, cast.taizhou, cast.clerk)
    assert refused.value.code == "parcel_wrong_receiver"
    assert send(original, Leg.MATERIALS, cast.zhuji, cast.wenling, cast.clerk).items.count() == 1


def test_it_travels_on_before_it_goes_home(case: Case, cast: Cast) -> None:
    original = take_in(case, cast, part(case, lead=False), part(case, lead=True))
    sent_in(case)
    arrive(original, cast.wenling.pk)
    decided(case, cast.other_officer, lead=False)
    with pytest.raises(NotNow) as refused:
        send(original, Leg.ORIGINAL_RETURN, cast.wenling, case, cast.other_officer)
    assert refused.value.code == "original_needed_next"
    assert cast.taizhou.name in refused.value.message
    send(original, Leg.TRANSFER, cast.wenling, cast.taizhou, cast.other_officer)
    arrive(original, cast.taizhou.pk)
    assert Original.objects.get(pk=original.pk).handling == part(case, lead=True)
    with pytest.raises(NotNow) as refused:
        send(original, Leg.ORIGINAL_RETURN, cast.taizhou, case, cast.officer)
    assert refused.value.code == "parcel_still_needed"


def test_an_office_that_needs_no_paper_any_more_is_passed_by(case: Case, cast: Cast) -> None:
    original = take_in(case, cast, part(case, lead=False), part(case, lead=True))
    sent_in(case)
    case.handlings.filter(is_lead=False).update(state=HandlingState.WITHDRAWN)
    assert send(original, Leg.MATERIALS, cast.zhuji, cast.taizhou, cast.clerk).items.count() == 1


def test_without_a_word_it_goes_to_the_lead_as_ever(case: Case, cast: Cast) -> None:
    original = take_in(case, cast)
    assert [stop.handling.office for stop in original.stops.select_related("handling__office")] == [
        cast.taizhou
    ]


def test_no_office_is_named_twice_and_none_of_another_case(case: Case, cast: Cast) -> None:
    lead = part(case, lead=True)
    stranger = open_case(cast).handlings.get()
    for way in ((lead, lead), (stranger,)):
        with pytest.raises(Refused) as refused:
            take_in(case, cast, *way)
        assert refused.value.code == "original_way"
    assert not Original.objects.exists()


def test_the_rule_of_the_next_stop() -> None:
    there, passed, wanted = (
        Stop(handling=1, office=1, reached=True, over=False),
        Stop(handling=2, office=2, reached=False, over=True),
        Stop(handling=3, office=3, reached=False, over=False),
    )
    assert next_stop([there, passed, wanted]) == wanted
    assert next_stop([there, passed]) is None
