"""What the applicant chose, changed at the window until the result leaves: how it comes, and whether an agent may act."""

from datetime import datetime

from django.db import transaction

from ingest.models import Case, Original, ResultFile
from ingest.rules import CaseState, NotNow
from ingest.services.intake import Incomplete
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.rules.talk import fitting
from registry.terms import Delivery, Mode

SETTLED = frozenset({CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN})
"""States in which there is nothing left to choose."""

LONGEST_ADDRESS = 200


def change_choices(
    *, case: Case, delivery: str, agent_consent: bool, address: str = "", actor: Actor, now: datetime
) -> Case:
    """Write down what the applicant wants now; an empty `address` leaves the one that is known.

    By post needs an address, and is settled once the result lies in a parcel. In 收受分离 the window acts for the
    applicant: what was submitted on that consent is taken back by withdrawing the case, not by a tick.
    """
    check_may(actor, "case.choose", case)
    if delivery not in Delivery.values():
        raise Incomplete("delivery", "请选择结果送达方式。")
    address = fitting(address, longest=LONGEST_ADDRESS, what="送达地址")
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        changed = _changes(held, delivery, agent_consent, address)
        _check_open(held, changed)
        if delivery == Delivery.MAIL and not (address or held.applicant_address):
            raise Incomplete("delivery_address", "选择邮寄需要送达地址，请填写。")
        held.delivery, held.agent_consent = delivery, agent_consent
        held.applicant_address = address or held.applicant_address
        held.save(update_fields=["delivery", "agent_consent", "applicant_address"])
        record(
            kind="case.choices_changed",
            actor=actor,
            subject=held,
            now=now,
            case_number=held.number,
            data=changed,
        )
    return held


def may_still_choose(case: Case) -> bool:
    """Whether there is anything left to choose. Once it is being delivered only while a paper result lies at an office, such
    as one that the carrier brought back, or while nobody has fetched an electronic one.
    """
    if case.state != CaseState.DELIVERING:
        return case.state not in SETTLED
    fetched = ResultFile.objects.filter(handling__case=case, fetched_at__isnull=False)
    if case.delivery == Delivery.ELECTRONIC and not fetched.exists():
        return True
    return case.originals.filter(kind=Original.Kind.RESULT, place=Original.Place.OFFICE).exists()


def _changes(held: Case, delivery: str, agent_consent: bool, address: str) -> dict[str, object]:
    """What is different from before; the address itself stays out of the event. Raises Incomplete when nothing is."""
    changed: dict[str, object] = {}
    if delivery != held.delivery:
        changed["delivery"] = [held.delivery, delivery]
    if agent_consent != held.agent_consent:
        changed["agent_consent"] = agent_consent
    if address and address != held.applicant_address:
        changed["address"] = True
    if not changed:
        raise Incomplete("choices_unchanged", "没有改动。")
    return changed


def _check_open(held: Case, changed: dict[str, object]) -> None:
    if not may_still_choose(held):
        raise NotNow("choices_settled", "结果已在送达或办件已结束，不能再更改。")
    packed = held.originals.filter(kind=Original.Kind.RESULT, place=Original.Place.PARCEL)
    if ("delivery" in changed or "address" in changed) and packed.exists():
        raise NotNow("result_packed", "审批结果已装件，请审批部门先取出，再更改送达方式或地址。")
    if changed.get("agent_consent") is False and held.mode == Mode.WINDOW_FORWARD and held.submitted_at:
        raise NotNow("consent_used", "该办件已凭申请人的委托由窗口代办提交；申请人要收回委托的，请撤回办件。")
