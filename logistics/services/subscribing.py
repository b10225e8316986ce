"""What a courier is told so that it tells us about a waybill, and tells it where we are found now."""

import logging
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from ingest.models import Case
from logistics.couriers.base import Subscription
from logistics.couriers.opening import PUSHES_MOVE
from logistics.models import Waybill
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.services.accounts import callback_url, courier_of
from logistics.services.ends import thing_at
from storage.errors import Refused

log = logging.getLogger("tongban.couriers")
MOST_SUBSCRIPTIONS = 4
"""kuaidi100 takes at most four subscriptions a month for one number."""
PATIENCE = timedelta(minutes=30)
MOST_MOVED = 50
"""Subscriptions that are moved to a new push path in one round; the rest have their turn in the next."""
MOVE_AGAIN = timedelta(minutes=10)
"""How long a courier that did not take the new path of a waybill is left alone about it."""
STILL_NEWS = (
    ParcelState.SEALED.value,
    ParcelState.HANDED_OVER.value,
    ParcelState.IN_TRANSIT.value,
    ParcelState.DELIVERED.value,
)
"""States of a parcel whose courier has something left to tell, if only that the delivery is undone."""


def subscription_of(waybill: Waybill) -> Subscription:
    """The subscription, or the question, for a waybill."""
    parcel = waybill.parcel
    receiver = thing_at(parcel.receiver_kind, parcel.receiver_id)
    phone = receiver.applicant_phone if isinstance(receiver, Case) else receiver.phone
    return Subscription(
        waybill_number=waybill.number,
        reference=waybill.reference,
        callback_url=callback_url(waybill.account),
        company=waybill.company or waybill.carrier.company or waybill.carrier.code,
        from_city=_city(parcel.sender_kind, parcel.sender_id),
        to_city=_city(parcel.receiver_kind, parcel.receiver_id),
        phone_tail=phone[-4:],
    )


def subscribe(*, waybill: Waybill, now: datetime) -> bool:
    """Asks for pushes, outside any transaction; False when it is done already or was done too often."""
    too_soon = (
        waybill.heard_at is not None and now - waybill.heard_at < PATIENCE and waybill.subscriptions > 0
    )
    if waybill.subscribed_at or waybill.subscriptions >= MOST_SUBSCRIPTIONS or too_soon:
        return False
    courier_of(waybill.account).subscribe(subscription_of(waybill))
    Waybill.objects.filter(pk=waybill.pk, state=WaybillState.BOOKED).update(
        subscribed_at=now, subscriptions=F("subscriptions") + 1, push_path=waybill.account.path_digest
    )
    waybill.refresh_from_db(fields=["subscribed_at", "subscriptions", "push_path"])
    return True


def move_subscriptions(*, now: datetime, at_most: int = MOST_MOVED) -> int:
    """Tells couriers the present push path for waybills that they still push to an older one; how many moved.

    Only where a courier takes another address for what it follows; the others' waybills are polled. Each waybill is
    taken up by one process at a time; a courier that does not take it is asked again after a rest.
    """
    moved = 0
    for waybill in _told_elsewhere(now - MOVE_AGAIN)[:at_most]:
        free = Q(tried_at__isnull=True) | Q(tried_at__lte=now - MOVE_AGAIN)
        if not Waybill.objects.filter(free, pk=waybill.pk).update(tried_at=now):
            continue  # another process is at it
        try:
            courier_of(waybill.account).subscribe(subscription_of(waybill))
        except Refused as error:
            log.warning(
                "waybill %s: push path not moved (%s), tried again later", waybill.reference, error.code
            )
            continue
        moved += Waybill.objects.filter(pk=waybill.pk, state=WaybillState.BOOKED).update(
            subscribed_at=now, push_path=waybill.account.path_digest
        )
    return moved


def _told_elsewhere(before: datetime) -> QuerySet[Waybill]:
    return (
        Waybill.objects.select_related("parcel", "carrier", "account__carrier")
        .filter(
            ~Q(push_path=F("account__path_digest")),
            Q(tried_at__isnull=True) | Q(tried_at__lte=before),
            state=WaybillState.BOOKED,
            subscribed_at__isnull=False,
            ended_at__isnull=True,
            account__active=True,
            account__carrier__adapter__in=PUSHES_MOVE,
            parcel__state__in=STILL_NEWS,
        )
        .order_by(F("tried_at").asc(nulls_first=True), "requested_at", "pk")
    )


def _city(kind: str, pk: int) -> str:
    thing = thing_at(kind, pk)
    return "" if isinstance(thing, Case) else thing.region.full_name
