"""What follows when parcels move: charges, deliveries, and the courier's pushes."""

from datetime import datetime

from ingest.models import Case, Original
from ingest.rules import CaseState
from ingest.services.delivery import close, start_delivery
from logistics.models import Parcel
from logistics.postage.charging import follow_waybill
from logistics.rules.parcels import OUTBOUND
from logistics.services.taking_in import process_all
from registry.actors import SYSTEM
from registry.models import Event


def take_in_push(event: Event, part: str, now: datetime) -> None:
    """The pushes that one entry of the audit chain names, each for itself."""
    process_all(delivery_ids=[delivery_id for delivery_id, _ in event.data.get("pushes", ())], now=now)


def charge(event: Event, part: str, now: datetime) -> None:
    """谁审批谁付费: the expected charge follows the waybill, as soon as there is one and until it is given up."""
    follow_waybill(parcel=Parcel.objects.get(pk=event.subject_id), actor=SYSTEM, now=now)


def note_delivery_begun(event: Event, part: str, now: datetime) -> None:
    """A result on the road means that its case is being delivered; it may have arrived before we came to note it."""
    for case in _cases_with_results(Parcel.objects.get(pk=event.subject_id)):
        if case.state == CaseState.DECIDED:
            start_delivery(case=case, actor=SYSTEM, now=now)
        _close_when_delivered(case, now)


def close_delivered(event: Event, part: str, now: datetime) -> None:
    """A case ends when the applicant holds the last of its papers, by post or at the counter."""
    _close_when_delivered(Original.objects.select_related("case").get(pk=event.subject_id).case, now)


def _close_when_delivered(case: Case, now: datetime) -> None:
    elsewhere = case.originals.exclude(place__in=[Original.Place.APPLICANT, Original.Place.ARCHIVE])
    if case.state == CaseState.DELIVERING and not elsewhere.exists():
        close(case=case, actor=SYSTEM, now=now)


def _cases_with_results(parcel: Parcel) -> list[Case]:
    if parcel.leg not in OUTBOUND:
        return []
    results = parcel.items.filter(original__kind=Original.Kind.RESULT)
    return list(Case.objects.filter(originals__parcel_items__in=results).distinct())
