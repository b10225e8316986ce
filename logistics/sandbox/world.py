"""The parcels the sandbox carries, and how they move."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from logistics.couriers.neutral.wire import EventWire, OrderWire
from logistics.rules.tracking import TrackingKind, standing
from logistics.sandbox.faults import Faults

ROUTE = (
    TrackingKind.COLLECTED,
    TrackingKind.IN_TRANSIT,
    TrackingKind.ARRIVED_CITY,
    TrackingKind.OUT_FOR_DELIVERY,
    TrackingKind.DELIVERED,
)

DAYS = timedelta(days=2)
"""How long everything takes here."""


class Unknown(Exception):
    """No such waybill here."""


@dataclass
class Follower:
    """A kuaidi100 subscription: the company as the subscriber named it, where to push, with which salt."""

    company: str
    callback_url: str
    salt: str
    corrected: bool = False


@dataclass(frozen=True)
class Contract:
    """An account with a courier whose console, not a request, says where pushes go (EMS, SF, kdniao).

    `secrets` are named as our adapters name them.
    """

    interface: str
    name: str
    secrets: Mapping[str, str] = field(repr=False)
    push_url: str = field(default="", repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What names it."""
        return self.interface, self.name

    @property
    def owner(self) -> str:
        """Who placed an order, in the same field as the neutral API key."""
        return f"{self.interface}:{self.name}"


@dataclass
class Shipment:
    """One waybill on its way.

    `watchers`: keys of the contracts that are told of it, each with the company code under which it asked.
    """

    number: str
    reference: str = ""
    api_key: str = ""
    order: OrderWire | None = None
    company: str = "ems"
    cancelled: bool = False
    callback_url: str = ""
    followers: list[Follower] = field(default_factory=list)
    watchers: dict[tuple[str, str], str] = field(default_factory=dict)
    events: list[EventWire] = field(default_factory=list)

    def held(self) -> list[EventWire]:
        """The events that still hold, oldest first."""
        keys = {scan.key for scan in standing(event.value() for event in self.events)}
        return sorted(
            (event for event in self.events if event.id in keys), key=lambda event: (event.at, event.id)
        )

    def expected_at(self) -> datetime | None:
        """When it says it will deliver: so many days after it collected, as it quotes."""
        collected = next((event.at for event in self.held() if event.kind is TrackingKind.COLLECTED), None)
        return collected + DAYS if collected else None


