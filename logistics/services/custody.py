"""交接: who holds an original, moved only by a scan, a ticked list, a signature or a report."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from ingest.models import Original
from logistics.models import CustodyEvent, HandoverList, Parcel, ParcelItem, Waybill
from logistics.rules.parcels import (
    IncidentKind,
    NotNow,
    Party,
    WaybillState,
    compare_contents,
    scan_moment,
    target,
)
from logistics.services.announcing import back_to_applicant
from logistics.services.ends import is_receiver, is_sender, place_of
from logistics.services.incidents import end_told, open_incident
from logistics.services.listed import must_be_on_no_list
from logistics.services.moving import move_original
from logistics.services.parcels import check_still_as_chosen, move_state, record_parcel
from logistics.services.tracking import follow_courier, is_reported_delivered
from logistics.services.weighing import weigh_on_arrival
from registry.actors import Actor
from registry.permissions import NotYours, check_may, yours
from registry.tokens import Purpose, check
from storage.models import StoredObject

Proof = CustodyEvent.Proof


def parcel_by_token(token: str) -> Parcel:
    """The parcel whose QR code was scanned. Raises ForeignCode, ForgedCode or WrongPurpose; NotYours when unknown."""
    return yours(Parcel.objects.filter(code=check(token, purpose=Purpose.PARCEL).identifier))


def hand_over(*, token: str, actor: Actor, now: datetime, photo: StoredObject | None = None) -> Parcel:
    """The courier takes the parcel, proved by scanning its QR code: from here its originals are in the parcel."""
    parcel = parcel_by_token(token)
    check_may(actor, "parcel.hand_over", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
    must_be_on_no_list(parcel)
    give_to_courier(parcel=parcel, at=now, photo=photo, actor=actor, now=now)
    return parcel


def hand_over_later(*, token: str, scanned_at: datetime, actor: Actor, now: datetime) -> Parcel:
    """A scan that was kept while the network was away: the parcel left at `scanned_at`, we learn of it now.

    The same scan delivered again, or one made beside it, changes nothing.
    """
    parcel = parcel_by_token(token)
    check_may(actor, "parcel.hand_over", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
    if parcel.handed_over_at is None:
        at = scan_moment(scanned_at, sealed_at=parcel.sealed_at, now=now)
        must_be_on_no_list(parcel)
        give_to_courier(parcel=parcel, at=at, actor=actor, now=now)
    return parcel


def give_to_courier(
    *,
    parcel: Parcel,
    at: datetime,
    actor: Actor,
    now: datetime,
    photo: StoredObject | None = None,
    handover: HandoverList | None = None,
) -> None:
    """The one way a parcel leaves: by its own scan, or by the collector's signature under a list."""
    target("hand_over", parcel.state)
    if at == now:
        # A scan that is told later has happened: there is nothing left to stop.
        check_still_as_chosen(parcel)
    with transaction.atomic():
        if not Waybill.objects.filter(parcel=parcel, state=WaybillState.BOOKED).exists():
            raise NotNow("parcel_no_waybill", "该寄件还没有运单，请先下单并贴好面单再交寄。")
        move_state(parcel, "hand_over", handed_over_at=at)
        for item in _contents(parcel):
            move_original(
                original=item.original,
                to_place=Original.Place.PARCEL,
                to_id=parcel.pk,
                proof=Proof.SIGNATURE if handover else Proof.SCAN,
                parcel=parcel,
                photo=photo,
                handover=handover,
                actor=actor,
                now=now,
                at=at,
            )
        scanned = {"scanned_at": at.isoformat()} if at != now else {}
        record_parcel(parcel, "parcel.handed_over", actor=actor, now=now, data={"leg": parcel.leg, **scanned})
        follow_courier(parcel=parcel, actor=actor, now=now)  # the courier's scan may have come first


