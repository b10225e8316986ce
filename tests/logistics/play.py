"""A courier in memory whose pushes are handed to our inbox one by one, in any order."""

from datetime import datetime, timedelta

from logistics.couriers.neutral.wire import EventWire
from logistics.couriers.standard_webhooks import headers_for
from logistics.models import CarrierAccount, Waybill, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import Push, kuaidi100_pushes, neutral_push
from logistics.sandbox.world import Follower, Shipment, World
from logistics.services.inbox import accept_webhook
from logistics.services.taking_in import process_delivery
from tests.cast import NOW
from tests.logistics.couriers import API_KEY, WEBHOOK_SECRET

State = WebhookDelivery.State


class Play:
    """A courier in memory that moves one parcel and hands us its pushes one by one, to be sent in any order."""

    def __init__(self, waybill: Waybill, account: CarrierAccount) -> None:
        self.account = account
        self.world = World(clock=lambda: NOW)
        self.shipment = Shipment(number=waybill.number, reference=waybill.reference, api_key=API_KEY)
        self.shipment.callback_url = "http://127.0.0.1/"
        self.follower = Follower(company="ems", callback_url="http://127.0.0.1/", salt="salt-A1")
        self.hours = 0

    def move(self, kind: TrackingKind) -> EventWire:
        self.hours += 1
        return self.world.move(self.shipment, kind, at=NOW + timedelta(hours=self.hours))

    def undo(self) -> EventWire:
        self.hours += 1
        event = self.world.reverse(self.shipment)
        assert event is not None
        return event

    def push(self, event: EventWire, *, secret: str = WEBHOOK_SECRET) -> Push:
        return neutral_push(self.shipment, event, secrets=[secret], timestamp=int(NOW.timestamp()))

    def snapshot(self) -> Push:
        return kuaidi100_pushes(self.shipment, self.follower)[-1]


def send(account: CarrierAccount, push: Push, *, now: datetime = NOW) -> bytes:
    answer = accept_webhook(
        path_token=account.path_token,
        headers=push.headers,
        body=push.body,
        query="",
        remote_address="127.0.0.1",
        now=now,
    )
    return answer.body


def process_all(now: datetime = NOW) -> None:
    for pk in (
        WebhookDelivery.objects.filter(state=State.RECEIVED).order_by("pk").values_list("pk", flat=True)
    ):
        process_delivery(delivery_id=pk, now=now)


def signed_as(message_id: str, push: Push) -> Push:
    """The body of a push under another id, signed by the courier itself."""
    headers = headers_for(
        secrets=[WEBHOOK_SECRET], message_id=message_id, timestamp=int(NOW.timestamp()), body=push.body
    )
    return Push(push.url, {**push.headers, **headers}, push.body)
