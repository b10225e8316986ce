"""What follows when a result is a file: it is offered once everything lies ready, and fetched it is delivered."""

from datetime import datetime

from ingest.models import Case, ResultFile
from ingest.services.results import offer_results
from logistics.papers import fetched_proof_of
from registry.actors import SYSTEM
from registry.models import Event
from registry.paper.issue import issue, print_slip
from registry.paper.kinds import SlipKind
from workers.work.parcels import close_when_delivered


def offer(event: Event, part: str, now: datetime) -> None:
    """A file came, the last office decided, or the applicant chose 电子送达: whichever was last."""
    offer_results(case=Case.objects.get(number=event.case_number), now=now)


def close_fetched(event: Event, part: str, now: datetime) -> None:
    """The last thing that was on its way is with the applicant."""
    close_when_delivered(Case.objects.get(number=event.case_number), now)


def issue_fetched_proof(event: Event, part: str, now: datetime) -> None:
    """送达回证 of a file: one, for the first time that it was fetched."""
    file = ResultFile.objects.select_related("handling__case__item", "handling__case__window").get(
        pk=event.subject_id
    )
    case = file.handling.case
    slip = issue(
        kind=SlipKind.DELIVERY_PROOF,
        subject=file,
        data=fetched_proof_of(file, fetched_at=file.fetched_at or event.at),
        actor=SYSTEM,
        now=event.at,
        window=case.window,
        office=case.lead_office(),
    )
    print_slip(slip=slip, now=event.at)