@dataclass(frozen=True)
class Prices:
    """The sandbox's own price list, grams and fen: first weight, then steps begun."""

    first_weight_g: int = 1000
    first_fen: int = 1200
    step_g: int = 1000
    step_fen: int = 300
    divisor: int = 6000

    def billed_weight_g(self, order: OrderWire) -> int:
        """The larger of actual and volumetric weight (cm³ ÷ divisor kilograms)."""
        volume_mm3 = order.length_mm * order.width_mm * order.height_mm
        return max(order.weight_g, -(-volume_mm3 // self.divisor))

    def amount_fen(self, order: OrderWire) -> int:
        """The price of an order."""
        return self.weight_fen(self.billed_weight_g(order))

    def weight_fen(self, weight_g: int) -> int:
        """The price of a weight."""
        beyond = max(0, weight_g - self.first_weight_g)
        return self.first_fen + -(-beyond // self.step_g) * self.step_fen


class World:
    """Everything the sandbox knows; all access goes through `locked`."""

    def __init__(
        self,
        *,
        accounts: dict[str, list[str]] | None = None,
        followers: dict[str, str] | None = None,
        prices: Prices | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.accounts: dict[str, list[str]] = dict(accounts or {})
        self.kuaidi100_keys: dict[str, str] = dict(followers or {})
        self.contracts: dict[tuple[str, str], Contract] = {}
        self.prices = prices or Prices()
        self.faults = Faults()
        self.clock = clock
        self._shipments: dict[str, Shipment] = {}
        self._lock = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator["World"]:
        """One request at a time touches the parcels; pushes go out after the lock is given back."""
        with self._lock:
            yield self

    def shipment(self, number: str) -> Shipment:
        """The parcel with a number, or `Unknown`."""
        found = self._shipments.get(number)
        if found is None:
            raise Unknown(number)
        return found

    def shipments(self) -> list[Shipment]:
        """All parcels."""
        return list(self._shipments.values())

    def place(
        self, order: OrderWire, *, api_key: str, form: str = "10{:011d}", again: int = 0
    ) -> tuple[Shipment, bool]:
        """The shipment of an order and whether it is new: one reference of one account never makes two.

        `again`: how many were made before, for a courier that does make another one each time.
        """
        # The number follows from the reference, so a restarted sandbox hands out no number twice.
        seed = f"{api_key}\x1f{order.reference}" + f"\x1f{again}" * bool(again)
        number = form.format(int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 10**11)
        if number in self._shipments:
            return self._shipments[number], False
        shipment = Shipment(number=number, reference=order.reference, api_key=api_key, order=order)
        self._shipments[number] = shipment
        return shipment, True

    def ordered(self, reference: str, *, api_key: str) -> list[Shipment]:
        """What an account ordered under a reference, oldest first."""
        return [
            one for one in self._shipments.values() if (one.reference, one.api_key) == (reference, api_key)
        ]

    def own(self, number: str, *, api_key: str) -> Shipment:
        """A parcel of this account, or `Unknown`."""
        shipment = self.shipment(number)
        if shipment.api_key != api_key:
            raise Unknown(number)
        return shipment

    def adopt(self, number: str, *, company: str = "ems") -> Shipment:
        """A parcel that another channel made; the sandbox follows it from now on."""
        return self._shipments.setdefault(number, Shipment(number=number, company=company))

    def cancel(self, shipment: Shipment) -> bool:
        """Gives a waybill up, also for a second time; not once it was collected."""
        if any(event.kind is not TrackingKind.ORDERED for event in shipment.held()):
            return False
        shipment.cancelled = True
        return True

    def move(
        self,
        shipment: Shipment,
        kind: TrackingKind,
        *,
        at: datetime | None = None,
        words: str = "",
        place: str = "",
    ) -> EventWire:
        """Adds one event. Without a time it happens now, but after everything before it."""
        moment = at or self._after(shipment)
        return self._add(
            shipment,
            EventWire(
                id=self._event_id(shipment),
                kind=kind,
                at=moment,
                code=kind.value,
                words=words or f"快件{kind.label}",
                place=place,
            ),
        )

    def reverse(self, shipment: Shipment, kind: TrackingKind | None = None) -> EventWire | None:
        """Takes back the latest event (of a kind) that still holds; None when there is none."""
        held = [event for event in shipment.held() if kind is None or event.kind is kind]
        if not held:
            return None
        return self._add(
            shipment,
            EventWire(
                id=self._event_id(shipment),
                kind=TrackingKind.REVERSAL,
                at=self._after(shipment),
                code="reversal",
                words="前一状态录入有误，已更正",
                reverses=held[-1].id,
            ),
        )

    def next_step(self, shipment: Shipment) -> TrackingKind | None:
        """The next stop on the ordinary route, or None at its end."""
        held = {event.kind for event in shipment.held()}
        if shipment.cancelled or TrackingKind.DELIVERED in held:
            return None
        return next((kind for kind in ROUTE if kind not in held), None)

    def billed_in(self, month: date, *, api_key: str) -> list[tuple[Shipment, OrderWire, EventWire]]:
        """The account's parcels that were collected in a month, in a fixed order."""
        found = []
        for shipment in self._shipments.values():
            collected = next(
                (event for event in shipment.held() if event.kind is TrackingKind.COLLECTED), None
            )
            if shipment.order is None or collected is None or shipment.api_key != api_key:
                continue
            if (collected.at.year, collected.at.month) == (month.year, month.month):
                found.append((shipment, shipment.order, collected))
        return sorted(found, key=lambda row: row[0].number)

    def _after(self, shipment: Shipment) -> datetime:
        latest = max((event.at for event in shipment.events), default=None)
        now = self.clock().replace(microsecond=0)
        return now if latest is None or latest < now else latest + timedelta(seconds=1)

    def _event_id(self, shipment: Shipment) -> str:
        return f"evt-{shipment.number}-{len(shipment.events) + 1}"

    def _add(self, shipment: Shipment, event: EventWire) -> EventWire:
        shipment.events.append(event)
        return event
