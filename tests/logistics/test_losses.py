"""报失核销: declared by one, confirmed by another, told to the applicant, and found again after all."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from ingest.models import Case, Original
from ingest.rules import CaseState
from ingest.services.delivery import close
from logistics.models import CustodyEvent, Incident, Loss, Parcel, ParcelItem
from logistics.rules.losses import STEPS, LossState, Remedy, loss_target
from logistics.rules.parcels import IncidentKind, NotNow, ParcelState
from logistics.services.custody import (
    arriving_items,
    elsewhere_items,
    find_missing,
    receive_parcel,
    report_lost,
    take_back,
)
from logistics.services.endings import hand_to_applicant
from logistics.services.losses import confirm_loss, declare_lost, find_lost, send_back_loss
from logistics.services.parcels import seal_parcel
from logistics.services.whereabouts import where_is
from registry.actors import SYSTEM
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, person
from tests.logistics.road import Road
from workers.work.parcels import close_delivered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
ARRIVED = NOW + timedelta(hours=20)
SEARCHED = ARRIVED + timedelta(days=1)
LATER = SEARCHED + timedelta(hours=2)


@pytest.fixture
def parcel(road: Road) -> Parcel:
    return road.on_the_road(road.booked())


@pytest.fixture
def missing(road: Road, parcel: Parcel) -> Original:
    """The second original was not in the envelope."""
    here, gone = road.originals
    receive_parcel(parcel=parcel, ticked=[here.pk], actor=road.cast.officer, now=ARRIVED)
    return fresh(gone)


def fresh(original: Original) -> Original:
    return Original.objects.select_related("case", "handling").get(pk=original.pk)


def declared(road: Road, original: Original) -> Loss:
    return declare_lost(
        original=original,
        reason="两处办公室和承运商网点均已查找",
        remedy=Remedy.REPLACED,
        done="已陪同申请人向发证机关申请补办",
        actor=road.cast.clerk,
        now=SEARCHED,
    )


def written_off(road: Road, original: Original) -> Loss:
    loss = declared(road, original)
    confirm_loss(loss=loss, actor=road.cast.officer, now=LATER)
    return loss


def test_every_arrow_of_the_table_and_no_other() -> None:
    for step in STEPS:
        for state in LossState.values():
            if state in step.sources:
                assert loss_target(step.act, state) == step.target
            else:
                with pytest.raises(NotNow, match="刷新页面"):
                    loss_target(step.act, state)


def test_one_declares_another_confirms_and_the_way_ends(
    road: Road, parcel: Parcel, missing: Original
) -> None:
    loss = declared(road, missing)
    assert fresh(missing).place == Original.Place.PARCEL, "nothing moved before a second person agreed"
    confirm_loss(loss=loss, actor=road.cast.officer, now=LATER)
    gone = fresh(missing)
    assert (gone.place, gone.place_id) == (Original.Place.GONE, parcel.pk)
    assert not ParcelItem.objects.get(original=missing).holds
    last = CustodyEvent.objects.filter(original=missing).latest("sequence")
    assert (last.from_place, last.to_place, last.by_label) == ("parcel", "gone", "officer")
    incident = Incident.objects.get()
    assert (incident.state, incident.resolution) == (Incident.State.RESOLVED, "未找到，已报失核销。")
    loss.refresh_from_db()
    assert (loss.state, loss.incident, loss.decided_label) == (LossState.CONFIRMED, incident, "officer")
    kinds = set(Event.objects.filter(case_number=road.case.number).values_list("kind", flat=True))
    assert {"loss.declared", "loss.confirmed", "incident.resolved"} <= kinds
    found = where_is(original_id=missing.pk, actor=road.cast.clerk)
    assert (found.place_label, found.parcel_number) == ("报失核销", parcel.number)
    assert not list(verify_chains())


def test_nobody_confirms_what_they_declared(road: Road, missing: Original) -> None:
    loss = declared(road, missing)
    with pytest.raises(NotNow, match="另一人复核"):
        confirm_loss(loss=loss, actor=road.cast.clerk, now=LATER)
    with pytest.raises(NotNow, match="另一人复核"):
        send_back_loss(loss=loss, words="再找", actor=road.cast.clerk, now=LATER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Loss.objects.filter(pk=loss.pk).update(
            state=LossState.CONFIRMED, decided_by_id=loss.declared_by_id, decided_at=LATER
        )
    colleague = person("colleague", Role.CLERK, window=road.cast.zhuji)
    confirm_loss(loss=loss, actor=colleague, now=LATER)
    assert fresh(missing).place == Original.Place.GONE


def test_nothing_is_written_off_before_it_was_searched_for(road: Road, missing: Original) -> None:
    with pytest.raises(NotNow, match="请先查找"):
        declare_lost(
            original=missing,
            reason="找不到",
            remedy=Remedy.EXPLAINED,
            done="已说明",
            actor=road.cast.clerk,
            now=SEARCHED - timedelta(minutes=1),
        )
    assert not Loss.objects.exists()


def test_only_what_is_missing_and_only_once(road: Road, missing: Original) -> None:
    with pytest.raises(NotNow, match="没有登记为缺失"):
        declared(road, fresh(road.originals[0]))
    declared(road, missing)
    with pytest.raises(NotNow, match="已有人申报"):
        declared(road, missing)


def test_strangers_and_machines_write_nothing_off(road: Road, missing: Original) -> None:
    loss = declared(road, missing)
    for stranger in (road.cast.other_clerk, road.cast.other_officer, road.cast.administrator):
        with pytest.raises(NotYours):
            confirm_loss(loss=loss, actor=stranger, now=LATER)
    with pytest.raises(NotYours):
        confirm_loss(loss=loss, actor=SYSTEM, now=LATER)
    assert fresh(missing).place == Original.Place.PARCEL


def test_a_reason_is_asked_for_and_names_no_numbers_of_persons(road: Road, missing: Original) -> None:
    told = {"original": missing, "remedy": Remedy.EXPLAINED, "actor": road.cast.clerk, "now": SEARCHED}
    with pytest.raises(Refused, match="核销理由"):
        declare_lost(reason=" ", done="已说明", **told)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="请删去后再提交"):
        declare_lost(reason="找不到", done="已致电 13800138000", **told)  # type: ignore[arg-type]


def test_sent_back_it_is_searched_for_and_may_be_declared_again(road: Road, missing: Original) -> None:
    loss = declared(road, missing)
    send_back_loss(loss=loss, words="请再查档案室", actor=road.cast.officer, now=LATER)
    assert (loss.state, fresh(missing).place) == (LossState.RETURNED, Original.Place.PARCEL)
    with pytest.raises(NotNow, match="退回"):
        confirm_loss(loss=loss, actor=road.cast.officer, now=LATER)
    assert declared(road, missing).state == LossState.DECLARED


@pytest.mark.usefixtures("append_only")
def test_what_was_declared_is_not_rewritten(road: Road, missing: Original) -> None:
    loss = declared(road, missing)
    for change in ({"reason": "另一个理由"}, {"remedy": "explained"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Loss.objects.filter(pk=loss.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Loss.objects.filter(pk=loss.pk).delete()


def test_found_before_the_second_word_the_declaration_is_over(
    road: Road, parcel: Parcel, missing: Original
) -> None:
    loss = declared(road, missing)
    find_missing(item=parcel.items.get(original=missing), actor=road.cast.clerk, now=LATER)
    found = fresh(missing)
    assert (found.place, found.place_id) == (Original.Place.WINDOW, road.cast.zhuji.pk), (
        "the sender had never put it into the envelope"
    )
    loss.refresh_from_db()
    assert (loss.state, loss.found_label) == (LossState.FOUND, "clerk")
    with pytest.raises(NotNow):
        confirm_loss(loss=loss, actor=road.cast.officer, now=LATER)
    incident = Incident.objects.get()
    assert (incident.state, incident.resolution) == (
        Incident.State.RESOLVED,
        "寄件方已找到，没有装入寄件。",
    )


def test_found_after_it_was_written_off_it_lies_where_it_was_found(road: Road, missing: Original) -> None:
    loss = written_off(road, missing)
    with pytest.raises(NotYours):
        find_lost(original=fresh(missing), words="在柜中", actor=road.cast.other_clerk, now=LATER)
    find_lost(original=fresh(missing), words="夹在另一袋里", actor=road.cast.clerk, now=LATER)
    found = fresh(missing)
    assert (found.place, found.place_id) == (Original.Place.WINDOW, road.cast.zhuji.pk)
    loss.refresh_from_db()
    assert (loss.state, loss.found_words) == (LossState.FOUND, "夹在另一袋里")
    with pytest.raises(NotNow, match="没有报失核销"):
        find_lost(original=found, words="又一次", actor=road.cast.clerk, now=LATER)
    hand_to_applicant(original=found, actor=road.cast.clerk, now=LATER)
    assert Event.objects.filter(kind="loss.found").count() == 1


def test_a_lost_parcel_is_written_off_paper_by_paper(road: Road, parcel: Parcel) -> None:
    report_lost(parcel=parcel, actor=road.cast.clerk, now=ARRIVED)
    incident = Incident.objects.get(kind=IncidentKind.LOST)
    first, second = (fresh(one) for one in road.originals)
    written_off(road, first)
    incident.refresh_from_db()
    assert incident.state == Incident.State.OPEN, "the other paper is still looked for"
    written_off(road, second)
    incident.refresh_from_db()
    assert incident.state == Incident.State.RESOLVED
    assert not list(verify_chains())


def test_the_lost_parcel_that_arrives_brings_back_what_was_written_off(road: Road, parcel: Parcel) -> None:
    report_lost(parcel=parcel, actor=road.cast.clerk, now=ARRIVED)
    first, second = (fresh(one) for one in road.originals)
    written_off(road, first)
    written_off(road, second)
    receive_parcel(parcel=parcel, ticked=[first.pk], actor=road.cast.officer, now=LATER)
    assert (fresh(first).place, fresh(second).place) == (Original.Place.OFFICE, Original.Place.GONE)
    assert set(Loss.objects.values_list("original_id", "state")) == {
        (first.pk, LossState.FOUND),
        (second.pk, LossState.CONFIRMED),
    }
    missing = Incident.objects.filter(kind=IncidentKind.MISSING_ITEM)
    assert not missing.exists(), "what was written off is not missed a second time"
    assert Incident.objects.get(kind=IncidentKind.LOST).state == Incident.State.RESOLVED
    told = Event.objects.get(kind="parcel.received").data
    assert (told["present"], told["missing"], told["written_off"]) == ([first.pk], [], [second.pk])


def test_a_lost_parcel_that_came_without_it_leaves_nothing_open(road: Road, parcel: Parcel) -> None:
    report_lost(parcel=parcel, actor=road.cast.clerk, now=ARRIVED)
    first, second = (fresh(one) for one in road.originals)
    loss = declared(road, second)
    receive_parcel(parcel=parcel, ticked=[first.pk], actor=road.cast.officer, now=LATER)
    assert {one.kind: one.state for one in Incident.objects.all()} == {
        IncidentKind.LOST: Incident.State.RESOLVED,
        IncidentKind.MISSING_ITEM: Incident.State.OPEN,
    }
    confirm_loss(loss=loss, actor=road.cast.officer, now=LATER)
    assert not Incident.objects.filter(state=Incident.State.OPEN).exists()


def test_the_bag_whose_only_paper_was_found_elsewhere_says_so(road: Road) -> None:
    paper = road.originals[0]
    sealed = road.packed([paper])
    seal_parcel(parcel=sealed, weight_g=80, actor=road.cast.clerk, now=NOW)
    bag = road.on_the_road(road.booked(sealed))
    report_lost(parcel=bag, actor=road.cast.clerk, now=ARRIVED)
    written_off(road, fresh(paper))
    assert [item.original_id for item in arriving_items(bag)] == [paper.pk]
    find_lost(original=fresh(paper), words="没有装进信封", actor=road.cast.clerk, now=LATER)
    assert not arriving_items(bag)
    assert [item.original_id for item in elsewhere_items(bag)] == [paper.pk]
    with pytest.raises(NotNow, match="不在本寄件清单内"):
        receive_parcel(parcel=bag, ticked=[paper.pk], actor=road.cast.officer, now=LATER)
    receive_parcel(parcel=bag, ticked=[], extra=1, actor=road.cast.officer, now=LATER)
    assert fresh(paper).place == Original.Place.WINDOW, "where it is known to lie, it stays"
    assert [one.kind for one in Incident.objects.filter(state=Incident.State.OPEN)] == [
        IncidentKind.EXTRA_ITEM
    ]


def test_the_lost_parcel_that_comes_back_is_the_senders_again(road: Road, parcel: Parcel) -> None:
    report_lost(parcel=parcel, actor=road.cast.clerk, now=ARRIVED)
    written_off(road, fresh(road.originals[0]))
    take_back(token=parcel.token_text, actor=road.cast.clerk, now=LATER)
    assert parcel.items.filter(original__place=Original.Place.WINDOW).count() == len(road.originals)
    assert Parcel.objects.get(pk=parcel.pk).state == ParcelState.RETURNED


def test_a_case_ends_when_its_missing_paper_was_written_off_and_not_before(road: Road) -> None:
    waybill = road.result_on_the_road()
    for paper in road.originals:
        hand_to_applicant(original=fresh(paper), actor=road.cast.clerk, now=NOW)
    report_lost(parcel=waybill.parcel, actor=road.cast.officer, now=ARRIVED)
    Case.objects.filter(pk=road.case.pk).update(state=CaseState.DELIVERING)
    case = Case.objects.get(pk=road.case.pk)
    with pytest.raises(Refused, match="报失核销"):
        close(case=case, actor=road.cast.clerk, now=ARRIVED)
    written_off(road, fresh(waybill.parcel.items.get().original))
    moved = Event.objects.filter(kind="original.moved").latest("pk")
    close_delivered(moved, "", LATER)
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
