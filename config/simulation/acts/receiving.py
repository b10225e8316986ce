"""Receivers: they tick packing lists against what is in the bag, find what was missing, and close incidents."""

from config.simulation.world import Deed, Where, World
from logistics.models import Incident, Parcel, ParcelItem
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, Party
from logistics.services.custody import find_missing, receive_parcel
from logistics.services.incidents import resolve_incident
from registry.actors import Actor

RECEIVABLE = [*ON_THE_ROAD, ParcelState.LOST.value]


def open_bag(world: World) -> Deed | None:
    """A bag lies at its receiver; the courier may not have said so yet."""
    coming = Parcel.objects.filter(state__in=RECEIVABLE).exclude(receiver_kind=Party.APPLICANT.value)
    arrived = [one for one in coming.order_by("pk") if world.bag(one.number) == Where.RECEIVER]
    parcel = world.one_of(arrived)
    if parcel is None:
        return None
    actor = world.people.at(parcel.receiver_kind, parcel.receiver_id)
    return None if actor is None else _tick(world, parcel, actor)


def find_again(world: World) -> Deed | None:
    """What was missing lay under another pile."""
    missing = ParcelItem.objects.filter(holds=True, finding=ParcelItem.Finding.MISSING)
    item = world.one_of(list(missing.select_related("parcel").order_by("pk")))
    if item is None or not (world.calm or world.chance(0.2)):
        return None
    actor = world.people.at(item.parcel.receiver_kind, item.parcel.receiver_id)
    if actor is None:
        return None
    pk = item.pk
    return Deed(
        name="find missing",
        who=actor.label,
        what=item.parcel.number,
        do=lambda: find_missing(
            item=ParcelItem.objects.select_related("parcel", "original__case").get(pk=pk),
            actor=actor,
            now=world.clock.now(),
        ),
    )


def answer_incident(world: World) -> Deed | None:
    """Whoever owns an incident looks into it."""
    open_ones = Incident.objects.filter(state=Incident.State.OPEN).select_related("parcel").order_by("pk")
    incident = world.one_of(list(open_ones[:50]))
    if incident is None:
        return None
    actor = world.people.at(incident.owner_kind, incident.owner_id)
    if actor is None:
        return None
    pk = incident.pk
    return Deed(
        name="resolve incident",
        who=actor.label,
        what=f"{incident.parcel.number} {incident.kind}",
        do=lambda: resolve_incident(
            incident=Incident.objects.select_related("parcel").get(pk=pk),
            resolution="已与承运商核实",
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _tick(world: World, parcel: Parcel, actor: Actor) -> Deed:
    inside = list(parcel.items.filter(holds=True).order_by("pk").values_list("original_id", flat=True))
    ticked = [pk for pk in inside if not world.chance(0.04)]
    damaged = [pk for pk in ticked if world.chance(0.02)]
    extra = int(world.chance(0.02))
    return Deed(
        name="receive",
        who=actor.label,
        what=f"{parcel.number} {len(ticked)} of {len(inside)}",
        do=lambda: receive_parcel(
            parcel=Parcel.objects.get(pk=parcel.pk),
            ticked=ticked,
            damaged=damaged,
            extra=extra,
            actor=actor,
            now=world.clock.now(),
        ),
    )
