"""运单: booked once whatever is lost on the way, cancelled, registered by hand."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from logistics.couriers.base import Booking, Order, Payer, Payment, Settling
from logistics.couriers.errors import CourierError, CourierSaidNo, FateUnknown, NotOffered
from logistics.models import CarrierAccount, Parcel, Waybill
from logistics.rules.parcels import NotNow, ParcelState, WaybillState, waybill_number
from logistics.rules.payers import PaymentTerm
from logistics.services.accounts import courier_of
from logistics.services.ends import courier_party, is_sender
from logistics.services.parcels import record_parcel
from logistics.services.subscribing import MOST_SUBSCRIPTIONS, subscribe
from logistics.services.taking_in import adopt_parked
from registry.actors import SYSTEM, Actor
from registry.permissions import NotYours, check_may
from storage.models import Kind, StoredObject
from storage.services import store_bytes

log = logging.getLogger("tongban.couriers")
RESUME_AFTER = timedelta(minutes=2)
GIVEN_UP_AFTER = timedelta(minutes=10)
"""An order to a courier that cannot be asked by our reference is only given up when it can no longer be on its way."""
MOST_RESUMED = 100
"""Waybills taken up in one round; the rest have their turn in the next."""
PAYMENTS: dict[str, tuple[Payer, Settling]] = {
    # 到付 for a service centre is settled by the month on the receiver's account, not at the door.
    PaymentTerm.COLLECT: (Payer.RECEIVER, Settling.MONTHLY),
    PaymentTerm.SENDER_MONTHLY: (Payer.SENDER, Settling.MONTHLY),
    PaymentTerm.SENDER_CASH: (Payer.SENDER, Settling.CASH),
}


def book_waybill(
    *, parcel: Parcel, account: CarrierAccount, term: PaymentTerm, actor: Actor, now: datetime
) -> Waybill:
    """A waybill for a sealed parcel, charged to `account`.

    The wish is written down first, the courier is asked outside any transaction, and the answer is written down
    last: a crash in between is taken up by `resume_waybills`. A second call answers the same waybill; while the first
    is still with the courier, it is refused.
    """
    _check_own(actor, parcel)
    waybill, new = _request(parcel=parcel, account=account, term=term, actor=actor, now=now)
    if waybill.state == WaybillState.REQUESTED:
        if not (new or _take_up(waybill, now=now, rested=now - RESUME_AFTER)):
            raise NotNow("waybill_under_way", "正在向承运商下单，请稍候刷新页面，不要重复下单。")
        _obtain(waybill, actor=actor, now=now, again=not new)
    return waybill


def register_waybill(
    *,
    parcel: Parcel,
    account: CarrierAccount,
    number: str,
    term: PaymentTerm,
    actor: Actor,
    now: datetime,
) -> Waybill:
    """A waybill that was made elsewhere (written by hand, or in the carrier's own program); we only follow it."""
    _check_own(actor, parcel)
    number = waybill_number(number)
    with transaction.atomic():
        waybill, _ = _request(parcel=parcel, account=account, term=term, actor=actor, now=now)
        if waybill.account_id != account.pk and waybill.state == WaybillState.REQUESTED:
            # Its order may be with that courier already: this number would stand under the wrong account.
            raise NotNow(
                "waybill_under_way", "正在向另一承运商下单，请稍候刷新页面，确认下单失败后再登记运单号。"
            )
        if waybill.state == WaybillState.BOOKED and waybill.number != number:
            raise NotNow("parcel_has_waybill", "该寄件已有运单，请先取消运单。")
        if waybill.state == WaybillState.REQUESTED:
            _settle(
                waybill, Booking(waybill_number=number, reference=waybill.reference), actor=actor, now=now
            )
    _follow(waybill, now=now)
    return waybill


def cancel_waybill(*, waybill: Waybill, reason: str, actor: Actor, now: datetime) -> None:
    """Gives a waybill back to the courier before the parcel is handed over."""
    _check_own(actor, waybill.parcel)
    if waybill.parcel.state not in (ParcelState.SEALED, ParcelState.PACKING):
        raise NotNow("waybill_in_use", "寄件已交寄，不能取消运单；请联系承运商拦截。")
    with transaction.atomic():
        if not _change(waybill, WaybillState.BOOKED, WaybillState.CANCELLING, tried_at=now):
            raise NotNow("waybill_state", "只有已下单的运单才能取消，请刷新页面。")
    _give_back(waybill, reason=reason, actor=actor, now=now)


def resume_waybills(
    *, now: datetime, older_than: timedelta = RESUME_AFTER, at_most: int = MOST_RESUMED
) -> int:
    """Takes up what a crash or a silent courier left half done; how many waybills came further.

    Each is taken up by one process at a time, and those that were left longest come first.
    """
    done = 0
    for waybill in _half_done(now - older_than)[:at_most]:
        if not _take_up(waybill, now=now, rested=now - older_than):
            continue
        try:
            done += _resume(waybill, now=now)
        except CourierError as error:
            log.warning("waybill %s: %s, tried again later", waybill.reference, error.code)
    return done


def fetch_carrier_label(*, waybill: Waybill, now: datetime) -> StoredObject:
    """The courier's own label, kept in the store. Call outside a transaction."""
    file = courier_of(waybill.account).label(waybill.number)
    stored = store_bytes(content=file.content, kind=Kind.LABEL, media_type=file.media_type, now=now)
    Waybill.objects.filter(pk=waybill.pk).update(label=stored)
    waybill.label = stored
    return stored


def _request(
    *, parcel: Parcel, account: CarrierAccount, term: PaymentTerm, actor: Actor, now: datetime
) -> tuple[Waybill, bool]:
    """The living waybill of the parcel, and whether it is a new wish."""
    with transaction.atomic():
        living = (
            Waybill.objects.select_for_update()
            .filter(parcel=parcel, state__in=[WaybillState.REQUESTED, WaybillState.BOOKED])
            .first()
        )
        if living is not None:
            return living, False
        if not Parcel.objects.filter(pk=parcel.pk, state=ParcelState.SEALED).exists():
            raise NotNow("parcel_not_sealed", "请先封装并称重，再下单取得运单号。")
        payer, settling = PAYMENTS[term]
        tries = Waybill.objects.filter(parcel=parcel).count()
        try:
            with transaction.atomic():
                waybill = Waybill.objects.create(
                    parcel=parcel,
                    carrier=account.carrier,
                    account=account,
                    reference=f"{parcel.number}-{tries + 1}",
                    term=term.value,
                    payer=payer.value,
                    settling=settling.value,
                    company=account.carrier.company,
                    requested_at=now,
                    tried_at=now,
                )
        except IntegrityError as error:
            raise NotNow("parcel_has_waybill", "该寄件的运单正在办理中，请稍后刷新。") from error
        record_parcel(
            parcel,
            "waybill.requested",
            actor=actor,
            now=now,
            data={"reference": waybill.reference, "carrier": account.carrier.code, "term": term.value},
        )
    return waybill, True


def _obtain(waybill: Waybill, *, actor: Actor, now: datetime, again: bool) -> None:
    """Asks the courier for the waybill; when it was asked before, first whether it has made one already."""
    courier = courier_of(waybill.account)
    try:
        made = courier.find(waybill.reference) if again else None
        if made is not None and made.cancelled:
            raise CourierSaidNo("承运商已取消这个寄件编号的订单，请重新下单。")
        booking = made or courier.create(order_of(waybill))
    except CourierError as error:
        if error.can_retry:
            # This try is over, so the next one need not wait until it can no longer be on its way.
            Waybill.objects.filter(pk=waybill.pk, tried_at=waybill.tried_at).update(tried_at=None)
        else:
            _fail(waybill, error, actor=actor, now=now)
        raise
    with transaction.atomic():
        _settle(waybill, booking, actor=actor, now=now)
    _follow(waybill, now=now)


def order_of(waybill: Waybill) -> Order:
    """What the courier is asked for."""
    return order_for(
        parcel=waybill.parcel,
        reference=waybill.reference,
        account=waybill.account,
        payer=Payer(waybill.payer),
        settling=Settling(waybill.settling),
    )


def order_for(
    *, parcel: Parcel, reference: str, account: CarrierAccount, payer: Payer, settling: Settling
) -> Order:
    """A parcel as an order, to be made or only to be priced. Raises Refused when an address is missing."""
    return Order(
        reference=reference,
        sender=courier_party(parcel.sender_kind, parcel.sender_id),
        receiver=courier_party(parcel.receiver_kind, parcel.receiver_id),
        payment=Payment(
            payer=payer,
            settling=settling,
            account=account.number if settling == Settling.MONTHLY else "",
        ),
        weight_g=parcel.weight_g or 0,
        length_mm=parcel.length_mm,
        width_mm=parcel.width_mm,
        height_mm=parcel.height_mm,
    )


def _settle(waybill: Waybill, booking: Booking, *, actor: Actor, now: datetime) -> None:
    """The courier's number, written down. An answer that comes after the order was given up still counts."""
    open_states = [WaybillState.REQUESTED.value, WaybillState.FAILED.value]
    try:
        with transaction.atomic():
            changed = Waybill.objects.filter(pk=waybill.pk, state__in=open_states, number="").update(
                state=WaybillState.BOOKED.value,
                number=booking.waybill_number,
                routing=dict(booking.routing),
                booked_at=now,
                ended_at=None,
            )
    except IntegrityError as error:
        raise NotNow("waybill_taken", "该运单号已登记在另一个寄件上，请核对运单号。") from error
    waybill.refresh_from_db()
    if changed:
        record_parcel(
            waybill.parcel,
            "waybill.booked",
            actor=actor,
            now=now,
            data={
                "waybill": waybill.number,
                "reference": waybill.reference,
                "carrier": waybill.carrier.code,
                "term": waybill.term,
            },
        )
    elif waybill.number != booking.waybill_number:
        # Two answers for one order: the other one is settled, and somebody has to give this number back.
        record_parcel(
            waybill.parcel,
            "waybill.left_over",
            actor=actor,
            now=now,
            data={"waybill": booking.waybill_number, "reference": waybill.reference},
        )


def _follow(waybill: Waybill, *, now: datetime) -> None:
    """Asks for pushes and takes in those that came too early. Failing to subscribe is made good by `resume_waybills`."""
    try:
        subscribe(waybill=waybill, now=now)
    except CourierError as error:
        log.warning("waybill %s: not subscribed (%s), tried again later", waybill.reference, error.code)
    adopt_parked(waybill=waybill, now=now)
    waybill.refresh_from_db()


def _fail(waybill: Waybill, error: CourierError, *, actor: Actor, now: datetime) -> None:
    with transaction.atomic():
        if _change(waybill, WaybillState.REQUESTED, WaybillState.FAILED, ended_at=now):
            record_parcel(
                waybill.parcel,
                "waybill.failed",
                actor=actor,
                now=now,
                data={"reference": waybill.reference, "fault": error.code},
            )


def _give_back(waybill: Waybill, *, reason: str, actor: Actor, now: datetime) -> None:
    try:
        courier_of(waybill.account).cancel(waybill.number, reference=waybill.reference, reason=reason)
    except NotOffered:
        # It only follows what others made: there is nothing to give back but our own note of the number.
        log.info("waybill %s: given up here, its courier was not asked", waybill.reference)
    except CourierError as error:
        if not error.can_retry:
            _change(waybill, WaybillState.CANCELLING, WaybillState.BOOKED)
        raise
    with transaction.atomic():
        if _change(waybill, WaybillState.CANCELLING, WaybillState.CANCELLED, ended_at=now):
            record_parcel(
                waybill.parcel, "waybill.cancelled", actor=actor, now=now, data={"waybill": waybill.number}
            )


def _resume(waybill: Waybill, *, now: datetime) -> bool:
    if waybill.state == WaybillState.REQUESTED:
        if courier_of(waybill.account).creates_once:
            _obtain(waybill, actor=SYSTEM, now=now, again=True)
            return True
        if waybill.requested_at > now - GIVEN_UP_AFTER:
            return False
        _fail(waybill, FateUnknown(), actor=SYSTEM, now=now)
        return True
    if waybill.state == WaybillState.CANCELLING:
        _give_back(waybill, reason="寄件方取消", actor=SYSTEM, now=now)
        return True
    return subscribe(waybill=waybill, now=now)


def _half_done(before: datetime) -> QuerySet[Waybill]:
    under_way = Q(state__in=[WaybillState.REQUESTED.value, WaybillState.CANCELLING.value])
    unsubscribed = Q(
        state=WaybillState.BOOKED.value,
        subscribed_at__isnull=True,
        subscriptions__lt=MOST_SUBSCRIPTIONS,
        ended_at__isnull=True,
    )
    return (
        Waybill.objects.select_related("parcel", "carrier", "account__carrier")
        .filter(under_way | unsubscribed, requested_at__lt=before)
        .filter(Q(tried_at__isnull=True) | Q(tried_at__lt=before))
        .order_by(F("tried_at").asc(nulls_first=True), "requested_at")
    )


def _take_up(waybill: Waybill, *, now: datetime, rested: datetime) -> bool:
    """Whether this process may go on with the waybill: nobody else tried since `rested`."""
    free = Q(tried_at__isnull=True) | Q(tried_at__lt=rested)
    taken = Waybill.objects.filter(free, pk=waybill.pk, state=waybill.state).update(tried_at=now)
    waybill.tried_at = now if taken else waybill.tried_at
    return bool(taken)


def _change(waybill: Waybill, old: WaybillState, new: WaybillState, **changes: object) -> bool:
    changed = Waybill.objects.filter(pk=waybill.pk, state=old).update(state=new.value, **changes)
    waybill.refresh_from_db()
    return bool(changed)


def _check_own(actor: Actor, parcel: Parcel) -> None:
    check_may(actor, "parcel.pack", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
