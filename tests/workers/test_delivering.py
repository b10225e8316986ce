"""A case is closed when its papers are home, in whatever order its own processes hear of it."""

import pytest

from ingest.models import Case, Original
from ingest.rules import CaseState
from logistics.models import Waybill
from logistics.rules.payers import Leg, PaymentTerm
from logistics.services.custody import hand_over, receive_parcel
from logistics.services.endings import hand_to_applicant
from logistics.services.parcels import pack, seal_parcel
from logistics.services.waybills import register_waybill
from registry.models import Event
from registry.terms import Delivery
from tests.cast import NOW, Cast, assemble
from tests.logistics.road import Road, build_road
from workers.work.parcels import close_delivered, note_delivery_begun

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def home(cast: Cast, objects: None) -> Case:
    """Everything is with the applicant, and none of our processes has done anything about it yet."""
    road = build_road(cast, NOWHERE).pre_reviewed()
    Case.objects.filter(pk=road.case.pk).update(delivery=Delivery.WINDOW)
    result = road.decided()
    _send_to_window(road, result)
    for original in road.case.originals.order_by("pk"):
        hand_to_applicant(original=original, actor=cast.clerk, now=NOW)
    return road.case


def _send_to_window(road: Road, result: Original) -> Waybill:
    officer = road.cast.officer
    parcel = pack(
        leg=Leg.RESULT,
        sender=road.cast.taizhou,
        receiver=road.cast.zhuji,
        originals=[result],
        actor=officer,
        now=NOW,
    )
    seal_parcel(parcel=parcel, weight_g=120, actor=officer, now=NOW)
    waybill = register_waybill(
        parcel=parcel,
        account=road.account,
        number="1012345678901",
        term=PaymentTerm.SENDER_MONTHLY,
        actor=officer,
        now=NOW,
    )
    hand_over(token=parcel.token_text, actor=officer, now=NOW)
    parcel.refresh_from_db()
    receive_parcel(parcel=parcel, ticked=[result.pk], actor=road.cast.clerk, now=NOW)
    return waybill


def test_the_end_may_be_heard_of_before_the_beginning(home: Case) -> None:
    for moved in Event.objects.filter(kind="original.moved").order_by("pk"):
        close_delivered(moved, "", NOW)
    home.refresh_from_db()
    assert home.state == CaseState.DECIDED
    note_delivery_begun(Event.objects.get(kind="parcel.handed_over"), "", NOW)
    home.refresh_from_db()
    assert home.state == CaseState.CLOSED


def test_a_process_that_died_in_between_is_made_good(home: Case) -> None:
    begun = Event.objects.get(kind="parcel.handed_over")
    Case.objects.filter(pk=home.pk).update(state=CaseState.DELIVERING)
    note_delivery_begun(begun, "", NOW)
    note_delivery_begun(begun, "", NOW)
    home.refresh_from_db()
    assert home.state == CaseState.CLOSED
    assert Event.objects.filter(kind="case.closed").count() == 1
