"""What follows when parcels move: charges, deliveries, and the courier's pushes."""

from collections.abc import Iterable
from datetime import datetime

from ingest.models import Case, Original
from ingest.rules import CaseState
from ingest.services.delivery import close, start_delivery
from ingest.services.results import waits_for_fetching
from logistics.models import Parcel
from logistics.postage.charging import follow_waybill
from logistics.rules.parcels import OUTBOUND
from logistics.services.taking_in import process_all
from registry.actors import SYSTEM
from registry.models import Event

AT_REST = (Original.Place.APPLICANT, Original.Place.ARCHIVE, Original.Place.GONE)


def take_in_push(event: Event, part: str, now: datetime) -> None:
    """The pushes that one entry of the audit chain names, each for itself."""
    process_all(delivery_ids=[delivery_id for delivery_id, _ in event.data.get("pushes", ())], now=now)


def charge(event: Event, part: str, now: datetime) -> None:
    """谁审批谁付费: the expected charge follows the waybill, as soon as there is one and until it is given up."""
    follow_waybill(parcel=Parcel.objects.get(pk=event.subject_id), actor=SYSTEM, now=now)


def from_an_applicant(event: Event) -> Iterable[str]:
    """One job where what arrived was sent by an applicant: it may have been weighed only now."""
    return ("",) if Parcel.objects.get(pk=event.subject_id).is_from_applicant else ()


def note_delivery_begun(event: Event, part: str, now: datetime) -> None:
    """A result on the road means that its case is being delivered; it may have arrived before we came to note it."""
    for case in _cases_with_results(Parcel.objects.get(pk=event.subject_id)):
        if case.state == CaseState.DECIDED:
            start_delivery(case=case, actor=SYSTEM, now=now)
        close_when_delivered(case, now)


def close_delivered(event: Event, part: str, now: datetime) -> None:
    """A case ends when the applicant holds the last of its papers, by post or at the counter, or it is written off."""
    close_when_delivered(Original.objects.select_related("case").get(pk=event.subject_id).case, now)


def close_when_delivered(case: Case, now: datetime) -> None:
    """Once nothing is on its way to the applicant any more, neither a paper nor a file."""
    elsewhere = case.originals.exclude(place__in=AT_REST)
    if case.state == CaseState.DELIVERING and not elsewhere.exists() and not waits_for_fetching(case):
        close(case=case, actor=SYSTEM, now=now)


def _cases_with_results(parcel: Parcel) -> list[Case]:
    if parcel.leg not in OUTBOUND:
        return []
    results = parcel.items.filter(original__kind=Original.Kind.RESULT)
    return list(Case.objects.filter(originals__parcel_items__in=results).distinct())
