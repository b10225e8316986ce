"""Which event leads to which work: the whole table on one page.

A name is kept in the database with every job; changing one leaves its waiting jobs without work.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from registry.models import Event
from workers.work import (
    arrivals,
    calendars,
    dossiers,
    letters,
    pages,
    papers,
    parcels,
    platforms,
    ratings,
    results,
    settlements,
    statements,
)


def whole(event: Event) -> Iterable[str]:
    """One job for the event."""
    return ("",)


@dataclass(frozen=True)
class Reaction:
    """`do(event, part, now)` is idempotent; `parts(event)` only asks the database which pieces there are."""

    name: str
    do: Callable[[Event, str, datetime], None]
    parts: Callable[[Event], Iterable[str]] = whole


OFFER = Reaction("offer_results", results.offer)
TELL = Reaction("tell_platform", platforms.tell_platform, platforms.subscribers)

REACTIONS: Mapping[str, tuple[Reaction, ...]] = {
    "file.received": (Reaction(pages.FIRST, pages.read_page, pages.pages_of_file),),
    "page.reading_asked": (Reaction(pages.AGAIN, pages.read_page_again),),
    "job.failed": (Reaction("keep_page_unread", pages.keep_page_unread, pages.given_up),),
    "case.submitted": (
        Reaction("issue_receipt", papers.issue_receipt),
        Reaction("build_dossier", dossiers.build_first, dossiers.handlings_of_case),
        TELL,
    ),
    "case.created": (TELL,),
    "case.pre_review": (TELL,),
    "case.accepted": (TELL,),
    "case.supplement": (TELL,),
    "case.decided": (OFFER, TELL),
    "case.choices_changed": (OFFER,),
    "result.attached": (OFFER,),
    "result.fetched": (
        Reaction("close_fetched", results.close_fetched),
        Reaction("issue_fetched_proof", results.issue_fetched_proof),
    ),
    "case.delivering": (TELL,),
    "case.refused": (TELL,),
    "case.withdrawn": (TELL,),
    "notice.replayed": (Reaction("tell_platform_again", platforms.tell_platform_again),),
    "subscription.enabled": (
        Reaction("tell_platform_parked", platforms.tell_platform_again, platforms.parked),
    ),
    "handling.pre_reviewed": (TELL,),
    "handling.resubmitted": (Reaction("rebuild_dossier", dossiers.build_next), TELL),
    "handling.promise_kept": (Reaction("rebuild_dossier", dossiers.build_next), TELL),
    "handling.accepted": (Reaction("issue_acceptance", papers.issue_acceptance), TELL),
    "handling.supplement_asked": (Reaction("issue_notice", papers.issue_notice), TELL),
    "handling.refused": (Reaction("issue_refusal", papers.issue_refusal), TELL),
    "handling.decided": (TELL,),
    "handling.clock_stopped": (TELL,),
    "handling.clock_started": (TELL,),
    "handling.deadline_passed": (TELL,),
    "slip.issued": (Reaction("print_slip", papers.print_issued),),
    "parcel.sealed": (Reaction("issue_packing_list", papers.issue_packing_list),),
    "waybill.booked": (Reaction("charge_parcel", parcels.charge),),
    "waybill.cancelled": (Reaction("charge_parcel", parcels.charge),),
    "waybill.failed": (Reaction("charge_parcel", parcels.charge),),
    "parcel.handed_over": (Reaction("note_delivery_begun", parcels.note_delivery_begun),),
    "parcel.received": (
        Reaction("issue_delivery_proof", papers.issue_delivery_proof),
        Reaction("charge_parcel", parcels.charge, parcels.from_an_applicant),
    ),
    "original.moved": (
        Reaction("close_delivered", parcels.close_delivered),
        Reaction("issue_counter_proof", papers.issue_counter_proof, papers.handed_out),
    ),
    "case.closed": (Reaction("ask_satisfaction", ratings.ask), TELL),
    "rating.given": (TELL,),
    "arrival.rescanned": (Reaction("compare_arrival", arrivals.compare),),
    "arrival.judged": (Reaction("open_arrival_incident", arrivals.open_incident),),
    "webhook.received": (Reaction("take_in_push", parcels.take_in_push),),
    "statement.import_asked": (Reaction("import_statement", statements.import_asked),),
    "statement.imported": (Reaction("check_statement", statements.check),),
    "statement.check_asked": (Reaction("check_statement_again", statements.check),),
    "dispute.written": (Reaction("sign_dispute", letters.sign_dispute),),
    "calendar.published": (Reaction("recount_deadlines", calendars.recount),),
    "settlement.closed": (Reaction("sign_settlement", settlements.sign_settlement),),
}


def jobs_of(event: Event) -> Iterator[tuple[str, str]]:
    """(reaction, part) for everything that the event asks for."""
    for reaction in REACTIONS.get(event.kind, ()):
        for part in reaction.parts(event):
            yield reaction.name, part


def find(name: str) -> Reaction:
    """Raises LookupError for a name that no row of the table bears."""
    for reactions in REACTIONS.values():
        for reaction in reactions:
            if reaction.name == name:
                return reaction
    raise LookupError(name)
