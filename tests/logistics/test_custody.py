"""Who holds an original: moved by scans and ticks, at one place always, found in one query."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from ingest.models import Original
from logistics.models import CustodyEvent, Incident, Parcel, ParcelItem
from logistics.rules.parcels import IncidentKind, NotNow, ParcelState
from logistics.rules.payers import Leg
from logistics.services.custody import (
    find_missing,
    hand_over,
    hand_over_later,
    receive_parcel,
    report_lost,
    take_back,
)
from logistics.services.endings import archive_original, hand_to_applicant
from logistics.services.incidents import resolve_incident
from logistics.services.parcels import add_originals, pack, seal_parcel
from logistics.services.whereabouts import where_is
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from registry.tokens import ForeignCode, ForgedCode, Purpose, WrongPurpose, mint
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(hours=20)


@pytest.fixture
def parcel(road: Road) -> Parcel:
    return road.on_the_road(road.booked())


def places(road: Road) -> list[tuple[str, int]]:
    return list(road.case.originals.order_by("pk").values_list("place", "place_id"))


def check_chain(original: Original) -> None:
    """The custody rows of an original follow each other without a gap and end where it is."""
    steps = list(CustodyEvent.objects.filter(original=original).order_by("sequence"))
    assert [step.sequence for step in steps] == list(range(1, len(steps) + 1))
    for before, after in pairwise(steps):
        assert (before.to_place, before.to_id) == (after.from_place, after.from_id)
    original.refresh_from_db()
    if steps:
        assert (steps[-1].to_place, steps[-1].to_id) == (original.place, original.place_id)


def test_the_scan_at_hand_over_moves_the_originals_into_the_parcel(road: Road) -> None:
    waybill = road.booked()
    assert places(road) == [("window", road.cast.zhuji.pk)] * 2
    parcel = road.on_the_road(waybill)
    assert places(road) == [("parcel", parcel.pk)] * 2
    assert parcel.state == ParcelState.HANDED_OVER
    proofs = CustodyEvent.objects.values_list("proof", "by_label")
    assert list(proofs) == [("scan", "clerk")] * 2


def test_a_second_scan_has_no_second_effect(road: Road, parcel: Parcel) -> None:
    before = (Event.objects.count(), CustodyEvent.objects.count())
    with pytest.raises(NotNow, match="已交寄"):
        hand_over(token=parcel.token_text, actor=road.cast.clerk, now=LATER)
    assert (Event.objects.count(), CustodyEvent.objects.count()) == before


def test_a_scan_kept_offline_counts_once_and_from_when_it_was_made(road: Road) -> None:
    token = road.booked().parcel.token_text
    scanned_at = NOW + timedelta(hours=1)
    for delivered_at in (LATER, LATER + timedelta(minutes=1)):
        parcel = hand_over_later(token=token, scanned_at=scanned_at, actor=road.cast.clerk, now=delivered_at)
    assert (parcel.state, parcel.handed_over_at) == (ParcelState.HANDED_OVER, scanned_at)
    assert set(CustodyEvent.objects.values_list("at", flat=True)) == {scanned_at}
    event = Event.objects.get(kind="parcel.handed_over")
    assert (event.at, event.data["scanned_at"]) == (LATER, scanned_at.isoformat())
    assert not list(verify_chains())


def test_a_scan_beside_the_kept_one_is_no_second_hand_over(road: Road) -> None:
    token = road.booked().parcel.token_text
    hand_over(token=token, actor=road.cast.clerk, now=LATER)
    parcel = hand_over_later(
        token=token, scanned_at=LATER - timedelta(hours=1), actor=road.cast.clerk, now=LATER
    )
    assert parcel.handed_over_at == LATER
    assert Event.objects.filter(kind="parcel.handed_over").count() == 1


@pytest.mark.parametrize(
    ("scanned_at", "reason"),
    [
        (LATER - timedelta(days=4), "时间不可信"),
        (LATER + timedelta(hours=1), "时间不可信"),
        (NOW - timedelta(hours=1), "拆封过"),
    ],
)
def test_a_moment_that_nobody_vouches_for_is_refused(road: Road, scanned_at: datetime, reason: str) -> None:
    token = road.booked().parcel.token_text
    with pytest.raises(NotNow, match=reason):
        hand_over_later(token=token, scanned_at=scanned_at, actor=road.cast.clerk, now=LATER)
    with pytest.raises(NotYours):
        hand_over_later(token=token, scanned_at=LATER, actor=road.cast.officer, now=LATER)
    assert not CustodyEvent.objects.exists()


def test_only_our_own_parcel_codes_move_anything(road: Road) -> None:
    waybill = road.booked()
    token = waybill.parcel.token_text
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    for text, fault in [
        (forged, ForgedCode),
        ("SF7444407228423", ForeignCode),
        (mint(Purpose.CASE).text, WrongPurpose),
        (mint(Purpose.PARCEL).text, NotYours),
    ]:
        with pytest.raises(fault):
            hand_over(token=text, actor=road.cast.clerk, now=NOW)
    assert places(road) == [("window", road.cast.zhuji.pk)] * 2


def test_only_the_sender_hands_over(road: Road) -> None:
    token = road.booked().parcel.token_text
    for stranger in (road.cast.other_clerk, road.cast.officer, road.cast.administrator):
        with pytest.raises(NotYours):
            hand_over(token=token, actor=stranger, now=NOW)


def test_no_hand_over_of_an_open_parcel_or_without_a_waybill(road: Road) -> None:
    parcel = road.packed()
    with pytest.raises(NotNow, match="装件中"):
        hand_over(token=parcel.token_text, actor=road.cast.clerk, now=NOW)
    seal_parcel(parcel=parcel, weight_g=100, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="还没有运单"):
        hand_over(token=parcel.token_text, actor=road.cast.clerk, now=NOW)
    assert places(road) == [("window", road.cast.zhuji.pk)] * 2


def test_receipt_moves_what_was_ticked_to_the_office(road: Road, parcel: Parcel) -> None:
    receive_parcel(
        parcel=parcel, ticked=[one.pk for one in road.originals], actor=road.cast.officer, now=LATER
    )
    assert places(road) == [("office", road.cast.taizhou.pk)] * 2
    assert parcel.state == ParcelState.RECEIVED
    assert not ParcelItem.objects.filter(holds=True).exists()
    assert not Incident.objects.exists()
    for original in road.originals:
        check_chain(original)
    received = Event.objects.get(kind="parcel.received")
    assert received.case_number == road.case.number
    assert received.data["present"] == sorted(one.pk for one in road.originals)
    assert not list(verify_chains())


def test_a_damaged_original_arrives_and_opens_an_incident_of_its_own(road: Road, parcel: Parcel) -> None:
    whole, torn = road.originals
    receive_parcel(parcel=parcel, ticked=[whole.pk], damaged=[torn.pk], actor=road.cast.officer, now=LATER)
    assert places(road) == [("office", road.cast.taizhou.pk)] * 2
    assert dict(ParcelItem.objects.values_list("original_id", "finding")) == {
        whole.pk: "present",
        torn.pk: "damaged",
    }
    incident = Incident.objects.get()
    assert (incident.kind, incident.original_id) == (IncidentKind.DAMAGED.value, torn.pk)
    assert (incident.owner_kind, incident.owner_id) == ("window", road.cast.zhuji.pk)
    assert Event.objects.get(kind="parcel.received").data["damaged"] == [torn.pk]


def test_two_cases_in_one_bag_are_compared_each_by_itself(road: Road) -> None:
    first, second = road.originals, road.another_case()
    bag = road.packed()
    add_originals(parcel=bag, originals=second, actor=road.cast.clerk, now=NOW)
    seal_parcel(parcel=bag, weight_g=640, actor=road.cast.clerk, now=NOW)
    bag = road.on_the_road(road.booked(bag))
    ticked = [one.pk for one in (*first, second[0])]
    receive_parcel(parcel=bag, ticked=ticked, actor=road.cast.officer, now=LATER)
    incident = Incident.objects.get()
    assert (incident.kind, incident.original) == (IncidentKind.MISSING_ITEM.value, second[1])
    opened = Event.objects.get(kind="incident.opened")
    assert opened.case_number == second[1].case.number != road.case.number
    received = Event.objects.get(kind="parcel.received")
    assert received.data["cases"] == sorted({road.case.number, second[0].case.number})
    for original in (*first, *second):
        check_chain(original)


def test_all_of_a_case_join_the_bag_or_none(road: Road) -> None:
    bag, (mine, other) = road.packed(), road.another_case()
    Original.objects.filter(pk=other.pk).update(place_id=road.cast.taizhou_window.pk)
    with pytest.raises(NotNow, match="不在寄件方手中"):
        add_originals(parcel=bag, originals=[mine, other], actor=road.cast.clerk, now=NOW)
    assert bag.items.count() == len(road.originals)


def test_a_missing_item_stays_in_the_parcel_and_opens_an_incident(road: Road, parcel: Parcel) -> None:
    here, gone = road.originals
    receive_parcel(parcel=parcel, ticked=[here.pk], extra=1, actor=road.cast.officer, now=LATER)
    gone.refresh_from_db()
    assert (gone.place, gone.place_id) == ("parcel", parcel.pk)
    kinds = set(Incident.objects.values_list("kind", "original_id"))
    assert kinds == {(IncidentKind.MISSING_ITEM.value, gone.pk), (IncidentKind.EXTRA_ITEM.value, None)}
    incident = Incident.objects.get(kind=IncidentKind.MISSING_ITEM.value)
    assert (incident.owner_kind, incident.owner_id) == ("window", road.cast.zhuji.pk)
    assert incident.due_at == LATER + timedelta(days=1)
    find_missing(item=parcel.items.get(original=gone), actor=road.cast.officer, now=LATER)
    check_chain(gone)
    assert gone.place == "office"
    incident.refresh_from_db()
    assert (incident.state, incident.resolution) == (Incident.State.RESOLVED, "收件方已找到。")
    with pytest.raises(Refused, match="他人处理"):
        resolve_incident(incident=incident, resolution="在夹层中找到", actor=road.cast.officer, now=LATER)
    extra = Incident.objects.get(kind=IncidentKind.EXTRA_ITEM.value)
    resolve_incident(incident=extra, resolution="退还寄件窗口", actor=road.cast.officer, now=LATER)


def test_a_tick_for_something_that_is_not_listed_changes_nothing(road: Road, parcel: Parcel) -> None:
    with pytest.raises(NotNow, match="不在本寄件清单"):
        receive_parcel(parcel=parcel, ticked=[999_999], actor=road.cast.officer, now=LATER)
    assert places(road) == [("parcel", parcel.pk)] * 2


def test_only_the_receiver_ticks(road: Road, parcel: Parcel) -> None:
    for stranger in (road.cast.clerk, road.cast.other_officer, road.cast.finance):
        with pytest.raises(NotYours):
            receive_parcel(parcel=parcel, ticked=[], actor=stranger, now=LATER)


def test_a_returned_parcel_is_back_when_the_sender_scans_it(road: Road, parcel: Parcel) -> None:
    take_back(token=parcel.token_text, actor=road.cast.clerk, now=LATER)
    assert places(road) == [("window", road.cast.zhuji.pk)] * 2
    for original in road.originals:
        check_chain(original)
    assert road.packed().state == ParcelState.PACKING


def test_a_lost_parcel_may_still_turn_up(road: Road, parcel: Parcel) -> None:
    report_lost(parcel=parcel, actor=road.cast.clerk, now=LATER)
    assert places(road) == [("lost", parcel.pk)] * 2
    receive_parcel(
        parcel=parcel, ticked=[one.pk for one in road.originals], actor=road.cast.officer, now=LATER
    )
    assert places(road) == [("office", road.cast.taizhou.pk)] * 2
    for original in road.originals:
        check_chain(original)


def test_originals_end_with_the_applicant_or_in_the_archive(road: Road, parcel: Parcel) -> None:
    receive_parcel(
        parcel=parcel, ticked=[one.pk for one in road.originals], actor=road.cast.officer, now=LATER
    )
    kept = Original.objects.get(pk=road.originals[0].pk)
    archive_original(original=kept, actor=road.cast.officer, now=LATER)
    assert kept.place == "archive"
    with pytest.raises(NotNow):
        archive_original(original=kept, actor=road.cast.officer, now=LATER)
    road.decided()
    back = pack(
        leg=Leg.ORIGINAL_RETURN,
        sender=road.cast.taizhou,
        receiver=road.cast.zhuji,
        originals=[Original.objects.get(pk=road.originals[1].pk)],
        actor=road.cast.officer,
        now=LATER,
    )
    assert back.state == ParcelState.PACKING
    check_chain(kept)


def test_over_the_counter(road: Road) -> None:
    original = road.originals[0]
    with pytest.raises(NotYours):
        hand_to_applicant(original=original, actor=road.cast.other_clerk, now=NOW)
    hand_to_applicant(original=original, actor=road.cast.clerk, now=NOW)
    assert (original.place, original.place_id) == ("applicant", road.case.pk)
    check_chain(original)


def test_packed_paper_is_not_handed_over_the_counter(road: Road) -> None:
    road.packed()
    with pytest.raises(NotNow, match="已装入寄件"):
        hand_to_applicant(original=road.originals[0], actor=road.cast.clerk, now=NOW)


def test_where_is_it_in_one_query(
    road: Road, parcel: Parcel, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pk = road.originals[0].pk
    with django_assert_num_queries(1):
        found = where_is(original_id=pk, actor=road.cast.clerk)
    assert (found.place, found.at_name, found.parcel_number) == ("parcel", parcel.number, parcel.number)
    assert found.waybill_number == parcel.waybills.get().number
    assert (found.by, found.proof) == ("clerk", "扫码")
    receive_parcel(
        parcel=parcel, ticked=[one.pk for one in road.originals], actor=road.cast.officer, now=LATER
    )
    found = where_is(original_id=pk, actor=road.cast.officer)
    assert (found.at_name, found.parcel_number, found.waybill_number) == (road.cast.taizhou.name, "", "")
    with pytest.raises(NotYours):
        where_is(original_id=pk, actor=road.cast.other_officer)


def test_the_database_itself_keeps_an_original_in_one_parcel(road: Road, parcel: Parcel) -> None:
    other = Parcel.objects.create(
        number="P-other",
        code=mint(Purpose.PARCEL).identifier,
        leg=Leg.MATERIALS.value,
        sender_kind="window",
        sender_id=road.cast.zhuji.pk,
        receiver_kind="office",
        receiver_id=road.cast.taizhou.pk,
        created_at=NOW,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        ParcelItem.objects.create(parcel=other, original=road.originals[0], added_at=NOW)
    last = CustodyEvent.objects.filter(original=road.originals[0]).latest("sequence")
    with pytest.raises(IntegrityError), transaction.atomic():
        CustodyEvent.objects.create(
            original=last.original,
            sequence=last.sequence,
            from_place="parcel",
            from_id=1,
            to_place="office",
            to_id=1,
            proof="scan",
            by_label="x",
            at=NOW,
        )
