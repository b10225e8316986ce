"""交接清单: gathering parcels by their scans, and the collector's signature that lets them all go at once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from logistics.models import Carrier, HandoverLine, HandoverList, Parcel, Waybill
from logistics.papers import handover_of
from logistics.rules.handovers import (
    HandoverState,
    Signing,
    check_collector,
    check_gathering,
    path_of,
    strokes_of,
)
from logistics.rules.parcels import NotNow, ParcelState, WaybillState
from logistics.services.custody import give_to_courier, parcel_by_token
from logistics.services.ends import desk_of, is_sender, thing_at
from logistics.services.parcels import Stale
from logistics.signature import signature_png
from registry import events
from registry.actors import Actor
from registry.models import NumberSequence, Office, Slip, Window
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.permissions import NotYours, check_may
from registry.time import local_day
from storage.models import Kind, StoredObject
from storage.services import store_bytes


def open_list(*, carrier: Carrier, actor: Actor, now: datetime) -> HandoverList:
    """The list that is being gathered here for this carrier; a new one when there is none."""
    check_may(actor, "parcel.hand_over")
    sender_kind, sender_id = desk_of(actor)
    gathering = HandoverList.objects.filter(
        sender_kind=sender_kind, sender_id=sender_id, carrier=carrier, state=HandoverState.OPEN.value
    )
    with transaction.atomic():
        known = gathering.first()
        if known is not None:
            return known
        try:
            with transaction.atomic():
                handover = HandoverList.objects.create(
                    number=_next_number(now),
                    sender_kind=sender_kind,
                    sender_id=sender_id,
                    carrier=carrier,
                    opened_at=now,
                    opened_by=actor.label,
                )
        except IntegrityError:
            return gathering.get()  # the colleague beside was faster
        _record(handover, "handover.opened", actor, now, carrier=carrier.code)
    return handover


def list_parcel(*, handover: HandoverList, token: str, actor: Actor, now: datetime) -> HandoverLine:
    """Puts the parcel whose code was scanned on the list. The same scan again gives the same line.

    Only a sealed parcel with a waybill of this carrier goes on; one that stands on another list is refused.
    """
    check_may(actor, "parcel.hand_over", handover)
    parcel = parcel_by_token(token)
    check_may(actor, "parcel.hand_over", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
    with transaction.atomic():
        held = _held(handover)
        known = HandoverLine.objects.filter(parcel=parcel, stands=True).select_related("handover").first()
        if known is not None and known.handover_id == held.pk:
            return known
        if known is not None:
            raise NotNow(
                "parcel_on_list", f"{parcel.number} 已在交接清单 {known.handover.number} 上，不能重复列入。"
            )
        check_gathering(held.state)
        waybill = _waybill_for(parcel, held.carrier)
        last = HandoverLine.objects.filter(handover=held).aggregate(last=Max("position"))["last"]
        try:
            with transaction.atomic():
                line = HandoverLine.objects.create(
                    handover=held,
                    position=(last or 0) + 1,
                    parcel=parcel,
                    waybill_number=waybill.number,
                    originals=parcel.items.filter(holds=True).count(),
                    weight_g=parcel.weight_g or 0,
                    scanned_at=now,
                )
        except IntegrityError as error:
            raise Stale from error
        _changed(held)
        _record(held, "handover.parcel_listed", actor, now, parcel=parcel.number)
    handover.refresh_from_db()
    return line


def take_off(*, handover: HandoverList, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """Takes a parcel off a list that nobody has signed; done already, it stays done."""
    check_may(actor, "parcel.hand_over", handover)
    with transaction.atomic():
        held = _held(handover)
        check_gathering(held.state)
        if held.lines.filter(parcel=parcel, stands=True).update(stands=False):
            _changed(held)
            _record(held, "handover.parcel_taken_off", actor, now, parcel=parcel.number)
    handover.refresh_from_db()


def drop_list(*, handover: HandoverList, actor: Actor, now: datetime) -> None:
    """Gives an unsigned list up; its parcels stay here and may go on another."""
    check_may(actor, "parcel.hand_over", handover)
    with transaction.atomic():
        held = _held(handover)
        if held.state != HandoverState.DROPPED:
            check_gathering(held.state)
            held.lines.update(stands=False, frozen=True)
            HandoverList.objects.filter(pk=held.pk).update(state=HandoverState.DROPPED.value)
            _record(held, "handover.dropped", actor, now)
    handover.refresh_from_db()


def print_list(*, handover: HandoverList, actor: Actor, now: datetime) -> Slip:
    """The list as it stands now, numbered, for both to sign; unchanged it is the same slip however often printed."""
    check_may(actor, "parcel.hand_over", handover)
    with transaction.atomic():
        held = _held(handover)
        printed = slip_of(held)
        if printed is not None:
            return printed
        check_gathering(held.state)
        return _issue(held, _standing(held), actor, now)


def sign_on_screen(
    *, handover: HandoverList, collector: str, drawn: str, version: int, actor: Actor, now: datetime
) -> None:
    """The collector signed on the screen, having seen the list at `version`: every parcel on it leaves.

    `drawn` are the lines of the signature (`rules.handovers.strokes_of`). Signed again, it stays as it was signed.
    """
    check_may(actor, "parcel.hand_over", handover)
    name, strokes = check_collector(collector), strokes_of(drawn)
    picture = store_bytes(content=signature_png(strokes), kind=Kind.PHOTO, media_type="image/png", now=now)
    with transaction.atomic():
        held = _held(handover)
        if held.state != HandoverState.SIGNED:
            lines = _sign(held, name, Signing.SCREEN, version, actor, now, picture)
            _issue(held, lines, actor, now, collector=name, signed_at=now, signature=path_of(strokes))
    handover.refresh_from_db()


def sign_on_paper(
    *, handover: HandoverList, collector: str, version: int, actor: Actor, now: datetime
) -> None:
    """The collector signed the printed list: every parcel on it leaves. The list must be printed as it stands."""
    check_may(actor, "parcel.hand_over", handover)
    name = check_collector(collector)
    with transaction.atomic():
        held = _held(handover)
        if held.state != HandoverState.SIGNED:
            if held.state == HandoverState.OPEN and slip_of(held) is None:
                raise NotNow(
                    "handover_not_printed", "清单还没有打印，或打印后又有改动，请重新打印后再请揽收员签字。"
                )
            _sign(held, name, Signing.PAPER, version, actor, now, None)
    handover.refresh_from_db()


def slip_of(handover: HandoverList) -> Slip | None:
    """The list on paper as it stands: printed to be signed, or with the signature from the screen."""
    revisions = Slip.objects.filter(
        kind=SlipKind.HANDOVER.value,
        subject_type=HandoverList._meta.label_lower,
        subject_id=str(handover.pk),
        revision=handover.version,
    )
    return revisions.first()


def _sign(
    held: HandoverList,
    collector: str,
    signing: Signing,
    version: int,
    actor: Actor,
    now: datetime,
    picture: StoredObject | None,
) -> list[HandoverLine]:
    """All parcels of the list leave together, or none does."""
    check_gathering(held.state)
    if held.version != version:
        raise NotNow("handover_changed", "清单在签名前又有改动，请与揽收员重新核对后再签名。")
    lines = _standing(held)
    if changed := _changed_since(lines):
        raise NotNow(
            "handover_outdated",
            f"{'、'.join(changed)} 列入清单后封装或运单有变，请先从清单移除，需要时重新扫入。",
        )
    held.lines.filter(stands=True).update(frozen=True)
    # A screen's signature becomes part of the paper, so that paper is another one than what was printed before.
    if signing == Signing.SCREEN:
        held.version += 1
    moved = HandoverList.objects.filter(pk=held.pk, state=HandoverState.OPEN.value).update(
        state=HandoverState.SIGNED.value,
        version=held.version,
        signing=signing.value,
        collector=collector,
        signature=picture,
        signed_at=now,
        signed_before=actor.label,
    )
    if not moved:
        raise Stale
    for line in lines:
        give_to_courier(parcel=line.parcel, at=now, handover=held, actor=actor, now=now)
    _record(
        held,
        "handover.signed",
        actor,
        now,
        signing=signing.value,
        parcels=[line.parcel.number for line in lines],
        signature=picture.sha256 if picture else "",
    )
    return lines


def _issue(
    held: HandoverList,
    lines: Sequence[HandoverLine],
    actor: Actor,
    now: datetime,
    *,
    collector: str = "",
    signed_at: datetime | None = None,
    signature: str = "",
) -> Slip:
    sender = thing_at(held.sender_kind, held.sender_id)
    return issue(
        kind=SlipKind.HANDOVER,
        subject=held,
        data=handover_of(held, lines, collector=collector, signed_at=signed_at, signature=signature),
        actor=actor,
        now=now,
        revision=held.version,
        window=sender if isinstance(sender, Window) else None,
        office=sender if isinstance(sender, Office) else None,
    )


def _held(handover: HandoverList) -> HandoverList:
    """The list's row, kept from others until this transaction ends."""
    return HandoverList.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=handover.pk)


