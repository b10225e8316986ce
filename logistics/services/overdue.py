"""超期原件: originals that lie too long where they are, each with whose turn it is; nobody has to remember them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Q, QuerySet

from ingest.models import Original
from ingest.rules import NEEDS_NO_PAPER, HandlingState
from ingest.services.stops import onward
from logistics.models import Parcel, ParcelItem
from logistics.rules.overdue import DAYS, Late, Lying, waits_for
from logistics.rules.parcels import ON_THE_ROAD, Party
from logistics.services.lateness import SOONEST, lateness
from registry.actors import Actor
from registry.calendar import current_calendar
from registry.deadlines import deadline_policies
from registry.models import Event
from registry.permissions import visible
from registry.rules.deadlines import Delayer, late_since, rules_for
from registry.time import local_day
from registry.workdays import Calendar

MOST = 500
"""Papers of one kind that are looked at, those that moved longest ago first."""
P = Original.Place
_ENDED = {*NEEDS_NO_PAPER}
_TURNS = (
    "case.submitted",
    "handling.pre_reviewed",
    "handling.accepted",
    "handling.decided",
    "handling.refused",
    "case.withdrawn",
    "case.partly_withdrawn",
)
"""Acts after which it is another desk's turn, or the paper is needed no more."""


@dataclass(frozen=True)
class Overdue:
    """`since` is the last day that was in time; `who` has to act: a desk by kind and id, or the courier (kind only).

    `region` is that whose deadline policy decides; `parcel` the one in which the paper lies, None on a desk.
    """

    original: Original
    late: Late
    since: date
    who: tuple[str, int]
    region: str
    parcel: Parcel | None = None


COURIER = "courier"


def overdue_originals(*, actor: Actor, now: datetime) -> list[Overdue]:
    """Every original of the actor's cases that is late, the longest first. A constant number of queries."""
    mine = visible(actor, "original.see", Original.objects.all())
    found = overdue_among(mine, now=now, most=MOST)
    return sorted(found, key=lambda each: (each.since, each.original.pk))


def overdue_among(rows: QuerySet[Original], *, now: datetime, most: int | None = None) -> list[Overdue]:
    """Of these originals those that are late, at most `most` of a kind looked at. A constant number of queries."""
    today, calendar = local_day(now), current_calendar()
    settled = rows.filter(moved_at__lt=now - SOONEST)
    return [*_on_the_road(settled, today, calendar, most), *_on_desks(settled, today, calendar, most)]


def _on_the_road(
    mine: QuerySet[Original], today: date, calendar: Calendar, most: int | None
) -> Iterator[Overdue]:
    """As the deadlines know it: late with the courier, or delivered and not ticked."""
    policies = deadline_policies()
    held = ParcelItem.objects.filter(
        holds=True, parcel__state__in=ON_THE_ROAD, original__in=mine.filter(place=P.PARCEL).values("pk")
    )
    items = held.select_related(
        "parcel", "original__case__item", "original__case__window", "original__handling__office"
    )
    for item in items.order_by("original__moved_at", "pk")[:most]:
        original, parcel = item.original, item.parcel
        to_office = parcel.receiver_kind == Party.OFFICE
        region = original.handling.office.region_id if to_office else original.case.window.region_id
        for told in lateness(parcel, rules_for(region, today, policies), today=today, calendar=calendar):
            if told.until is not None:
                continue
            if told.who == Delayer.COURIER:
                yield Overdue(original, Late.ROAD, told.since, (COURIER, 0), region, parcel)
            elif parcel.receiver_kind != Party.APPLICANT:
                desk = (parcel.receiver_kind, parcel.receiver_id)
                yield Overdue(original, Late.UNTICKED, told.since, desk, region, parcel)


def _on_desks(
    mine: QuerySet[Original], today: date, calendar: Calendar, most: int | None
) -> Iterator[Overdue]:
    done = Q(kind=Original.Kind.RESULT) | Q(handling__state__in=sorted(_ENDED))
    may_leave = Q(
        place=P.WINDOW,
        handling__state__in=[
            HandlingState.PENDING.value,
            HandlingState.PRE_REVIEW.value,
            HandlingState.ACCEPTED.value,
            HandlingState.SUPPLEMENT.value,
        ],
    )
    rows = (
        mine.filter(done | may_leave, place__in=[P.WINDOW, P.OFFICE])
        .exclude(case__state="draft")
        .select_related("case__item", "case__window", "handling__office", "material__requirement")
        .prefetch_related("stops__handling__office", "case__handlings")
        .distinct()
    )
    lying = list(rows.order_by("moved_at", "pk")[:most])
    turns = _last_turns(original.case.number for original in lying)
    for original in lying:
        late = waits_for(_facts(original))
        if late is None:
            continue
        since = max(original.moved_at, turns.get(original.case.number, original.moved_at))
        over = late_since(local_day(since), DAYS[late], until=today, calendar=calendar)
        if over is not None:
            at_window = original.place == P.WINDOW
            region = original.case.window.region_id if at_window else original.handling.office.region_id
            yield Overdue(original, late, over, (original.place, original.place_id), region)


def _facts(original: Original) -> Lying:
    material = original.kind == Original.Kind.MATERIAL
    going = onward(original) if material else None
    at_window = original.place == P.WINDOW
    handling = going or original.handling
    # A paper that was taken in before stops were kept goes to the office it belongs to.
    unsent = at_window and not original.stops.all() and handling.state not in _ENDED
    return Lying(
        at_window=at_window,
        result=not material,
        mailed=original.material is not None and original.material.requirement.mailed,
        mode=original.case.mode,
        state=handling.state,
        needed_next=material and (going is not None or unsent),
        all_decided=all(one.state in _ENDED for one in original.case.handlings.all()),
    )


def _last_turns(numbers: Iterable[str]) -> dict[str, datetime]:
    """Case number → when the last act was done after which papers have to move."""
    told = Event.objects.filter(case_number__in=sorted(set(numbers)), kind__in=_TURNS)
    return dict(
        told.order_by().values("case_number").annotate(last=Max("at")).values_list("case_number", "last")
    )
