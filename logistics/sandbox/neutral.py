"""The sandbox as a neutral courier: orders, quotes, labels, tracking, charges."""

from collections.abc import Mapping
from datetime import date

from pydantic import ValidationError

from logistics.couriers.neutral.wire import (
    BookingsWire,
    BookingWire,
    ChargesWire,
    ChargeWire,
    OrderWire,
    QuoteWire,
    SubscriptionWire,
    TrackingWire,
)
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.http import Answer, Handler, Request, Route, as_json, route, says_no
from logistics.sandbox.wires import label_pdf
from logistics.sandbox.world import DAYS, Shipment, Unknown, World

PAGE_OF_CHARGES = 100


class NeutralDesk:
    """Answers the neutral interface; every request carries `Authorization: Bearer <api key>`."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """What it answers to, with the names of the acts for faults."""
        return [
            route("POST", "/v1/quotes", "quote", self._for_account(self.quote)),
            route("POST", "/v1/orders", "create", self._for_account(self.create)),
            route("GET", "/v1/orders", "find", self._for_account(self.find)),
            route("POST", "/v1/orders/{number}/cancel", "cancel", self._for_account(self.cancel)),
            route("GET", "/v1/orders/{number}/label", "label", self._for_account(self.label)),
            route("PUT", "/v1/orders/{number}/subscription", "subscribe", self._for_account(self.subscribe)),
            route("GET", "/v1/tracking/{number}", "query", self._for_account(self.tracking)),
            route("GET", "/v1/charges", "charges", self._for_account(self.charges)),
        ]

    def quote(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """A price from the list."""
        order = OrderWire.model_validate_json(request.body)
        return as_json(QuoteWire(amount_fen=self.world.prices.amount_fen(order), days=DAYS.days).model_dump())

    def create(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """201 for a new order, 200 for one that exists."""
        order = OrderWire.model_validate_json(request.body)
        with self.world.locked() as world:
            shipment, new = world.place(order, api_key=_api_key(request))
            return as_json(_booking(shipment).model_dump(), 201 if new else 200)

    def find(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """The orders of a reference."""
        reference = request.argument("reference")
        with self.world.locked() as world:
            found = [_booking(one) for one in world.ordered(reference, api_key=_api_key(request))]
        return as_json(BookingsWire(orders=found).model_dump())

    def cancel(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Not once it was collected."""
        with self.world.locked() as world:
            shipment = self._own(world, request, parts)
            if not world.cancel(shipment):
                return says_no("already_collected", 409)
            return as_json(_booking(shipment).model_dump())

    def label(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """A PDF of 100 × 150 mm with the number in large type."""
        with self.world.locked() as world:
            shipment = self._own(world, request, parts)
        return Answer(200, label_pdf(shipment.number), "application/pdf")

    def subscribe(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Where to push the events of one waybill."""
        url = SubscriptionWire.model_validate_json(request.body).url
        with self.world.locked() as world:
            self._own(world, request, parts).callback_url = url
        return as_json({"subscribed": True})

    def tracking(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """All events, also those that were taken back, and the reversals."""
        with self.world.locked() as world:
            shipment = self._own(world, request, parts)
            held = {event.kind for event in shipment.held()}
            answer = TrackingWire(
                waybill=shipment.number,
                reference=shipment.reference,
                events=list(shipment.events),
                ended=TrackingKind.DELIVERED in held or TrackingKind.RETURNED in held,
                expected_at=shipment.expected_at(),
            )
        return as_json(answer.model_dump(mode="json"))

    def charges(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """What the account owes for the month, page by page."""
        month = date.fromisoformat(f"{request.argument('month')}-01")
        start = int(request.argument("cursor") or 0)
        with self.world.locked() as world:
            rows = world.billed_in(month, api_key=_api_key(request))
            lines = [
                ChargeWire(
                    waybill=shipment.number,
                    kind="freight",
                    amount_fen=world.prices.amount_fen(order),
                    billed_weight_g=world.prices.billed_weight_g(order),
                    payment=order.payment,
                    charged_on=collected.at.date(),
                )
                for shipment, order, collected in rows[start : start + PAGE_OF_CHARGES]
            ]
        end = start + PAGE_OF_CHARGES
        page = ChargesWire(lines=lines, next=str(end) if end < len(rows) else "")
        return as_json(page.model_dump(mode="json"))

    def _own(self, world: World, request: Request, parts: Mapping[str, str]) -> Shipment:
        return world.own(parts["number"], api_key=_api_key(request))

    def _for_account(self, handler: Handler) -> Handler:
        def guarded(request: Request, parts: Mapping[str, str]) -> Answer:
            if _api_key(request) not in self.world.accounts:
                return says_no("bad_key", 401)
            try:
                return handler(request, parts)
            except Unknown:
                return says_no("unknown_waybill", 404)
            except (ValidationError, ValueError):
                return says_no("bad_request", 422)

        return guarded


def _api_key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" else ""


def _booking(shipment: Shipment) -> BookingWire:
    return BookingWire(
        waybill=shipment.number,
        reference=shipment.reference,
        state="cancelled" if shipment.cancelled else "created",
        routing={"route_code": f"{shipment.number[2:5]}-{shipment.number[5:7]}"},
    )