def _standing(held: HandoverList) -> list[HandoverLine]:
    lines = list(held.lines.filter(stands=True).select_related("parcel").order_by("position"))
    if not lines:
        raise NotNow("handover_empty", "清单上还没有寄件，请先逐件扫面单。")
    return lines


def _changed_since(lines: Sequence[HandoverLine]) -> list[str]:
    """Numbers of the parcels that were opened, weighed anew or given another waybill after their scan."""
    parcels = [line.parcel_id for line in lines]
    booked = Waybill.objects.filter(parcel__in=parcels, state=WaybillState.BOOKED.value)
    numbers = dict(booked.values_list("parcel", "number"))
    return [
        line.parcel.number
        for line in lines
        if line.parcel.state != ParcelState.SEALED
        or line.parcel.weight_g != line.weight_g
        or numbers.get(line.parcel_id) != line.waybill_number
    ]


def _waybill_for(parcel: Parcel, carrier: Carrier) -> Waybill:
    if parcel.state != ParcelState.SEALED:
        raise NotNow(
            "parcel_not_sealed",
            f"{parcel.number} 当前为“{ParcelState(parcel.state).label}”，只有已封装、未交寄的件能列入清单。",
        )
    waybill = parcel.waybills.filter(state=WaybillState.BOOKED.value).select_related("carrier").first()
    if waybill is None:
        raise NotNow("parcel_no_waybill", f"{parcel.number} 还没有运单，请先下单并贴好面单。")
    if waybill.carrier_id != carrier.pk:
        raise NotNow(
            "handover_other_carrier",
            f"{parcel.number} 由“{waybill.carrier.name}”承运，不能列入“{carrier.name}”的清单。",
        )
    return waybill


def _changed(held: HandoverList) -> None:
    held.version += 1
    HandoverList.objects.filter(pk=held.pk).update(version=held.version)


def _record(held: HandoverList, kind: str, actor: Actor, now: datetime, **data: object) -> None:
    events.record(kind=kind, actor=actor, subject=held, now=now, data={"handover": held.number, **data})


def _next_number(now: datetime) -> str:
    day = local_day(now)
    return f"H{day:%Y%m%d}{NumberSequence.take(f'handover-{day:%Y%m%d}'):04d}"
