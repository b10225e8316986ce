"""Shapes of the neutral courier's JSON, checked at the door."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from logistics.couriers.base import (
    Booking,
    ChargeLine,
    Order,
    Party,
    Payer,
    Quote,
    Report,
    Settling,
)
from logistics.rules.tracking import Scan, TrackingKind

Number = Annotated[str, StringConstraints(min_length=4, max_length=40, pattern=r"^[A-Za-z0-9-]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Wire(BaseModel):
    """Unknown fields are ignored: the courier may add some at any time."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PartyWire(Wire):
    """Sender or receiver."""

    name: str
    phone: str
    province: str
    city: str
    county: str
    address: str
    organisation: str = ""

    @classmethod
    def of(cls, party: Party) -> "PartyWire":
        """The wire form of a party."""
        return cls(
            name=party.name,
            phone=party.phone,
            province=party.province,
            city=party.city,
            county=party.county,
            address=party.address,
            organisation=party.organisation,
        )


class PaymentWire(Wire):
    """Who pays, how, on which account."""

    payer: Payer
    settling: Settling
    account: str = ""


class OrderWire(Wire):
    """`POST /v1/orders` and `POST /v1/quotes`: weights in grams, lengths in millimetres."""

    reference: Name
    sender: PartyWire
    receiver: PartyWire
    payment: PaymentWire
    weight_g: Annotated[int, Field(gt=0, le=100_000)]
    length_mm: Annotated[int, Field(ge=0, le=3_000)] = 0
    width_mm: Annotated[int, Field(ge=0, le=3_000)] = 0
    height_mm: Annotated[int, Field(ge=0, le=3_000)] = 0
    contents: str = ""
    remark: str = ""

    @classmethod
    def of(cls, order: Order) -> "OrderWire":
        """The wire form of an order."""
        return cls(
            reference=order.reference,
            sender=PartyWire.of(order.sender),
            receiver=PartyWire.of(order.receiver),
            payment=PaymentWire(
                payer=order.payment.payer, settling=order.payment.settling, account=order.payment.account
            ),
            weight_g=order.weight_g,
            length_mm=order.length_mm,
            width_mm=order.width_mm,
            height_mm=order.height_mm,
            contents=order.contents,
            remark=order.remark,
        )


class QuoteWire(Wire):
    """Answer to a quote."""

    amount_fen: Annotated[int, Field(ge=0)]
    days: Annotated[int, Field(ge=0)] = 0

    def value(self) -> Quote:
        """As a value."""
        return Quote(amount_fen=self.amount_fen, days=self.days)


class BookingWire(Wire):
    """One order as the courier holds it."""

    waybill: Number
    reference: Name
    state: Literal["created", "cancelled"] = "created"
    routing: dict[str, str] = {}

    def value(self) -> Booking:
        """As a value."""
        return Booking(
            waybill_number=self.waybill,
            reference=self.reference,
            routing=self.routing,
            cancelled=self.state == "cancelled",
        )


class BookingsWire(Wire):
    """`GET /v1/orders?reference=…`."""

    orders: list[BookingWire]


class SubscriptionWire(Wire):
    """`PUT /v1/orders/{waybill}/subscription`: where the events of one waybill are pushed."""

    url: Annotated[str, StringConstraints(max_length=500, pattern=r"^https?://")]


class EventWire(Wire):
    """One scan. `id` is unique for the courier; a `reversal` names in `reverses` the id that it voids."""

    id: Name
    kind: TrackingKind
    at: AwareDatetime
    code: str = ""
    words: str = ""
    place: str = ""
    reverses: str = ""

    def value(self) -> Scan:
        """As a value."""
        return Scan(
            key=self.id,
            kind=self.kind,
            at=self.at,
            words=self.words[:500],
            place=self.place[:200],
            code=self.code[:40],
            reverses_key=self.reverses,
        )


class TrackingWire(Wire):
    """`GET /v1/tracking/{waybill}`, and `data` of a push (which carries one or more events)."""

    waybill: Number
    reference: str = ""
    events: list[EventWire]
    ended: bool = False
    expected_at: AwareDatetime | None = None

    def value(self) -> Report:
        """As a value. Never a snapshot: reversals are said, so leaving an event out means nothing."""
        return Report(
            waybill_number=self.waybill,
            reference=self.reference,
            scans=tuple(event.value() for event in self.events),
            ended=self.ended,
            expected_at=self.expected_at,
        )


class PushWire(Wire):
    """A push: type, time and data, as Standard Webhooks advises."""

    type: Literal["tracking.updated"]
    timestamp: datetime
    data: TrackingWire


class ChargeWire(Wire):
    """One billed amount."""

    waybill: Number
    kind: Name
    amount_fen: int
    billed_weight_g: Annotated[int, Field(ge=0)]
    payment: PaymentWire
    charged_on: date
    version: Annotated[int, Field(ge=1)] = 1

    def value(self) -> ChargeLine:
        """As a value."""
        return ChargeLine(
            waybill_number=self.waybill,
            kind=self.kind,
            amount_fen=self.amount_fen,
            billed_weight_g=self.billed_weight_g,
            payer=self.payment.payer,
            settling=self.payment.settling,
            account=self.payment.account,
            charged_on=self.charged_on,
            version=self.version,
        )


class ChargesWire(Wire):
    """One page of `GET /v1/charges?month=…`; `next` is empty on the last."""

    lines: list[ChargeWire]
    next: str = ""


class ErrorWire(Wire):
    """How the courier says no: a short code; its words are not passed on, they may name people."""

    code: str = ""