def receive_parcel(
    *,
    parcel: Parcel,
    ticked: Iterable[int],
    actor: Actor,
    now: datetime,
    damaged: Iterable[int] = (),
    extra: int = 0,
    weight_g: int | None = None,
    photo: StoredObject | None = None,
) -> None:
    """The receiver ticks the packing list: `ticked` and `damaged` are ids of originals, `extra` counts things not on it.

    What is there, damaged or not, is now at the receiver. What is missing stays in the parcel, and each missing or
    damaged original, and anything extra, opens an incident. What was written off with the parcel may be ticked too: it
    is found again; not ticked it stays written off. `weight_g`: what an applicant sends is weighed here where a centre
    pays for it.
    """
    check_may(actor, "parcel.receive", parcel)
    if not is_receiver(actor, parcel) or parcel.receiver_kind == Party.APPLICANT:
        raise NotYours
    with transaction.atomic():
        items = {item.original_id: item for item in arriving_items(parcel)}
        found = compare_contents(items, ticked, extra=extra, damaged=damaged)
        missing = [pk for pk in sorted(found.missing) if items[pk].holds]
        weigh_on_arrival(parcel=parcel, weight_g=weight_g, now=now)
        move_state(parcel, "receive", received_at=now, ended_at=now)
        for pk in sorted(found.present):
            _arrive(
                items[pk],
                parcel,
                proof=Proof.TICK,
                photo=photo,
                actor=actor,
                now=now,
                damaged=pk in found.damaged,
            )
        for pk in missing:
            items[pk].finding, items[pk].checked_at = ParcelItem.Finding.MISSING, now
            items[pk].save(update_fields=["finding", "checked_at"])
            open_incident(
                kind=IncidentKind.MISSING_ITEM,
                parcel=parcel,
                original=items[pk].original,
                actor=actor,
                now=now,
            )
        if found.extra:
            open_incident(kind=IncidentKind.EXTRA_ITEM, parcel=parcel, actor=actor, now=now)
        _no_longer_lost(parcel, "寄件已到，按清单签收核对。", actor, now)
        _no_longer_chased(parcel, actor, now)
        _end_waybills(parcel, now)
        record_parcel(
            parcel,
            "parcel.received",
            actor=actor,
            now=now,
            data={
                "leg": parcel.leg,
                "present": sorted(found.present),
                "damaged": sorted(found.damaged),
                "missing": missing,
                "written_off": [pk for pk in sorted(found.missing) if not items[pk].holds],
                "extra": found.extra,
            },
        )


def find_missing(
    *,
    item: ParcelItem,
    actor: Actor,
    now: datetime,
    photo: StoredObject | None = None,
    with_applicant: bool = False,
) -> None:
    """A missing original turned up: at the receiver after all, or at the sender, who had never put it into the envelope.

    Where the sender is an applicant, the receiver says so for them (`with_applicant`), and it is waited for again.
    """
    check_may(actor, "parcel.receive", item.parcel)
    parcel = item.parcel
    at_receiver = is_receiver(actor, parcel)
    if not at_receiver and not is_sender(actor, parcel):
        raise NotYours
    if item.finding != ParcelItem.Finding.MISSING or not item.holds:
        raise NotNow("item_not_missing", "该原件没有登记为缺失。")
    if with_applicant and not parcel.is_from_applicant:
        raise NotNow("item_not_applicants", "该寄件不是申请人寄来的，不能登记为仍在申请人处。")
    with transaction.atomic():
        if with_applicant:
            found = "仍在申请人处，没有装入寄件。"
            back_to_applicant(item, actor=actor, now=now)
        elif at_receiver:
            found = "收件方已找到。"
            _arrive(item, parcel, proof=Proof.TICK, photo=photo, actor=actor, now=now)
        else:
            found = "寄件方已找到，没有装入寄件。"
            place = place_of(parcel.sender_kind)
            _leave(item, parcel, place, parcel.sender_id, Proof.TICK, photo, actor, now)
        end_told(
            kind=IncidentKind.MISSING_ITEM,
            parcel=parcel,
            original=item.original,
            resolution=found,
            actor=actor,
            now=now,
        )
        record_parcel(parcel, "parcel.item_found", actor=actor, now=now, data={"original": item.original_id})


