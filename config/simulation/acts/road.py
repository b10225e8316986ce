"""The courier: it takes bags, moves them, tells of it by pushes, errs, takes its word back, loses things."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from config.simulation.world import Deed, Where, World
from logistics.couriers.neutral.wire import EventWire
from logistics.models import Waybill
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, WaybillState
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.faults import Fault, FaultKind
from logistics.sandbox.pushing import Push, kuaidi100_pushes, neutral_push
from logistics.sandbox.world import Shipment, Unknown

K = TrackingKind
MISHAPS = (K.FAILED_ATTEMPT, K.EXCEPTION, K.DAMAGED, K.AT_LOCKER, K.CUSTOMS)
CARRIED = [ParcelState.SEALED.value, *sorted(ON_THE_ROAD), ParcelState.LOST.value]
LATELY = 20


def carry(world: World) -> Deed | None:
    """One bag comes one stop further, or something happens to it."""
    booked = Waybill.objects.filter(state=WaybillState.BOOKED.value).select_related("parcel", "carrier")
    if world.chance(0.03):  # the courier has something to say of a bag that was opened long ago
        done = booked.filter(parcel__state=ParcelState.RECEIVED.value).order_by("-pk")
        waybill = world.one_of(list(done[:LATELY]))
    else:
        waybill = world.one_of(list(booked.filter(parcel__state__in=CARRIED).order_by("pk")))
    if waybill is None:
        return None
    bag = world.bag(waybill.parcel.number)
    if bag == Where.SENDER:
        return _collect(world, waybill)
    if bag == Where.COURIER:
        return _on_the_way(world, waybill)
    if bag == Where.RECEIVER:
        return _at_the_door(world, waybill)
    if bag == Where.GONE and world.chance(0.15):
        return _say(world, waybill, "turn up", None, then=Where.COURIER)
    return None


def misbehave(world: World) -> Deed | None:
    """The next answers of the courier's interface are spoiled."""
    if world.calm:
        return None
    kind = world.dice.choice((FaultKind.LOST_ANSWER, FaultKind.ERROR, FaultKind.BUSY, FaultKind.LOST_ANSWER))
    on = world.dice.choice(("create", "find", "cancel", "subscribe", "query"))
    times = world.dice.randint(1, 4)
    return Deed(
        name="courier misbehaves",
        who="courier",
        what=f"{kind.value} on {on}, {times} times",
        do=lambda: world.courier.faults.add(Fault(kind=kind, on=on, times=times)),
    )


def push(world: World) -> Deed | None:
    """One of the pushes under way meets its fate."""
    message = world.one_of(world.wire.under_way)
    if message is None:
        return None
    if world.chance(0.10):
        return Deed("push lost", "wire", message.label, lambda: world.wire.fail(message))
    if world.chance(0.03):
        return Deed(
            "push forged", "wire", message.label, lambda: world.wire.forge(message, now=world.clock.now())
        )
    keep = world.chance(0.12)
    old = timedelta(minutes=world.dice.randint(1, 9)) if world.chance(0.08) else timedelta(0)
    return Deed(
        name="push",
        who="wire",
        what=f"{message.label}{', our answer is lost' if keep else ''}{f', {old} old' if old else ''}",
        do=lambda: world.wire.hand_in(message, now=world.clock.now(), old=old, keep=keep),
    )


def _collect(world: World, waybill: Waybill) -> Deed | None:
    scanned = waybill.parcel.state != ParcelState.SEALED
    if not scanned and not world.chance(0.05):
        return None
    return _say(world, waybill, "collect", K.COLLECTED, then=Where.COURIER)


def _at_the_door(world: World, waybill: Waybill) -> Deed | None:
    """The bag is there; the courier may take its word back all the same, and gives it again."""
    shipment = _shipment(world, waybill)
    if shipment is None:
        return None
    if K.DELIVERED not in {event.kind for event in shipment.held()}:
        return _say(world, waybill, "say again", K.DELIVERED)
    return _say(world, waybill, "reverse", None) if world.chance(0.05) else None


def _on_the_way(world: World, waybill: Waybill) -> Deed | None:
    shipment = _shipment(world, waybill)
    if shipment is None:
        return None
    kinds = {event.kind for event in shipment.held()}
    if K.RETURNING in kinds:
        return _say(world, waybill, "return", K.RETURNED, then=Where.BACK)
    if world.chance(0.06):
        return _say(world, waybill, "mishap", world.dice.choice(MISHAPS))
    if world.chance(0.02):
        return _say(world, waybill, "lose", K.LOST, then=Where.GONE)
    if world.chance(0.03):
        return _say(world, waybill, "refused", K.REFUSED if world.chance(0.5) else K.RETURNING)
    ahead = world.courier.next_step(shipment)
    if ahead is None or K.LOST in kinds:  # it said more than was true
        return _say(world, waybill, "reverse", None)
    if ahead == K.DELIVERED and world.chance(0.04):
        return _say(world, waybill, "deliver in words only", ahead)
    return _say(world, waybill, "move", ahead, then=Where.RECEIVER if ahead == K.DELIVERED else None)


def _say(
    world: World, waybill: Waybill, name: str, kind: TrackingKind | None, *, then: Where | None = None
) -> Deed | None:
    """`kind` None takes back the courier's last word."""
    shipment = _shipment(world, waybill)
    if shipment is None:
        return None
    parcel = waybill.parcel.number

    def do() -> None:
        event = world.courier.reverse(shipment) if kind is None else world.courier.move(shipment, kind)
        if then is not None:
            world.bags[parcel] = then
        if event is not None:
            _tell(world, shipment, event)

    what = f"{parcel} {kind.value if kind else 'takes its word back'}"
    return Deed(name=f"courier: {name}", who="courier", what=what, do=do)


def _tell(world: World, shipment: Shipment, event: EventWire) -> None:
    label = f"{shipment.number} {event.kind.value}"
    if shipment.callback_url and shipment.api_key:
        world.wire.post(label, partial(_signed, world, shipment, event))
    for follower in shipment.followers:
        for listed in kuaidi100_pushes(shipment, follower):
            world.wire.post(f"{label} list", _unchanged(listed))


def _signed(world: World, shipment: Shipment, event: EventWire, at: datetime) -> Push:
    secrets = world.courier.accounts[shipment.api_key]
    return neutral_push(shipment, event, secrets=secrets, timestamp=int(at.timestamp()))


def _unchanged(listed: Push) -> Callable[[datetime], Push]:
    def made(at: datetime) -> Push:
        return listed

    return made


def _shipment(world: World, waybill: Waybill) -> Shipment | None:
    """The courier's own record; one that it never heard of through us it makes when the bag is handed in."""
    if waybill.carrier_id == world.followed.pk:
        return world.courier.adopt(waybill.number)
    try:
        return world.courier.shipment(waybill.number)
    except Unknown:
        return None
