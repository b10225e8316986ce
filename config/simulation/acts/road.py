"""The courier: it takes bags, moves them, tells of it by pushes, errs, takes its word back, loses things."""

from datetime import timedelta

from config.simulation.couriers import shipment_of, told
from config.simulation.envelopes import Envelope, Where
from config.simulation.world import Deed, World
from logistics.models import Waybill
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, WaybillState
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.faults import Fault, FaultKind
from logistics.sandbox.world import Shipment

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
        waybill = world.one_row(booked.filter(parcel__state__in=CARRIED))
    if waybill is None:
        return None
    if waybill.parcel.is_from_applicant and not _is_of_its_envelope(world, waybill):
        return None  # mistyped: this courier has nothing under that number
    bag = world.bag(waybill.parcel)
    if bag == Where.SENDER:
        return _collect(world, waybill)
    if bag == Where.COURIER:
        return _on_the_way(world, waybill)
    if bag == Where.RECEIVER:
        return _at_the_door(world, waybill)
    if bag == Where.GONE and world.chance(0.15):
        return _say(world, waybill, "turn up", None, then=Where.COURIER)
    return None


def carry_unseen(world: World) -> Deed | None:
    """An applicant's envelope of which no courier tells us comes one stop further, back, or away."""
    under_way = [one for one in world.envelopes.all if one.where in (Where.SENDER, Where.COURIER)]
    envelope = world.one_of([one for one in under_way if not _is_followed(world, one)])
    if envelope is None:
        return None
    there = Where.COURIER if envelope.where == Where.SENDER else Where.RECEIVER
    if there == Where.RECEIVER and world.chance(0.08):
        there = world.dice.choice((Where.GONE, Where.BACK))

    def do() -> None:
        envelope.where = there

    return Deed("courier: carry unseen", "courier", f"{envelope.stands.number} {there.value}", do)


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
    parcel = waybill.parcel

    def do() -> None:
        event = world.courier.reverse(shipment) if kind is None else world.courier.move(shipment, kind)
        if then is not None:
            world.put(parcel, then)
        if event is not None:
            for label, make in told(world.courier, shipment, event):
                world.wire.post(label, make)

    what = f"{parcel.number} {kind.value if kind else 'takes its word back'}"
    return Deed(name=f"courier: {name}", who="courier", what=what, do=do)


def _shipment(world: World, waybill: Waybill) -> Shipment | None:
    return shipment_of(world.courier, world.couriers, waybill.carrier_id, waybill.number)


def _is_of_its_envelope(world: World, waybill: Waybill) -> bool:
    """Whether the courier finds this number on an envelope that it has or gets."""
    envelope = world.envelopes.of(waybill.parcel)
    return envelope is not None and _bears(envelope, waybill)


def _is_followed(world: World, envelope: Envelope) -> bool:
    """Whether somebody asked a follower of ours to tell of it."""
    named = Waybill.objects.filter(number=envelope.stands.number, state=WaybillState.BOOKED.value)
    return any(
        _bears(envelope, waybill) and world.couriers.follows(waybill.carrier_id) is not None
        for waybill in named
    )


def _bears(envelope: Envelope, waybill: Waybill) -> bool:
    carrier = envelope.stands.carrier
    return carrier is not None and (carrier.pk, envelope.stands.number) == (
        waybill.carrier_id,
        waybill.number,
    )
