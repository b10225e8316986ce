"""Showing an applicant's data in full to someone whose work needs it, and writing down that it was looked at."""

from datetime import datetime

from django.db import transaction

from ingest.models import Case
from ingest.services.intake import Applicant
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may


def reveal_applicant(*, case: Case, actor: Actor, now: datetime) -> Applicant:
    """Name, identity number, phone and address, unmasked. Every look is an entry in the case's timeline."""
    check_may(actor, "case.see", case)
    with transaction.atomic():
        record(kind="applicant.revealed", actor=actor, subject=case, now=now, case_number=case.number)
    return Applicant(
        name=case.applicant_name,
        id_number=case.applicant_id_number,
        phone=case.applicant_phone,
        address=case.applicant_address,
    )
