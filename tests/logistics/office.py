"""Our side of one courier as the contract suite takes it: the adapter, and the sandbox that plays the courier."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from logistics.couriers.base import Courier, Subscription
from logistics.sandbox.server import SandboxServer
from tests.logistics.contracts import Terms, wish
from tests.logistics.couriers import order
from tests.logistics.listener import Listener, listening


@dataclass
class Office:
    """Our side of one courier: its adapter, and the sandbox that plays it."""

    terms: Terms
    courier: Courier
    sandbox: SandboxServer
    client: httpx.Client

    def wish(self, path: str, **body: object) -> dict[str, object]:
        told: dict[str, object] = wish(self.client, self.sandbox, path, **body)
        return told

    def waybill(self) -> str:
        """A waybill: ordered here, or made elsewhere for a courier that only follows."""
        if not self.terms.follows:
            return self.courier.create(order()).waybill_number
        self.wish("shipments", number="1012345678901", company=self.terms.company)
        return "1012345678901"

    def question(self, number: str, url: str = "") -> Subscription:
        return Subscription(number, order().reference, url, company=self.terms.company, phone_tail="0000")

    @contextmanager
    def followed(self, *, accepted: bool = True) -> Iterator[tuple[str, Listener]]:
        """A waybill whose pushes are heard here and answered in the courier's own words."""
        with listening(
            lambda raw: self.courier.acknowledge(raw, accepted=accepted, now=datetime.now(UTC))
        ) as listener:
            self.terms.tell(self.sandbox, self.client, push_url=listener.url)
            number = self.waybill()
            self.courier.subscribe(self.question(number, listener.url))
            yield number, listener

    def waybills_made(self) -> int:
        return len(self.sandbox.world.shipments())
