"""What is still to be done at the counter before a case goes on, as its page shows it."""

from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from config.pages.asked import may_answer
from ingest.models import Case
from ingest.rules import CaseState, is_unit_number
from ingest.services.identifying import still_to_identify
from ocr.findings import unread_in
from registry.actors import Actor
from registry.models import Event
from registry.permissions import may
from registry.terms import Mode


@dataclass(frozen=True)
class AtCounter:
    """`identity_due` says why the case waits for a look at a document, empty when it does not wait or not for this reader."""

    identity_due: str
    may_identify: bool
    vouched: bool
    """Whether a platform handed the case on, whose own people sign in there."""
    unit: bool
    """Whether a unit applies, for which its handler comes."""
    may_tell: bool
    """Whether this reader may print what is still missing."""
    unread: int
    """Pages whose text is still being read, for whoever takes files in."""


def at_counter(case: Case, actor: Actor, told: list[Event]) -> AtCounter:
    """Two queries."""
    prefetch_related_objects([case], "identity_checks")
    may_identify = may(actor, "case.identify") and may_answer(case)
    taking_in = case.state in (CaseState.DRAFT, CaseState.SUPPLEMENT) and may(actor, "case.upload")
    waits = case.state == CaseState.DRAFT or (
        case.state == CaseState.SUBMITTED and case.mode == Mode.WINDOW_ACCEPT
    )
    return AtCounter(
        identity_due=still_to_identify(case) if may_identify and waits else "",
        may_identify=may_identify,
        vouched=any(event.kind == "case.submitted" and "identity" in event.data for event in told),
        unit=is_unit_number(case.applicant_id_number),
        may_tell=case.state == CaseState.DRAFT and may(actor, "case.notify"),
        unread=unread_in(case) if taking_in else 0,
    )
