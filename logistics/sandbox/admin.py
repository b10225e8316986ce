"""The sandbox's own controls: move parcels, wish for faults, register accounts, look at what was pushed."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ValidationError, model_validator

from logistics.couriers.neutral.wire import EventWire
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.ems import ems_push
from logistics.sandbox.faults import Fault, FaultKind
from logistics.sandbox.http import Answer, Handler, Request, Route, as_json, route, says_no
from logistics.sandbox.kdniao import kdniao_push
from logistics.sandbox.pushing import Postman, Push, kuaidi100_pushes, neutral_push
from logistics.sandbox.sf import sf_push
from logistics.sandbox.world import ROUTE, Contract, Shipment, Unknown, World

OTHER_COMPANY = "yuantong"
SECRETS = {"ems": ("key", "authorization"), "sf": ("checkword", "card"), "kdniao": ("app_key",)}
PUSHES: dict[str, Callable[[Shipment, EventWire, Contract], Push | None]] = {
    "ems": ems_push,
    "sf": sf_push,
    "kdniao": kdniao_push,
}


class Advance(BaseModel):
    """`to`: a kind of our vocabulary, `next` on the ordinary route, or `reverse` (undo the latest, or all of `kind`).

    `through`: make every stop of the ordinary route up to `to`, one push each. `at`: time of the last event.
    """

    waybill: str
    to: str = "next"
    kind: TrackingKind | None = None
    through: bool = False
    at: AwareDatetime | None = None
    words: str = ""
    place: str = ""


class AccountWish(BaseModel):
    """An account that may order here: `api_key` with webhook secrets (all of them sign), a kuaidi100 customer, or a
    `contract` with EMS, SF or kdniao.
    """

    api_key: str = ""
    webhook_secrets: list[str] = []
    kuaidi100_key: str = ""
    kuaidi100_customer: str = ""
    contract: "ContractWish | None" = None


class ContractWish(BaseModel):
    """`name`: 协议客户号, partner id or EBusinessID. `secrets` as the adapter names them (SF: also its `card`)."""

    interface: Literal["ems", "sf", "kdniao"]
    name: str
    secrets: dict[str, str]
    push_url: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := [name for name in SECRETS[self.interface] if not self.secrets.get(name)]:
            raise ValueError(f"missing {missing}")
        return self

    def contract(self) -> Contract:
        """As the world keeps it."""
        return Contract(self.interface, self.name, self.secrets, self.push_url)


class ShipmentWish(BaseModel):
    """A waybill that another channel made, for kuaidi100 to follow."""

    number: str
    company: str = "ems"


class AdminDesk:
    """Answers under `/sandbox/`."""

    def __init__(self, world: World, postman: Postman) -> None:
        self.world = world
        self.postman = postman

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [
            route("GET", "/sandbox/health", "admin", self.health),
            route("POST", "/sandbox/advance", "admin", _checked(self.advance)),
            route("POST", "/sandbox/faults", "admin", _checked(self.add_fault)),
            route("DELETE", "/sandbox/faults", "admin", self.clear_faults),
            route("POST", "/sandbox/accounts", "admin", _checked(self.add_account)),
            route("POST", "/sandbox/shipments", "admin", _checked(self.add_shipment)),
            route("GET", "/sandbox/shipments/{number}", "admin", _checked(self.show_shipment)),
            route("POST", "/sandbox/release", "admin", self.release),
            route("GET", "/sandbox/pushes", "admin", self.pushes),
        ]

    def health(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """It listens."""
        return as_json({"ok": True})

    def advance(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Moves one parcel and pushes; answers the kinds that happened and what each push was answered."""
        wish = Advance.model_validate_json(request.body)
        with self.world.locked() as world:
            shipment = world.shipment(wish.waybill)
            if shipment.cancelled:
                return says_no("cancelled", 409)
            kinds = self._kinds(shipment, wish)
        done, outcomes = [], []
        for position, kind in enumerate(kinds):
            with self.world.locked() as world:
                event = self._happen(world, shipment, wish, kind, left=len(kinds) - position - 1)
                pushes = self._pushes(world, shipment, event) if event else []
            if event is None:
                return says_no("nothing_to_do", 409)
            done.append(event.kind.value)
            for push in pushes:
                outcomes.extend(self.postman.deliver(push))
        return as_json({"waybill": shipment.number, "events": done, "pushes": outcomes})

    def step(self, shipment: Shipment) -> bool:
        """One step along the ordinary route, for the clock; whether there was one."""
        with self.world.locked() as world:
            kind = world.next_step(shipment)
            if kind is None:
                return False
            pushes = self._pushes(world, shipment, world.move(shipment, kind))
        for push in pushes:
            self.postman.deliver(push)
        return True

    def add_fault(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Queues a fault."""
        self.world.faults.add(Fault.model_validate_json(request.body))
        return as_json({"ok": True}, 201)

    def clear_faults(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Forgets all faults."""
        self.world.faults.clear()
        return as_json({"ok": True})

    def add_account(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Registers an account, or replaces its secrets (that is how a rotation is played)."""
        wish = AccountWish.model_validate_json(request.body)
        with self.world.locked() as world:
            if wish.api_key:
                world.accounts[wish.api_key] = wish.webhook_secrets
            if wish.kuaidi100_key:
                world.kuaidi100_keys[wish.kuaidi100_key] = wish.kuaidi100_customer
            if wish.contract:
                contract = wish.contract.contract()
                world.contracts[contract.key] = contract
        return as_json({"ok": True}, 201)

    def add_shipment(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Takes over a waybill of another channel."""
        wish = ShipmentWish.model_validate_json(request.body)
        with self.world.locked() as world:
            world.adopt(wish.number, company=wish.company).company = wish.company
        return as_json({"ok": True}, 201)

    def show_shipment(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """What the sandbox knows of a parcel, without names and addresses."""
        with self.world.locked() as world:
            shipment = world.shipment(parts["number"])
            return as_json(
                {
                    "waybill": shipment.number,
                    "reference": shipment.reference,
                    "company": shipment.company,
                    "cancelled": shipment.cancelled,
                    "events": [event.model_dump(mode="json") for event in shipment.events],
                }
            )

    def release(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Sends what a `reordered` fault held back."""
        return as_json({"pushes": self.postman.release()})

    def pushes(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """The outcomes of the latest pushes."""
        return as_json({"pushes": list(self.postman.sent)})

    def _kinds(self, shipment: Shipment, wish: Advance) -> list[TrackingKind | None]:
        if wish.to == "reverse":
            return [None]
        if wish.to == "next":
            following = self.world.next_step(shipment)
            return [following] if following else [None]
        kind = TrackingKind(wish.to)
        if not wish.through or kind not in ROUTE:
            return [kind]
        held = {event.kind for event in shipment.held()}
        return [stop for stop in ROUTE[: ROUTE.index(kind) + 1] if stop not in held]

    def _happen(
        self, world: World, shipment: Shipment, wish: Advance, kind: TrackingKind | None, *, left: int
    ) -> EventWire | None:
        if kind is None:
            return world.reverse(shipment, wish.kind) if wish.to == "reverse" else None
        at = wish.at - timedelta(minutes=left) if wish.at else None
        return world.move(shipment, kind, at=at, words=wish.words if left == 0 else "", place=wish.place)

    def _pushes(self, world: World, shipment: Shipment, event: EventWire) -> list[Push]:
        pushes = []
        if world.faults.take(FaultKind.WRONG_COMPANY, "push"):
            shipment.company = OTHER_COMPANY
        if shipment.callback_url:
            secrets = world.accounts.get(shipment.api_key, [])
            timestamp = int(world.clock().timestamp())
            pushes.append(neutral_push(shipment, event, secrets=secrets, timestamp=timestamp))
        for follower in shipment.followers:
            pushes.extend(kuaidi100_pushes(shipment, follower))
        for key in shipment.watchers:
            contract = world.contracts[key]
            push = PUSHES[contract.interface](shipment, event, contract) if contract.push_url else None
            pushes.extend([push] if push else [])
        return pushes


def _checked(handler: Handler) -> Handler:
    def guarded(request: Request, parts: Mapping[str, str]) -> Answer:
        try:
            return handler(request, parts)
        except Unknown:
            return says_no("unknown_waybill", 404)
        except (ValidationError, ValueError):
            return says_no("bad_request", 422)

    return guarded
