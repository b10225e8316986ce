"""寄件: packing, sealing and giving up a parcel."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from ingest.models import Handling, Original
from ingest.rules import HandlingState
from ingest.services.stops import deliverer, onward
from logistics.models import Parcel, ParcelItem
from logistics.models.waybills import LIVING
from logistics.rules.parcels import (
    INBOUND,
    NotNow,
    ParcelState,
    Party,
    check_destination,
    check_ends,
    check_release,
    check_weight,
    target,
)
from logistics.rules.payers import Leg
from logistics.services.ends import End, end_of, is_sender, place_of
from registry import events
from registry.actors import Actor
from registry.models import Event, NumberSequence
from registry.permissions import NotYours, check_may
from registry.terms import Delivery
from registry.time import local_day
from registry.tokens import Purpose, mint
from storage.errors import Refused


class Stale(Refused):
    """Somebody was faster."""

    def __init__(self) -> None:
        super().__init__("stale", "寄件状态已被他人更新，请刷新页面后再操作。")


def pack(
    *, leg: Leg, sender: End, receiver: End, actor: Actor, now: datetime, originals: Iterable[Original] = ()
) -> Parcel:
    """A new parcel from one end to the other, with originals in it. A Case as an end stands for its applicant."""
    check_may(actor, "parcel.pack")
    (sender_kind, sender_id), (receiver_kind, receiver_id) = end_of(sender), end_of(receiver)
    check_ends(leg, sender=sender_kind, receiver=receiver_kind)
    with transaction.atomic():
        parcel = Parcel.objects.create(
            number=next_number(now),
            code=mint(Purpose.PARCEL).identifier,
            leg=leg.value,
            sender_kind=sender_kind.value,
            sender_id=sender_id,
            receiver_kind=receiver_kind.value,
            receiver_id=receiver_id,
            created_at=now,
        )
        _check_own(actor, "parcel.pack", parcel)
        record_parcel(parcel, "parcel.packed", actor=actor, now=now, data={"leg": parcel.leg})
        for original in originals:
            add_original(parcel=parcel, original=original, actor=actor, now=now)
    return parcel


def add_original(*, parcel: Parcel, original: Original, actor: Actor, now: datetime) -> ParcelItem:
    """Puts an original on the packing list. It stays where it is until the parcel is handed over."""
    _check_own(actor, "parcel.pack", parcel)
    _must_be(parcel, ParcelState.PACKING, "parcel_not_packing", "寄件已封装，不能再增减原件；请先拆封重装。")
    with transaction.atomic():
        held = Original.objects.select_related("handling__office", "case__window").get(pk=original.pk)
        _check_fits(parcel, held)
        try:
            with transaction.atomic():
                item = ParcelItem.objects.create(parcel=parcel, original=held, added_at=now)
        except IntegrityError as error:
            raise NotNow("original_packed", "该原件已在另一个未完成的寄件清单中，请先从那里取出。") from error
        events.record(
            kind="parcel.original_added",
            actor=actor,
            subject=parcel,
            now=now,
            case_number=held.case.number,
            data={"parcel": parcel.number, "original": held.pk},
        )
    return item


def add_originals(*, parcel: Parcel, originals: Iterable[Original], actor: Actor, now: datetime) -> None:
    """Puts several originals on the list, of any case whose papers go the same way; all of them or none."""
    with transaction.atomic():
        for original in originals:
            add_original(parcel=parcel, original=original, actor=actor, now=now)


def remove_original(*, parcel: Parcel, original: Original, actor: Actor, now: datetime) -> None:
    """Takes an original off the packing list of a parcel that is still being packed."""
    _check_own(actor, "parcel.pack", parcel)
    _must_be(parcel, ParcelState.PACKING, "parcel_not_packing", "寄件已封装，不能再增减原件；请先拆封重装。")
    with transaction.atomic():
        removed, _ = ParcelItem.objects.filter(parcel=parcel, original=original).delete()
        if not removed:
            raise NotNow("parcel_not_listed", "该原件不在本寄件清单内。")
        events.record(
            kind="parcel.original_removed",
            actor=actor,
            subject=parcel,
            now=now,
            case_number=original.case.number,
            data={"parcel": parcel.number, "original": original.pk},
        )


def seal_parcel(
    *,
    parcel: Parcel,
    weight_g: int,
    actor: Actor,
    now: datetime,
    length_mm: int = 0,
    width_mm: int = 0,
    height_mm: int = 0,
) -> None:
    """Closes and weighs the parcel: grams, and outer millimetres where volume matters."""
    _check_own(actor, "parcel.pack", parcel)
    check_weight(weight_g)
    with transaction.atomic():
        if not parcel.items.exists():
            raise NotNow("parcel_empty", "寄件清单是空的，请先装入原件再封装。")
        for item in parcel.items.select_related("original__handling__office", "original__case__window"):
            _check_fits(parcel, item.original)
        if parcel.leg == Leg.JOINT_RESULT:
            _check_together(parcel)
        move_state(
            parcel,
            "seal",
            weight_g=weight_g,
            length_mm=length_mm,
            width_mm=width_mm,
            height_mm=height_mm,
            sealed_at=now,
        )
        record_parcel(parcel, "parcel.sealed", actor=actor, now=now, data={"weight_g": weight_g})


def unseal_parcel(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """Opens a sealed parcel again; not while it has a waybill, whose weight and label would be wrong."""
    _check_own(actor, "parcel.pack", parcel)
    with transaction.atomic():
        _must_have_no_waybill(parcel)
        move_state(parcel, "unseal", weight_g=None, sealed_at=None)
        record_parcel(parcel, "parcel.unsealed", actor=actor, now=now)


def cancel_parcel(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """Gives a parcel up before it was handed over; its originals are free again."""
    _check_own(actor, "parcel.pack", parcel)
    with transaction.atomic():
        _must_have_no_waybill(parcel)
        move_state(parcel, "cancel", ended_at=now)
        parcel.items.filter(holds=True).update(holds=False)
        record_parcel(parcel, "parcel.cancelled", actor=actor, now=now)


def move_state(parcel: Parcel, act: str, **changes: object) -> None:
    """Takes the parcel one step by compare-and-set. Raises NotNow or Stale; call inside a transaction."""
    goal = target(act, parcel.state)
    changed = Parcel.objects.filter(pk=parcel.pk, state=parcel.state).update(state=goal.value, **changes)
    if not changed:
        raise Stale
    parcel.refresh_from_db()


def record_parcel(
    parcel: Parcel, kind: str, *, actor: Actor, now: datetime, data: dict[str, object] | None = None
) -> Event:
    """An event about a parcel; it belongs to the case when the parcel carries papers of one case only."""
    numbers = sorted({item.original.case.number for item in parcel.items.select_related("original__case")})
    return events.record(
        kind=kind,
        actor=actor,
        subject=parcel,
        now=now,
        case_number=numbers[0] if len(numbers) == 1 else "",
        data={"parcel": parcel.number, "cases": numbers, **(data or {})},
    )


def _check_fits(parcel: Parcel, original: Original) -> None:
    """The original is here, may travel on this leg now, and is wanted at the other end."""
    if (original.place, original.place_id) != (place_of(parcel.sender_kind), parcel.sender_id):
        raise NotNow("original_elsewhere", f"“{original.name}”当前不在寄件方手中，不能装入本寄件。")
    going = onward(original) if original.kind == Original.Kind.MATERIAL else None
    toward_an_office = parcel.leg in INBOUND or parcel.leg == Leg.TRANSFER
    handling = going if going is not None and toward_an_office else original.handling
    states = list(original.case.handlings.values_list("state", flat=True))
    ended = {HandlingState.REFUSED.value, HandlingState.WITHDRAWN.value}
    check_release(
        parcel.leg,
        mode=original.case.mode,
        handling_state=handling.state,
        all_decided=all(state == HandlingState.DECIDED or state in ended for state in states),
        closed=handling.state in ended,
    )
    if parcel.leg == Leg.JOINT_RESULT:
        _check_lead_sends(parcel, original)
    if parcel.leg == Leg.ORIGINAL_RETURN and going is not None:
        raise NotNow(
            "original_needed_next",
            f"“{original.name}”还需送往“{going.office.name}”，请先按联办次序流转。",
        )
    if original.kind == Original.Kind.RESULT and (parcel.leg in INBOUND or parcel.leg == Leg.ORIGINAL_RETURN):
        raise NotNow("parcel_leg", f"“{original.name}”是审批结果，不能按此寄件类型寄出。")
    if original.kind == Original.Kind.MATERIAL and parcel.leg in {Leg.RESULT, Leg.JOINT_RESULT}:
        raise NotNow("parcel_leg", f"“{original.name}”是申请材料原件，请改选“原件退还”寄出。")
    _check_receiver(parcel, original, handling, going)


def _check_lead_sends(parcel: Parcel, original: Original) -> None:
    """The lead office delivers; where its own part ended without a decision, the first that decided."""
    sends = deliverer(original.case.handlings.select_related("office"))
    if sends.office_id != parcel.sender_id:
        raise NotNow(
            "parcel_not_lead", f"联办结果由牵头部门“{sends.office.name}”一并寄出，请先把结果转给该部门。"
        )


def _check_together(parcel: Parcel) -> None:
    """相关证件齐全后…统一送达 (taizhou-2021 §三(三)): a joint result leaves whole, or not at all."""
    on_their_way = [
        Original.Place.APPLICANT,
        Original.Place.ARCHIVE,
        Original.Place.LOST,
        Original.Place.GONE,
    ]
    apart = (
        Original.objects.filter(kind=Original.Kind.RESULT, case__in=parcel.items.values("original__case"))
        .exclude(place__in=on_their_way)
        .exclude(parcel_items__in=parcel.items.all())
    )
    if names := list(apart.order_by("pk").values_list("name", flat=True)):
        listed = "、".join(f"“{name}”" for name in names)
        raise NotNow("parcel_results_apart", f"联办结果须一并寄出，还缺{listed}，请等结果到齐后再封装。")


def _check_receiver(parcel: Parcel, original: Original, handling: Handling, going: Handling | None) -> None:
    right = True
    if parcel.leg == Leg.TRANSFER and going is not None and going.office_id != parcel.receiver_id:
        raise NotNow(
            "original_next_stop", f"“{original.name}”的下一站是“{going.office.name}”，请按联办次序流转。"
        )
    if parcel.leg in INBOUND:
        right = handling.office_id == parcel.receiver_id
    elif parcel.leg == Leg.TRANSFER:
        right = original.case.handlings.filter(office_id=parcel.receiver_id).exists()
    if not right:
        raise NotNow("parcel_wrong_receiver", f"“{original.name}”不应寄往该收件方，请核对后分开装件。")
    _check_as_chosen(parcel, original)


def check_still_as_chosen(parcel: Parcel) -> None:
    """What was packed goes where its applicant wants it now: the choice may have changed while the bag lay there."""
    for item in parcel.items.filter(holds=True).select_related("original__case__window"):
        _check_as_chosen(parcel, item.original)


def _check_as_chosen(parcel: Parcel, original: Original) -> None:
    case = original.case
    to_applicant = parcel.receiver_kind == Party.APPLICANT
    check_destination(
        parcel.leg,
        delivery=case.delivery,
        receiver_kind=parcel.receiver_kind,
        at_case=parcel.receiver_id == (case.pk if to_applicant else case.window_id),
        chosen="申请人" if case.delivery == Delivery.MAIL else f"“{case.window.name}”",
        name=original.name,
    )


def _check_own(actor: Actor, act: str, parcel: Parcel) -> None:
    check_may(actor, act, parcel)
    if not is_sender(actor, parcel):
        raise NotYours


def _must_be(parcel: Parcel, state: ParcelState, code: str, message: str) -> None:
    if parcel.state != state:
        raise NotNow(code, message)


def _must_have_no_waybill(parcel: Parcel) -> None:
    if parcel.waybills.filter(state__in=LIVING).exists():
        raise NotNow("parcel_has_waybill", "该寄件已有运单，请先取消运单。")


def next_number(now: datetime) -> str:
    """The next parcel number of the day."""
    day = local_day(now)
    return f"P{day:%Y%m%d}{NumberSequence.take(f'parcel-{day:%Y%m%d}'):05d}"