def confirm_delivery(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """A parcel to an applicant counts as handed over once the courier reported delivery; nobody ticks a list there."""
    check_may(actor, "parcel.receive", parcel)
    if parcel.receiver_kind != Party.APPLICANT or not is_sender(actor, parcel):
        raise NotYours
    if not is_reported_delivered(parcel):
        raise NotNow("parcel_not_delivered", "承运商尚未报告送达，不能确认申请人已收到。")
    with transaction.atomic():
        items = arriving_items(parcel)
        move_state(parcel, "receive", received_at=now, ended_at=now)
        for item in items:
            _arrive(item, parcel, proof=Proof.REPORT, photo=None, actor=actor, now=now)
        _no_longer_lost(parcel, "承运商已送达，申请人已收到。", actor, now)
        _end_waybills(parcel, now)
        record_parcel(
            parcel,
            "parcel.received",
            actor=actor,
            now=now,
            data={
                "leg": parcel.leg,
                "present": [item.original_id for item in items],
                "missing": [],
                "extra": 0,
            },
        )


def take_back(*, token: str, actor: Actor, now: datetime, photo: StoredObject | None = None) -> Parcel:
    """A returned parcel is in the sender's hands again, proved by scanning it: the originals are back too."""
    parcel = parcel_by_token(token)
    check_may(actor, "parcel.hand_over", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
    with transaction.atomic():
        items = arriving_items(parcel)
        move_state(parcel, "take_back", ended_at=now)
        for item in items:
            _leave(
                item, parcel, place_of(parcel.sender_kind), parcel.sender_id, Proof.SCAN, photo, actor, now
            )
        _no_longer_lost(parcel, "寄件已退回寄件方。", actor, now)
        _end_waybills(parcel, now)
        record_parcel(parcel, "parcel.returned", actor=actor, now=now, data={"leg": parcel.leg})
    return parcel


def report_lost(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """A person, not the courier, says that the parcel is lost. It may still be received should it turn up."""
    check_may(actor, "incident.report", parcel)
    with transaction.atomic():
        move_state(parcel, "report_lost")
        for item in _contents(parcel):
            move_original(
                original=item.original,
                to_place=Original.Place.LOST,
                to_id=parcel.pk,
                proof=Proof.REPORT,
                parcel=parcel,
                actor=actor,
                now=now,
            )
        open_incident(kind=IncidentKind.LOST, parcel=parcel, actor=actor, now=now)
        record_parcel(parcel, "parcel.lost", actor=actor, now=now, data={"leg": parcel.leg})


def _contents(parcel: Parcel) -> list[ParcelItem]:
    return list(parcel.items.filter(holds=True).select_related("original__case"))


def arriving_items(parcel: Parcel) -> list[ParcelItem]:
    """What may come out of the envelope: what it holds, and what was written off with it and lies in it after all."""
    gone = Q(original__place=Original.Place.GONE, original__place_id=parcel.pk)
    inside = parcel.items.filter(Q(holds=True) | gone).select_related("original__case__item")
    return list(inside.order_by("pk"))


def elsewhere_items(parcel: Parcel) -> list[ParcelItem]:
    """What was packed and cannot come out of the envelope any more: found in another place after it was written off."""
    inside = [item.pk for item in arriving_items(parcel)]
    return list(parcel.items.exclude(pk__in=inside).select_related("original__case__item"))


def _arrive(
    item: ParcelItem,
    parcel: Parcel,
    *,
    proof: CustodyEvent.Proof,
    photo: StoredObject | None,
    actor: Actor,
    now: datetime,
    damaged: bool = False,
) -> None:
    item.finding = ParcelItem.Finding.DAMAGED if damaged else ParcelItem.Finding.PRESENT
    item.checked_at = now
    if damaged:
        open_incident(kind=IncidentKind.DAMAGED, parcel=parcel, original=item.original, actor=actor, now=now)
    _leave(item, parcel, place_of(parcel.receiver_kind), parcel.receiver_id, proof, photo, actor, now)


def _leave(
    item: ParcelItem,
    parcel: Parcel,
    to_place: str,
    to_id: int,
    proof: CustodyEvent.Proof,
    photo: StoredObject | None,
    actor: Actor,
    now: datetime,
) -> None:
    item.holds = False
    item.save(update_fields=["holds", "finding", "checked_at"])
    move_original(
        original=item.original,
        to_place=to_place,
        to_id=to_id,
        proof=proof,
        parcel=parcel,
        photo=photo,
        actor=actor,
        now=now,
    )


def _no_longer_lost(parcel: Parcel, resolution: str, actor: Actor, now: datetime) -> None:
    """Whoever looked for the parcel need not look any longer; what of it is missing has incidents of its own."""
    end_told(kind=IncidentKind.LOST, parcel=parcel, resolution=resolution, actor=actor, now=now)


def _no_longer_chased(parcel: Parcel, actor: Actor, now: datetime) -> None:
    """It was opened, and nothing in it moved: whoever was to see to it has; what is missing has incidents of its own."""
    end_told(
        kind=IncidentKind.OVERDUE,
        parcel=parcel,
        resolution="寄件已签收核对，缺件另行登记。",
        actor=actor,
        now=now,
    )


def _end_waybills(parcel: Parcel, now: datetime) -> None:
    parcel.waybills.filter(state=WaybillState.BOOKED, ended_at__isnull=True).update(ended_at=now)
