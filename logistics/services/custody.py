"""交接: who holds an original, moved only by a scan, a ticked list, a signature or a report."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from ingest.models import Original
from ingest.services.lawful import grant_for
from ingest.services.stops import reach_stop
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
from logistics.services.ends import is_receiver, is_sender, place_of
from logistics.services.incidents import open_incident
from logistics.services.listed import must_be_on_no_list
from logistics.services.parcels import Stale, move_state, record_parcel
from logistics.services.tracking import follow_courier, is_reported_delivered
from registry import events
from registry.actors import Actor
from registry.permissions import NotYours, check_may
from registry.terms import Right
from registry.tokens import Purpose, check
from storage.models import StoredObject

Proof = CustodyEvent.Proof


def parcel_by_token(token: str) -> Parcel:
    """The parcel whose QR code was scanned. Raises ForeignCode, ForgedCode or WrongPurpose; NotYours when unknown."""
    parcel = Parcel.objects.filter(code=check(token, purpose=Purpose.PARCEL).identifier).first()
    if parcel is None:
        raise NotYours
    return parcel


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
    photo: StoredObject | None = None,
) -> None:
    """The receiver ticks the packing list: `ticked` and `damaged` are ids of originals, `extra` counts things not on it.

    What is there, damaged or not, is now at the receiver. What is missing stays in the parcel, and each missing or
    damaged original, and anything extra, opens an incident.
    """
    check_may(actor, "parcel.receive", parcel)
    if not is_receiver(actor, parcel) or parcel.receiver_kind == Party.APPLICANT:
        raise NotYours
    with transaction.atomic():
        items = {item.original_id: item for item in _contents(parcel)}
        found = compare_contents(items, ticked, extra=extra, damaged=damaged)
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
        for pk in sorted(found.missing):
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
                "missing": sorted(found.missing),
                "extra": found.extra,
            },
        )


def find_missing(*, item: ParcelItem, actor: Actor, now: datetime) -> None:
    """A missing original turned up at the receiver after all."""
    check_may(actor, "parcel.receive", item.parcel)
    if not is_receiver(actor, item.parcel):
        raise NotYours
    if item.finding != ParcelItem.Finding.MISSING or not item.holds:
        raise NotNow("item_not_missing", "该原件没有登记为缺失。")
    with transaction.atomic():
        _arrive(item, item.parcel, proof=Proof.TICK, photo=None, actor=actor, now=now)
        record_parcel(
            item.parcel, "parcel.item_found", actor=actor, now=now, data={"original": item.original_id}
        )


def confirm_delivery(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """A parcel to an applicant counts as handed over once the courier reported delivery; nobody ticks a list there."""
    check_may(actor, "parcel.receive", parcel)
    if parcel.receiver_kind != Party.APPLICANT or not is_sender(actor, parcel):
        raise NotYours
    if not is_reported_delivered(parcel):
        raise NotNow("parcel_not_delivered", "承运商尚未报告送达，不能确认申请人已收到。")
    with transaction.atomic():
        items = list(_contents(parcel))
        move_state(parcel, "receive", received_at=now, ended_at=now)
        for item in items:
            _arrive(item, parcel, proof=Proof.REPORT, photo=None, actor=actor, now=now)
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
        items = list(_contents(parcel))
        move_state(parcel, "take_back", ended_at=now)
        for item in items:
            _leave(
                item, parcel, place_of(parcel.sender_kind), parcel.sender_id, Proof.SCAN, photo, actor, now
            )
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


def hand_to_applicant(*, original: Original, actor: Actor, now: datetime) -> None:
    """The applicant takes an original or a result at the window's counter and signs for it.

    A result is handed out under the office's grant `deliver` 审批结果送达权.
    """
    check_may(actor, "case.deliver", original.case)
    if original.place != Original.Place.WINDOW or original.place_id != actor.window_id:
        raise NotNow("original_not_here", f"「{original.name}」不在本窗口，不能当面交付。")
    used: dict[str, int] = {}
    if original.kind == Original.Kind.RESULT:
        case, office = original.case, original.handling.office
        used["grant"] = grant_for(
            right=Right.DELIVER, item=case.item, window=case.window, office=office, now=now
        )
    with transaction.atomic():
        _must_be_free(original)
        move_original(
            original=original,
            to_place=Original.Place.APPLICANT,
            to_id=original.case_id,
            proof=Proof.SIGNATURE,
            actor=actor,
            now=now,
            used=used,
        )


def archive_original(*, original: Original, actor: Actor, now: datetime) -> None:
    """The office keeps an original for good."""
    check_may(actor, "handling.decide", original.handling)
    if original.place != Original.Place.OFFICE or original.place_id != actor.office_id:
        raise NotNow("original_not_here", f"「{original.name}」不在本部门，不能归档。")
    with transaction.atomic():
        _must_be_free(original)
        move_original(
            original=original,
            to_place=Original.Place.ARCHIVE,
            to_id=original.place_id,
            proof=Proof.SIGNATURE,
            actor=actor,
            now=now,
        )


def move_original(
    *,
    original: Original,
    to_place: str,
    to_id: int,
    proof: CustodyEvent.Proof,
    actor: Actor,
    now: datetime,
    parcel: Parcel | None = None,
    photo: StoredObject | None = None,
    handover: HandoverList | None = None,
    used: Mapping[str, int] | None = None,
    at: datetime | None = None,
) -> CustodyEvent:
    """The one way an original changes its place: compare-and-set, a custody row and an event together.

    `used` names the grant that the act rests on, for the event. `at`: when it moved, where we learn of it later.
    """
    came_from, came_from_id = original.place, original.place_id
    changed = Original.objects.filter(pk=original.pk, place=came_from, place_id=came_from_id).update(
        place=to_place, place_id=to_id, moved_at=at or now
    )
    if not changed:
        raise Stale
    if to_place == Original.Place.OFFICE:
        reach_stop(original=original, office_id=to_id, now=now)
    last = CustodyEvent.objects.filter(original=original).order_by("-sequence").first()
    custody = CustodyEvent.objects.create(
        original=original,
        sequence=last.sequence + 1 if last else 1,
        from_place=came_from,
        from_id=came_from_id,
        to_place=to_place,
        to_id=to_id,
        parcel=parcel,
        proof=proof,
        photo=photo,
        handover=handover,
        by_user_id=int(actor.id) if actor.kind == "user" else None,
        by_label=actor.label,
        at=at or now,
    )
    events.record(
        kind="original.moved",
        actor=actor,
        subject=original,
        now=now,
        case_number=original.case.number,
        data={
            "original": original.pk,
            "from": [came_from, came_from_id],
            "to": [str(to_place), to_id],
            "proof": proof.value,
            "parcel": parcel.number if parcel else "",
            **({"handover": handover.number} if handover else {}),
            **(used or {}),
        },
    )
    original.refresh_from_db(fields=["place", "place_id", "moved_at"])
    return custody


def _contents(parcel: Parcel) -> list[ParcelItem]:
    return list(parcel.items.filter(holds=True).select_related("original__case"))


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


def _end_waybills(parcel: Parcel, now: datetime) -> None:
    parcel.waybills.filter(state=WaybillState.BOOKED, ended_at__isnull=True).update(ended_at=now)


def _must_be_free(original: Original) -> None:
    if ParcelItem.objects.filter(original=original, holds=True).exists():
        raise NotNow("original_packed", f"「{original.name}」已装入寄件，请先从清单中取出。")
