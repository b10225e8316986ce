"""An applicant's envelope at the office: ticked against what was told, or not told at all; where it is, and who paid."""

from datetime import timedelta

import pytest

from ingest.services.handlings import decide, refuse
from logistics.models import Charge, CustodyEvent, Incident, Parcel, ParcelItem
from logistics.postage.services import add_tariff
from logistics.rules.parcels import ParcelState
from logistics.rules.payers import Leg
from logistics.sandbox.server import SandboxServer
from logistics.services.announcing import CourierWord, call_off
from logistics.services.arriving import arriving_by_number, receive_unannounced
from logistics.services.custody import (
    confirm_delivery,
    find_missing,
    hand_over,
    receive_parcel,
    report_lost,
)
from logistics.services.ordering import order_waybill
from logistics.services.papers_owed import papers_owed
from logistics.services.parcels import pack, seal_parcel
from logistics.services.whereabouts import where_is
from registry.actors import SYSTEM
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, Cast
from tests.logistics.online import NUMBER, Online, build_online
from tests.logistics.postage_world import tariff_of
from workers.reactions import find, jobs_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(days=1)


@pytest.fixture
def online(cast: Cast, sandbox: SandboxServer) -> Online:
    return build_online(cast, sandbox.url)


def receive(
    online: Online, parcel: Parcel, ticked: list[int], *, extra: int = 0, weight_g: int | None = None
) -> None:
    receive_parcel(
        parcel=parcel, ticked=ticked, extra=extra, weight_g=weight_g, actor=online.officer, now=LATER
    )


def work() -> None:
    """What the workers do about charges for everything told so far."""
    for event in Event.objects.order_by("pk"):
        for name, part in jobs_of(event):
            if name == "charge_parcel":
                find(name).do(event, part, LATER)


def test_the_office_ticks_the_list_and_signs_for_each_original(online: Online) -> None:
    keys = online.keys()
    parcel = online.announced()
    receive(online, parcel, keys)
    assert online.places() == [("office", online.office.pk)] * 2
    where = where_is(original_id=keys[0], actor=online.officer)
    assert (where.at_name, where.by, where.proof) == (online.office.name, "rsj-officer", "清单核对")
    parcel.refresh_from_db()
    assert (parcel.state, parcel.weight_g) == ("received", None)
    online.accepted()
    decide(handling=online.handling, approved=True, result_name="凭证", actor=online.officer, now=LATER)
    assert not list(verify_chains())


def test_what_is_not_in_the_envelope_is_an_incident_of_the_office_until_it_is_known_where_it_is(
    online: Online,
) -> None:
    first, second = online.keys()
    parcel = online.announced()
    receive(online, parcel, [first], extra=1)
    told = Incident.objects.order_by("kind").values_list("kind", "owner_kind", "owner_id", "original")
    assert list(told) == [
        ("extra_item", "office", online.office.pk, None),
        ("missing_item", "office", online.office.pk, second),
    ]
    assert online.places() == [("office", online.office.pk), ("parcel", parcel.pk)]
    online.accepted()
    with pytest.raises(Refused, match="还没有收到"):
        decide(handling=online.handling, approved=True, result_name="", actor=online.officer, now=LATER)
    item = ParcelItem.objects.get(parcel=parcel, original=second)
    with pytest.raises(NotYours):
        find_missing(item=item, actor=online.cast.other_clerk, now=LATER, with_applicant=True)
    find_missing(item=item, actor=online.officer, now=LATER, with_applicant=True)
    assert online.keys() == [second]
    assert online.announced([second], number="1012345678902").state == ParcelState.HANDED_OVER


def test_a_window_cannot_say_that_a_paper_is_with_the_applicant(online: Online) -> None:
    first, second = online.keys()
    parcel = online.announced()
    receive(online, parcel, [first])
    Parcel.objects.filter(pk=parcel.pk).update(
        sender_kind="window", sender_id=online.window.pk, weight_g=9, sealed_at=NOW
    )
    item = ParcelItem.objects.select_related("parcel").get(parcel=parcel, original=second)
    with pytest.raises(Refused, match="不是申请人寄来的"):
        find_missing(item=item, actor=online.officer, now=LATER, with_applicant=True)


def test_an_envelope_that_nobody_told_of_is_received_too(online: Online) -> None:
    first, second = online.keys()
    parcel = receive_unannounced(
        case=online.case, ticked=[first], damaged=[first], extra=1, actor=online.officer, now=LATER
    )
    parcel.refresh_from_db()
    assert (parcel.state, parcel.leg, parcel.told_number) == ("received", "online_application", "")
    assert online.places() == [("office", online.office.pk), ("applicant", online.case.pk)]
    assert set(Incident.objects.values_list("kind", flat=True)) == {"damaged", "extra_item"}
    step = CustodyEvent.objects.get(original=first)
    assert (step.from_place, step.to_place, step.proof) == ("applicant", "office", "tick")
    with pytest.raises(Refused, match="不在待寄送的清单内"):
        receive_unannounced(case=online.case, ticked=[first], actor=online.officer, now=LATER)
    with pytest.raises(Refused, match="请勾选"):
        receive_unannounced(case=online.case, ticked=[], actor=online.officer, now=LATER)
    assert online.keys() == [second]


