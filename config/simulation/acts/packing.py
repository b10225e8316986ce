"""Whoever holds originals packs them: where each may go next, several of any case in one bag where they go together."""

from dataclasses import dataclass

from django.db.models import QuerySet

from config.simulation.acts.offices import OVER
from config.simulation.world import Deed, World
from ingest.models import Case, Original
from ingest.rules import may_post_originals
from ingest.services.stops import deliverer, onward
from logistics.models import Parcel
from logistics.rules.parcels import ParcelState, Party
from logistics.rules.payers import Leg
from logistics.services.ends import End, end_of, thing_at
from logistics.services.parcels import add_original, pack, remove_original
from registry.actors import Actor
from registry.models import Office, Window
from registry.terms import Delivery, Mode


@dataclass(frozen=True)
class Direction:
    """Where an original goes next, and as what."""

    leg: Leg
    receiver: End

    @property
    def key(self) -> tuple[str, str, int]:
        kind, pk = end_of(self.receiver)
        return self.leg.value, kind.value, pk


def pack_something(world: World) -> Deed | None:
    """A new bag for one free original, and for others that go the same way."""
    actor = world.dice.choice((*world.people.clerks, *world.people.officers))
    first = world.one_row(free_at(actor))
    if first is None:
        return None
    going = direction(world, first)
    if going is None:
        return None
    free = list(free_at(actor))
    others = [one for one in free if one.pk != first.pk and world.dice.random() < 0.6]
    together = [first, *(one for one in others if _goes(world, one, going))]
    if going.leg == Leg.JOINT_RESULT:
        # A joint result leaves whole: all of this case, and of no other.
        together = [one for one in free if one.case_id == first.case_id and one.kind == first.kind]
    pks = [one.pk for one in together]
    return Deed(
        name="pack",
        who=actor.label,
        what=f"{going.leg.value} {len(pks)} of {first.case.number}",
        do=lambda: pack(
            leg=going.leg,
            sender=_place_of(actor),
            receiver=going.receiver,
            originals=list(Original.objects.filter(pk__in=pks).select_related("case").order_by("pk")),
            actor=actor,
            now=world.clock.now(),
        ),
    )


def repack(world: World) -> Deed | None:
    """One more into an open bag, or one out of it; also what does not belong there, which is refused."""
    actor = world.dice.choice((*world.people.clerks, *world.people.officers))
    kind, pk = end_of(_place_of(actor))
    parcel = world.one_row(
        Parcel.objects.filter(sender_kind=kind.value, sender_id=pk, state=ParcelState.PACKING.value)
    )
    if parcel is None or world.calm:
        return None
    inside = [item.original for item in parcel.items.select_related("original").order_by("pk")]
    if inside and world.chance(0.3):
        original = world.dice.choice(inside)
        return Deed(
            name="take out",
            who=actor.label,
            what=f"{parcel.number} {original.name}",
            do=lambda: remove_original(
                parcel=Parcel.objects.get(pk=parcel.pk),
                original=Original.objects.get(pk=original.pk),
                actor=actor,
                now=world.clock.now(),
            ),
        )
    free = world.one_row(free_at(actor))
    if free is None:
        return None
    return Deed(
        name="put in",
        who=actor.label,
        what=f"{parcel.number} {free.name}",
        do=lambda: add_original(
            parcel=Parcel.objects.get(pk=parcel.pk),
            original=Original.objects.get(pk=free.pk),
            actor=actor,
            now=world.clock.now(),
        ),
    )


def still_goes(world: World, parcel: Parcel) -> bool:
    """Whether everything in an open bag would still be sent there; a case may have ended meanwhile."""
    items = parcel.items.select_related("original__case__window", "original__handling__office")
    there = (parcel.receiver_kind, parcel.receiver_id)
    ways = [direction(world, item.original) for item in items.order_by("pk")]
    goes = bool(ways) and all(way is not None and way.key[1:] == there for way in ways)
    return goes and (parcel.leg != Leg.JOINT_RESULT or _is_whole(parcel))


def is_as_chosen(parcel: Parcel) -> bool:
    """Whether each result in it still goes where its applicant wants it; a choice may change while the bag lies there.

    Between offices a result goes to the one that sends what all decided.
    """
    if parcel.leg not in {Leg.RESULT, Leg.JOINT_RESULT}:
        return True
    there = (parcel.receiver_kind, parcel.receiver_id)
    results = parcel.items.filter(original__kind=Original.Kind.RESULT).select_related(
        "original__case__window"
    )
    return all(
        item.original.case.delivery == Delivery.ELECTRONIC or _end_at(_home(item.original.case)) == there
        for item in results
    )


def direction(world: World, original: Original) -> Direction | None:
    """Where the people who hold it would send it now; None while it is needed here, or is fetched."""
    going = onward(original) if original.kind == Original.Kind.MATERIAL else None
    if original.place == Original.Place.WINDOW:
        if going is None or not may_post_originals(original.case.mode, going.state):
            return None
        return Direction(Leg.MATERIALS if world.dice.random() < 0.9 else Leg.SUPPLEMENT, going.office)
    if original.kind == Original.Kind.RESULT:
        return _result_direction(original)
    if going is not None:
        return Direction(Leg.TRANSFER, going.office) if original.case.mode == Mode.JOINT else None
    if original.handling.state not in OVER:
        return None
    return Direction(Leg.ORIGINAL_RETURN, _home(original.case))


def _result_direction(original: Original) -> Direction | None:
    case = original.case
    if case.mode != Mode.JOINT:
        return Direction(Leg.RESULT, _home(case))
    states = list(case.handlings.values_list("state", flat=True))
    if any(state not in OVER for state in states):
        return None
    sends = deliverer(case.handlings.select_related("office"))
    if original.place_id != sends.office_id:
        return Direction(Leg.TRANSFER, sends.office)
    return Direction(Leg.JOINT_RESULT, _home(case)) if _gathered(case, sends.office_id) else None


def _gathered(case: Case, office_id: int) -> bool:
    """Whether every paper result that is still about lies at this office."""
    results = case.originals.filter(kind=Original.Kind.RESULT)
    abroad = results.filter(place__in=[Original.Place.OFFICE, Original.Place.PARCEL])
    return not abroad.exclude(place=Original.Place.OFFICE, place_id=office_id).exists()


def _is_whole(parcel: Parcel) -> bool:
    """Whether no result of its cases was left on the table."""
    cases = parcel.items.values("original__case")
    results = Original.objects.filter(kind=Original.Kind.RESULT, case__in=cases, place=Original.Place.OFFICE)
    return not results.exclude(parcel_items__in=parcel.items.all()).exists()


def _end_at(end: End) -> tuple[str, int]:
    kind, pk = end_of(end)
    return kind.value, pk


def _home(case: Case) -> End:
    return case.window if case.delivery == Delivery.WINDOW else case


def _goes(world: World, original: Original, there: Direction) -> bool:
    going = direction(world, original)
    return going is not None and going.key == there.key


def free_at(actor: Actor) -> QuerySet[Original]:
    """What lies on their desk and is on no list."""
    kind, pk = end_of(_place_of(actor))
    here = Original.objects.filter(place=kind.value, place_id=pk).exclude(parcel_items__holds=True)
    return here.select_related("case__window", "handling__office").order_by("pk")


def _place_of(actor: Actor) -> Window | Office:
    kind, pk = (
        (Party.WINDOW, actor.window_id) if actor.window_id is not None else (Party.OFFICE, actor.office_id)
    )
    place = thing_at(kind.value, pk or 0)
    assert not isinstance(place, Case)
    return place
