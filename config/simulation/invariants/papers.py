"""Each original is in exactly one place, and each parcel's state follows from its events."""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import F, Model, QuerySet

from config.simulation.envelopes import Where
from config.simulation.invariants.chronicle import BEGINNING, Chronicle, News, Place, first_place
from config.simulation.world import World
from ingest.models import Original
from logistics.models import CustodyEvent, Incident, Loss, Parcel, ParcelItem
from logistics.rules.losses import LossState
from logistics.rules.parcels import ON_THE_ROAD, IncidentKind, ParcelState, Party
from logistics.rules.tracking import TrackingKind
from logistics.services.ends import place_of

Row = TypeVar("Row", bound=Model)
P = Original.Place
BEFORE_THE_ROAD = (ParcelState.PACKING.value, ParcelState.SEALED.value)


def each_original_is_in_one_place(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """The place that an original's row names is the end of its custody rows, which have no gap."""
    if not news.wrote(Original, CustodyEvent):
        return
    some = _among(Original.objects.all(), news.about(Original))
    for pk, place, place_id, *beginning in some.values_list("pk", "place", "place_id", *BEGINNING):
        ends = told.originals.get(pk) or first_place(*beginning)
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
    if not news.wrote(Original, Parcel, ParcelItem):
        return
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
    for pk in Original.objects.filter(place=P.GONE, pk__in=list(held)).values_list("pk", flat=True):
        yield f"original {pk} was written off, and parcel {held[pk]} still waits for it"
    travelling = Original.objects.filter(place__in=[P.PARCEL, P.LOST]).values_list("pk", "place_id")
    for pk, parcel_id in travelling:
        if held.get(pk) != parcel_id:
            yield f"original {pk} is said to be in parcel {parcel_id}, which does not list it"


def each_parcel_is_explained(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """The state of a parcel is where its events lead along the arrows of its table."""
    if not news.wrote(Parcel):
        return
    some = _among(Parcel.objects.all(), news.about(Parcel))
    for pk, number, state in some.values_list("pk", "number", "state"):
        if told.parcels.get(pk) != state:
            yield f"{number} is {state}, but its events lead to {told.parcels.get(pk, 'nothing')}"


def what_is_looked_for_has_its_search(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """A paper that is not on its desk is looked for under one open incident, of its own desk, and on nobody's list; and no
    such search goes on for one that is somewhere.
    """
    if not news.wrote(Original, Incident, ParcelItem):
        return
    missing = dict(Original.objects.filter(place=P.MISSING).values_list("pk", "place_id"))
    searches = Incident.objects.filter(kind=IncidentKind.MISSING_AT_DESK.value, state=Incident.State.OPEN)
    open_ones = dict(searches.values_list("original_id", "pk"))
    for pk in sorted(missing.keys() | open_ones.keys()):
        if missing.get(pk) != open_ones.get(pk):
            yield f"original {pk} is looked for under {missing.get(pk)}, and {open_ones.get(pk)} is open for it"
    for pk in ParcelItem.objects.filter(holds=True, original__in=missing).values_list(
        "original_id", flat=True
    ):
        yield f"original {pk} is not on its desk, and a list says that it is packed"


def what_is_gone_was_said_by_two(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Written off is what one person declared and another confirmed, and nothing else."""
    if not news.wrote(Original, Loss):
        return
    gone = set(Original.objects.filter(place=P.GONE).values_list("pk", flat=True))
    confirmed = Loss.objects.filter(state=LossState.CONFIRMED)
    by_two = set(confirmed.exclude(decided_by=F("declared_by")).values_list("original_id", flat=True))
    for pk in sorted(gone ^ by_two):
        yield f"original {pk} is {'' if pk in gone else 'not '}written off, two persons say otherwise"


def nothing_delivered_is_said_lost(world: World) -> Iterator[str]:
    """Asked at the end: what lies at its receiver, and was told to, is not written down as lost; nor is written off what
    came to its window with the bag with which it was given up.
    """
    lost = ParcelItem.objects.filter(original__place=P.LOST)
    gone = ParcelItem.objects.filter(
        original__place=P.GONE, parcel__receiver_kind=Party.WINDOW.value, parcel__state=ParcelState.RECEIVED
    ).exclude(finding=ParcelItem.Finding.MISSING)
    for item in (
        (lost | gone).filter(parcel_id=F("original__place_id")).select_related("parcel").order_by("pk")
    ):
        told = item.parcel.waybills.filter(latest_kind=TrackingKind.DELIVERED).exists()
        if told and world.bag(item.parcel) == Where.RECEIVER:
            yield (
                f"original {item.original_id} is said to be lost with {item.parcel.number}, which lies at its receiver"
            )


def _among(rows: QuerySet[Row], keys: set[int] | None) -> QuerySet[Row]:
    return rows if keys is None else rows.filter(pk__in=keys)
