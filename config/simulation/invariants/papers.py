"""Each original is in exactly one place, and each parcel's state follows from its events."""

from collections.abc import Iterator

from config.simulation.invariants.chronicle import Chronicle, News, Place, first_place
from config.simulation.world import Where, World
from ingest.models import Original
from logistics.models import Parcel, ParcelItem
from logistics.rules.parcels import ON_THE_ROAD, ParcelState
from logistics.rules.tracking import TrackingKind
from logistics.services.ends import place_of

P = Original.Place
BEFORE_THE_ROAD = (ParcelState.PACKING.value, ParcelState.SEALED.value)


def each_original_is_in_one_place(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """The place that an original's row names is the end of its custody rows, which have no gap."""
    rows = Original.objects.values_list(
        "pk", "place", "place_id", "kind", "case__window_id", "handling__office_id"
    )
    for pk, place, place_id, kind, window, office in rows:
        ends = told.originals.get(pk) or first_place(kind, window=window, office=office)
        if (place, place_id) != (ends.place, ends.place_id):
            yield f"original {pk} is at {place} {place_id}, but its custody ends at {ends.place} {ends.place_id}"


def each_move_is_told_once(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """A custody row and an audit entry for each other."""
    touched = {row.original_id for row in news.custody}
    touched |= {int(event.subject_id) for event in news.events if event.kind == "original.moved"}
    for pk in sorted(touched):
        moves = told.originals.get(pk, Place("", 0)).sequence
        if told.told_moves[pk] != moves:
            yield f"original {pk}: {moves} moves, told {told.told_moves[pk]} times"


def what_travels_is_in_its_parcel(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Held by a list: at the sender before the road, in the parcel on it, and nowhere after it but for what is missing."""
    held = {}
    lists = ParcelItem.objects.filter(holds=True).values_list(
        "parcel_id",
        "parcel__state",
        "parcel__sender_kind",
        "parcel__sender_id",
        "finding",
        "original_id",
        "original__place",
        "original__place_id",
    )
    for parcel, state, sender, sender_id, finding, original, place, place_id in lists:
        held[original] = parcel
        here = (place, place_id)
        if state in BEFORE_THE_ROAD:
            right = here == (place_of(sender), sender_id)
        elif state == ParcelState.LOST:
            right = here == (P.LOST.value, parcel)
        elif state == ParcelState.RECEIVED:
            missing = finding == ParcelItem.Finding.MISSING
            right = missing and here in ((P.PARCEL.value, parcel), (P.LOST.value, parcel))
        else:
            right = state in ON_THE_ROAD and here == (P.PARCEL.value, parcel)
        if not right:
            yield f"parcel {parcel} is {state} and lists original {original}, which is at {here}"
    travelling = Original.objects.filter(place__in=[P.PARCEL, P.LOST]).values_list("pk", "place_id")
    for pk, parcel_id in travelling:
        if held.get(pk) != parcel_id:
            yield f"original {pk} is said to be in parcel {parcel_id}, which does not list it"


def each_parcel_is_explained(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """The state of a parcel is where its events lead along the arrows of its table."""
    for pk, number, state in Parcel.objects.values_list("pk", "number", "state"):
        if told.parcels.get(pk) != state:
            yield f"{number} is {state}, but its events lead to {told.parcels.get(pk, 'nothing')}"


def nothing_delivered_is_said_lost(world: World) -> Iterator[str]:
    """Asked at the end: what lies at its receiver, and was told to, is not written down as lost."""
    lost = Original.objects.filter(place=P.LOST).values_list("pk", "place_id")
    for pk, parcel_id in lost.order_by("pk"):
        parcel = Parcel.objects.get(pk=parcel_id)
        told = parcel.waybills.filter(latest_kind=TrackingKind.DELIVERED).exists()
        if told and world.bag(parcel.number) == Where.RECEIVER:
            yield f"original {pk} is said to be lost with {parcel.number}, which lies at its receiver"
