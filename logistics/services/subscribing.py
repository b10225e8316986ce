"""What a courier is told so that it tells us about a waybill."""

from datetime import datetime, timedelta

from django.db.models import F

from ingest.models import Case
from logistics.couriers.base import Subscription
from logistics.models import Waybill
from logistics.rules.parcels import WaybillState
from logistics.services.accounts import callback_url, courier_of
from logistics.services.ends import thing_at

MOST_SUBSCRIPTIONS = 4
"""kuaidi100 takes at most four subscriptions a month for one number."""
PATIENCE = timedelta(minutes=30)


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
        subscribed_at=now, subscriptions=F("subscriptions") + 1
    )
    waybill.refresh_from_db(fields=["subscribed_at", "subscriptions"])
    return True


def _city(kind: str, pk: int) -> str:
    thing = thing_at(kind, pk)
    return "" if isinstance(thing, Case) else thing.region.full_name