def test_what_arrives_after_the_case_ended_lies_at_the_office_and_goes_back_from_there(
    online: Online,
) -> None:
    first, second = online.keys()
    refuse(handling=online.handling, reason="不符合条件", actor=online.officer, now=LATER)
    assert not online.keys()  # nobody waits for it any more
    sheet = papers_owed(case=online.case, now=LATER, arriving=True)
    assert sheet is not None
    assert [paper.original.pk for paper in sheet.owed] == [first, second]
    with pytest.raises(Refused, match="没有等待申请人寄送"):
        online.announced([first])
    receive_unannounced(case=online.case, ticked=[first], actor=online.officer, now=LATER)
    assert online.places() == [("office", online.office.pk), ("applicant", online.case.pk)]
    back = pack(
        leg=Leg.ORIGINAL_RETURN,
        sender=online.office,
        receiver=online.case,
        originals=online.originals()[:1],
        actor=online.officer,
        now=LATER,
    )
    assert back.items.get().original_id == first


def test_nobody_but_the_deciding_office_takes_it_in(online: Online) -> None:
    cast = online.cast
    parcel = online.announced([online.keys()[0]])
    for who in (
        cast.officer,
        cast.other_officer,
        cast.other_clerk,
        cast.clerk,
        online.platform,
        cast.finance,
    ):
        with pytest.raises(NotYours):
            receive_unannounced(case=online.case, ticked=online.keys(), actor=who, now=LATER)
        with pytest.raises(NotYours):
            receive_parcel(parcel=parcel, ticked=[], actor=who, now=LATER)


def test_the_number_on_the_couriers_label_finds_it_at_its_office_alone(online: Online) -> None:
    parcel = online.announced([online.keys()[0]], company="跑腿", number="PT20260310")
    assert arriving_by_number(text=" pt2026 0310", actor=online.officer) == parcel
    assert arriving_by_number(text="PT20260310", actor=online.cast.officer) is None
    assert arriving_by_number(text="", actor=online.officer) is None
    receive(online, parcel, [])
    assert arriving_by_number(text="PT20260310", actor=online.officer) is None


def test_an_envelope_the_courier_lost_is_told_and_may_turn_up(online: Online) -> None:
    keys = online.keys()
    parcel = online.announced()
    report_lost(parcel=parcel, actor=online.officer, now=LATER)
    assert online.places() == [("lost", parcel.pk)] * 2
    receive(online, parcel, keys)
    assert online.places() == [("office", online.office.pk)] * 2


def test_the_applicant_pays_by_the_rule_and_the_charge_says_so(online: Online) -> None:
    parcel = online.announced()
    work()
    charge = Charge.objects.get()
    assert (charge.parcel, charge.amount_fen, charge.centre, charge.rule_code) == (
        parcel,
        0,
        None,
        "online_application",
    )
    assert charge.words == "寄付现结，由申请人承担：网办材料寄送（莆田 §五(七)）"
    receive(online, parcel, online.keys())
    work()
    assert Charge.objects.count() == 1


def test_where_the_centres_policy_pays_it_is_weighed_on_arrival_and_charged_by_contract(
    online: Online,
) -> None:
    online.office_pays()
    add_tariff(tariff=tariff_of(online.office.centre, carrier="neutral"), actor=SYSTEM, now=NOW)
    keys = online.keys()
    with pytest.raises(Refused, match=f"邮费由{online.office.centre.name}承担，请交由中性快递寄送"):
        online.announced(carrier=online.elsewhere)
    parcel = online.announced()
    work()
    assert not Charge.objects.exists()  # nobody has weighed it
    with pytest.raises(Refused, match="请称重"):
        receive(online, parcel, keys)
    receive(online, parcel, keys, weight_g=320)
    work()
    charge = Charge.objects.get()
    assert (charge.amount_fen, charge.centre, charge.office, charge.term) == (
        1100,
        online.office.centre,
        online.office,
        "collect",
    )


def test_an_unannounced_one_that_the_centre_pays_for_is_charged_by_its_label(online: Online) -> None:
    online.office_pays()
    add_tariff(tariff=tariff_of(online.office.centre, carrier="neutral"), actor=SYSTEM, now=NOW)
    told = CourierWord(NUMBER, online.account.carrier)
    with pytest.raises(Refused, match="请称重"):
        receive_unannounced(
            case=online.case, ticked=online.keys(), told=told, actor=online.officer, now=LATER
        )
    assert not Parcel.objects.exists()
    receive_unannounced(
        case=online.case, ticked=online.keys(), told=told, weight_g=320, actor=online.officer, now=LATER
    )
    work()
    assert Charge.objects.get().amount_fen == 1100


def test_paper_and_result_travel_both_ways_by_courier(online: Online) -> None:
    keys = online.keys()
    receive(online, online.announced(), keys)
    online.accepted()
    decide(handling=online.handling, approved=True, result_name="凭证", actor=online.officer, now=LATER)
    for leg, kind in ((Leg.RESULT, "result"), (Leg.ORIGINAL_RETURN, "material")):
        going = online.case.originals.filter(kind=kind)
        parcel = pack(
            leg=leg,
            sender=online.office,
            receiver=online.case,
            originals=going,
            actor=online.officer,
            now=LATER,
        )
        seal_parcel(parcel=parcel, weight_g=90, actor=online.officer, now=LATER)
        waybill = order_waybill(
            parcel=parcel, carrier=online.account.carrier, actor=online.officer, now=LATER
        )
        assert (waybill.term, waybill.account) == ("sender_monthly", online.account)
        hand_over(token=parcel.token_text, actor=online.officer, now=LATER)
        Parcel.objects.filter(pk=parcel.pk).update(state=ParcelState.DELIVERED, delivered_at=LATER)
        parcel.refresh_from_db()
        confirm_delivery(parcel=parcel, actor=online.officer, now=LATER)
    assert set(online.case.originals.values_list("place", flat=True)) == {"applicant"}
    assert not online.keys()  # what came back is not waited for


def test_what_was_called_off_costs_nothing(online: Online) -> None:
    parcel = online.announced()
    work()
    call_off(parcel=parcel, actor=online.officer, now=LATER)
    work()
    assert not Charge.objects.standing().exists()
