"""What applicants send themselves: told it is one parcel, and what lies at the office was taken in there."""

from collections.abc import Iterator

from django.db.models import Count

from config.simulation.envelopes import Where
from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from ingest.models import Original
from logistics.models import CustodyEvent, Parcel
from logistics.rules.parcels import ParcelState, Party
from logistics.rules.payers import Leg
from registry.terms import Mode

P = Original.Place


def each_envelope_is_one_parcel(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """However often, by whomever and in whatever order courier and number are told, they are one parcel of the case."""
    if not news.wrote(Parcel):
        return
    own = Parcel.objects.filter(sender_kind=Party.APPLICANT.value).exclude(told_number="")
    standing = own.exclude(state=ParcelState.CANCELLED.value)
    twice = standing.values("sender_id", "told_carrier", "told_number").annotate(count=Count("pk"))
    for row in twice.filter(count__gt=1):
        yield f"{row['told_carrier']} {row['told_number']} of case {row['sender_id']} is {row['count']} parcels"


def no_window_takes_in_what_an_applicant_sends(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """It begins with the applicant of a case in 全程网办, and leaves them in a parcel to the office and in no other way."""
    for row in news.custody:
        if row.from_place != P.APPLICANT:
            continue
        original = Original.objects.select_related("case").get(pk=row.original_id)
        by_parcel = (
            row.parcel_id is not None
            and Parcel.objects.filter(
                pk=row.parcel_id,
                leg=Leg.ONLINE_APPLICATION.value,
                sender_kind=Party.APPLICANT.value,
                sender_id=original.case_id,
                receiver_kind=Party.OFFICE.value,
            ).exists()
        )
        if not (by_parcel and original.from_applicant and original.case.mode == Mode.ONLINE):
            yield f"original {row.original_id} left its applicant for {row.to_place} {row.to_id}"


def what_lies_at_the_office_was_taken_in(world: World) -> Iterator[str]:
    """Asked at the end: each paper in an envelope that came to the office has been there by its chain, or was written off."""
    for envelope in world.envelopes.all:
        if envelope.where != Where.RECEIVER:
            continue
        arrived = CustodyEvent.objects.filter(original__in=envelope.inside, to_place__in=[P.OFFICE, P.GONE])
        unseen = envelope.inside - set(arrived.values_list("original_id", flat=True))
        for pk in sorted(unseen):
            yield f"original {pk} came with {envelope.stands.number} to the office, which does not know it"
