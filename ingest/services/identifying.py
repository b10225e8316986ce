"""身份核验 at the window: by the card reader, or by sight with the reason why no reader was used (putian §四(二), zhuji §四(二))."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from ingest.models import Case, IdentityCheck
from ingest.rules import (
    CaseState,
    IdentityMethod,
    IdentityPerson,
    NotNow,
    check_looked_at,
    identity_fault,
    is_unit_number,
    person_fault,
)
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.rules import Unlawful
from registry.rules.talk import fitting
from registry.time import local_day
from storage.errors import Refused

CARD = "居民身份证"
_OPEN = (CaseState.DRAFT, CaseState.SUBMITTED, CaseState.SUPPLEMENT)


@dataclass(frozen=True)
class CardRead:
    """What a reader says of a resident identity card. Compared and forgotten; `valid_until` None means 长期."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    valid_until: date | None


def identify_by_sight(
    *, case: Case, person: IdentityPerson, document: str, reason: str, actor: Actor, now: datetime
) -> IdentityCheck:
    """The clerk looked at a document and at the person, and says why the reader was not used."""
    _check_open(case, actor)
    if not document.strip():
        raise Refused("identity_document", "请填写核验的是什么证件。")
    if not reason.strip():
        raise Refused("identity_reason", "未用读卡器核验的，请写明原因，例如读卡器故障、外籍证件。")
    wrong = person_fault(person, applicant_number=case.applicant_id_number, agent_consent=case.agent_consent)
    if wrong is not None:
        raise Refused(*wrong)
    return _keep(case, person, IdentityMethod.SIGHT, document, reason, actor, now)


def identify_by_card(
    *, case: Case, person: IdentityPerson, card: CardRead, actor: Actor, now: datetime
) -> IdentityCheck:
    """A reader read the card. A card that does not fit is refused, and that it was shown is kept as an event."""
    _check_open(case, actor)
    fault = identity_fault(
        person=person,
        applicant_name=case.applicant_name,
        applicant_number=case.applicant_id_number,
        agent_consent=case.agent_consent,
        name=card.name.strip(),
        number=card.id_number.strip().upper(),
        valid_until=card.valid_until,
        today=local_day(now),
    )
    if fault is not None:
        code, message = fault
        with transaction.atomic():
            record(
                kind="identity.refused",
                actor=actor,
                subject=case,
                now=now,
                case_number=case.number,
                data={"person": person.value, "code": code},
            )
        raise Refused(code, message)
    return _keep(case, person, IdentityMethod.READER, CARD, "", actor, now)


def check_identified(case: Case, *, vouched: bool = False) -> None:
    """Raises Unlawful unless who handed the paper in was looked at, as `check_looked_at` demands for the case's mode."""
    check_looked_at(
        case.mode,
        checked={check.person for check in case.identity_checks.all()},
        unit=is_unit_number(case.applicant_id_number),
        vouched=vouched,
    )


def still_to_identify(case: Case) -> str:
    """Why this case may not go on from the counter yet, in words; empty when somebody was looked at."""
    try:
        check_identified(case)
    except Unlawful as due:
        return due.message
    return ""


def _check_open(case: Case, actor: Actor) -> None:
    check_may(actor, "case.identify", case)
    if case.state not in _OPEN:
        raise NotNow("identity_state", "办件受理后，不再登记身份核验。")


def _keep(
    case: Case,
    person: IdentityPerson,
    method: IdentityMethod,
    document: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> IdentityCheck:
    with transaction.atomic():
        kept = IdentityCheck.objects.create(
            case=case,
            person=person.value,
            method=method.value,
            document=fitting(document, longest=40, what="证件名称"),
            reason=fitting(reason, longest=200, what="原因"),
            checked_by=actor.label,
            checked_at=now,
        )
        record(
            kind="identity.checked",
            actor=actor,
            subject=case,
            now=now,
            case_number=case.number,
            data={"person": person.value, "method": method.value},
        )
    return kept
