"""Senders: they seal, weigh, order a waybill, change their minds, scan the bag as the courier takes it, take it back."""

from datetime import timedelta

from config.simulation.acts.packing import is_as_chosen, still_goes
from config.simulation.envelopes import Where
from config.simulation.world import Deed, World
from logistics.models import Parcel, Waybill
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, Party, WaybillState
from logistics.services.custody import confirm_delivery, hand_over, hand_over_later, report_lost, take_back
from logistics.services.ordering import order_waybill
from logistics.services.parcels import cancel_parcel, seal_parcel, unseal_parcel
from logistics.services.tracking import is_reported_delivered
from logistics.services.waybills import cancel_waybill
from registry.actors import Actor

UNDER_WAY = (WaybillState.REQUESTED.value, WaybillState.CANCELLING.value)
IMPATIENT = 0.2
"""Share of the looks at a bag whose waybill is being ordered or given back at which its sender orders all the same."""
NOT_GONE_YET = (ParcelState.PACKING.value, ParcelState.SEALED.value)


def work_on_bag(world: World) -> Deed | None:
    """A sender takes up one of the bags that did not leave yet."""
    parcel = world.one_row(Parcel.objects.filter(state__in=NOT_GONE_YET))
    if parcel is None:
        return None
    actor = world.people.at(parcel.sender_kind, parcel.sender_id)
    if actor is None:
        return None
    if parcel.state == ParcelState.PACKING:
        return _open_bag(world, parcel, actor)
    return _sealed_bag(world, parcel, actor)


def look_after_sent(world: World) -> Deed | None:
    """A sender looks after a bag that left: it came back, it is lost, or the applicant has it."""
    states = [*ON_THE_ROAD, ParcelState.LOST.value]
    parcel = world.one_row(Parcel.objects.filter(state__in=states))
    if parcel is None:
        return None
    actor = world.people.at(parcel.sender_kind, parcel.sender_id)
    if actor is None:
        return None
    where = world.bag(parcel)
    if where == Where.BACK:
        return _scan(world, "take back", parcel, actor)
    if parcel.receiver_kind == Party.APPLICANT and is_reported_delivered(parcel):
        if where == Where.RECEIVER or world.chance(0.1):
            return Deed(
                name="confirm delivery",
                who=actor.label,
                what=parcel.number,
                do=lambda: confirm_delivery(parcel=_fresh(parcel), actor=actor, now=world.clock.now()),
            )
    elif parcel.state != ParcelState.LOST and (where == Where.GONE or world.chance(0.003)):
        return Deed(
            name="report lost",
            who=actor.label,
            what=parcel.number,
            do=lambda: report_lost(parcel=_fresh(parcel), actor=actor, now=world.clock.now()),
        )
    return None


def _open_bag(world: World, parcel: Parcel, actor: Actor) -> Deed:
    if world.chance(0.05) or not still_goes(world, parcel):
        return Deed(
            name="cancel parcel",
            who=actor.label,
            what=parcel.number,
            do=lambda: cancel_parcel(parcel=_fresh(parcel), actor=actor, now=world.clock.now()),
        )
    grams = world.dice.randint(80, 4200)
    return Deed(
        name="seal",
        who=actor.label,
        what=f"{parcel.number} {grams} g",
        do=lambda: seal_parcel(parcel=_fresh(parcel), weight_g=grams, actor=actor, now=world.clock.now()),
    )


def _sealed_bag(world: World, parcel: Parcel, actor: Actor) -> Deed | None:
    waybill = parcel.waybills.filter(state=WaybillState.BOOKED).first()
    gone = world.bag(parcel) != Where.SENDER
    astray = not is_as_chosen(parcel)
    if waybill is None:
        under_way = parcel.waybills.filter(state__in=UNDER_WAY).exists()
        if astray:
            return None if under_way else _unseal(world, parcel, actor)
        return _order(world, parcel, actor) if not under_way or world.dice.random() < IMPATIENT else None
    if not gone and (astray or world.chance(0.04)):
        return _change_mind(world, parcel, waybill, actor)
    if not gone and not world.calm and world.dice.random() < 0.3:
        return None  # it waits for the courier
    if astray or world.chance(0.15):
        return _scan_offline(world, parcel, actor)
    return _scan(world, "hand over", parcel, actor)


def _order(world: World, parcel: Parcel, actor: Actor) -> Deed:
    if world.chance(0.06) and not parcel.waybills.filter(state=WaybillState.REQUESTED).exists():
        return _unseal(world, parcel, actor)
    by_hand = world.dice.random() < 0.3
    world.written += by_hand
    number = f"11{world.written:011d}" if by_hand else ""
    carrier = world.dice.choice(world.couriers.followed if by_hand else world.couriers.ordered)
    return Deed(
        name="write waybill" if by_hand else "order waybill",
        who=actor.label,
        what=f"{parcel.number} {number or carrier.code}",
        do=lambda: order_waybill(
            parcel=_fresh(parcel), carrier=carrier, actor=actor, now=world.clock.now(), number=number
        ),
    )


def _unseal(world: World, parcel: Parcel, actor: Actor) -> Deed:
    return Deed(
        name="unseal",
        who=actor.label,
        what=parcel.number,
        do=lambda: unseal_parcel(parcel=_fresh(parcel), actor=actor, now=world.clock.now()),
    )


def _change_mind(world: World, parcel: Parcel, waybill: Waybill, actor: Actor) -> Deed:
    pk = waybill.pk
    return Deed(
        name="cancel waybill",
        who=actor.label,
        what=f"{parcel.number} {waybill.number}",
        do=lambda: cancel_waybill(
            waybill=Waybill.objects.select_related("parcel", "account__carrier").get(pk=pk),
            reason="寄件方取消",
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _scan(world: World, name: str, parcel: Parcel, actor: Actor) -> Deed:
    service = {"hand over": hand_over, "take back": take_back}[name]
    return Deed(
        name=name,
        who=actor.label,
        what=parcel.number,
        do=lambda: service(token=_fresh(parcel).token_text, actor=actor, now=world.clock.now()),
    )


def _scan_offline(world: World, parcel: Parcel, actor: Actor) -> Deed:
    """The network was away; the counter's clock is a little wrong, too."""
    ago = timedelta(minutes=world.dice.randint(-9, 300))
    return Deed(
        name="hand over later",
        who=actor.label,
        what=f"{parcel.number} scanned {ago} ago",
        do=lambda: hand_over_later(
            token=_fresh(parcel).token_text,
            scanned_at=world.clock.now() - ago,
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _fresh(parcel: Parcel) -> Parcel:
    return Parcel.objects.get(pk=parcel.pk)
