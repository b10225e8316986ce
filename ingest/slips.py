"""What the slips about a case say, taken from the case as it stands."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.db.models import Q

from ingest.models import Case, Handling, Material
from ingest.rules import Gap
from registry.models import MaterialRequirement
from registry.paper.slips import (
    Acceptance,
    MaterialLine,
    MissingLine,
    Notice,
    Receipt,
    Refusal,
    Shortfall,
)
from registry.terms import Delivery, Mode


class About(TypedDict):
    """What every slip for an applicant says of its case, whoever issues it."""

    case_number: str
    item_name: str
    item_code: str
    applicant_name: str
    applicant_id_number: str
    applicant_phone: str
    window: str


def about(case: Case) -> About:
    return About(
        case_number=case.number,
        item_name=case.item.name,
        item_code=case.item.code,
        applicant_name=case.applicant_name,
        applicant_id_number=case.applicant_id_number,
        applicant_phone=case.applicant_phone,
        window=case.window.name,
    )


def receipt_of(case: Case, *, received_at: datetime) -> Receipt:
    """收件凭证: everything handed in, originals marked."""
    office = case.lead_office()
    return Receipt(
        **about(case),
        issuer=case.window.name,
        office=office.name,
        enquiry_phone=case.window.phone,
        mode=Mode(case.mode).label,
        received_at=received_at,
        materials=_lines(case),
    )


def acceptance_of(handling: Handling) -> Acceptance:
    """受理承诺单 (putian §四(二)). The handling must be accepted."""
    case = handling.case
    if handling.accepted_at is None or handling.deadline is None:
        raise ValueError("an acceptance slip needs an accepted handling")
    return Acceptance(
        **about(case),
        issuer=case.window.name if case.mode == Mode.WINDOW_ACCEPT else handling.office.name,
        office=handling.office.name,
        enquiry_phone=handling.office.phone,
        mode=Mode(case.mode).label,
        accepted_at=handling.accepted_at,
        promised_days=case.item.promised_days,
        deadline=handling.deadline,
        delivery=Delivery(case.delivery).label,
        delivery_address=case.applicant_address if case.delivery == Delivery.MAIL else "",
        materials=_lines(case),
    )


def notice_of(handling: Handling, *, noticed_at: datetime, by_window: bool = False) -> Notice:
    """一次性告知书: one line for each line of what the office wrote, or the window under its grant (putian §五(六))."""
    case = handling.case
    faults = [line.strip() for line in handling.notice.replace("；", "\n").splitlines() if line.strip()]
    return Notice(
        **about(case),
        issuer=case.window.name if by_window else handling.office.name,
        office=handling.office.name,
        enquiry_phone=handling.office.phone,
        noticed_at=noticed_at,
        missing=tuple(
            MissingLine(
                name=_material_named_in(case, fault), fault=fault, demand="请按要求补正后交回受理窗口。"
            )
            for fault in faults
        ),
        clock_paused=handling.deadline is not None,
    )


def shortfall_of(case: Case, lines: Iterable[Gap], *, told_at: datetime) -> Shortfall:
    """收件前一次性告知书: what the applicant has to bring before the case can be submitted."""
    offices = case.handlings.select_related("office").order_by("-is_lead", "pk")
    return Shortfall(
        **about(case),
        issuer=case.window.name,
        office="、".join(part.office.name for part in offices),
        enquiry_phone=case.window.phone,
        told_at=told_at,
        missing=tuple(
            MissingLine(
                name=line.name or _material_named_in(case, line.fault), fault=line.fault, demand=line.demand
            )
            for line in lines
        ),
    )


def refusal_of(handling: Handling, *, decided_at: datetime) -> Refusal:
    """不予受理决定书, with the office's reasons."""
    case = handling.case
    return Refusal(
        **about(case),
        issuer=handling.office.name,
        office=handling.office.name,
        enquiry_phone=handling.office.phone,
        decided_at=decided_at,
        reasons=tuple(line.strip() for line in handling.reason.splitlines() if line.strip()),
    )


def _lines(case: Case) -> tuple[MaterialLine, ...]:
    pages = list(case.pages.filter(set_aside=False).values_list("material_id", flat=True))
    # What an applicant still sends to the office was not handed in.
    handed_in = Q(from_applicant=False) | Q(stops__reached_at__isnull=False)
    originals = case.originals.filter(handed_in, kind="material")
    taken_in = set(originals.values_list("material_id", flat=True))
    return tuple(
        _line(material, pages=pages.count(material.pk), original=material.pk in taken_in)
        for material in case.materials.select_related("requirement")
        if material.pk in pages or material.pk in taken_in or material.deferred_until
    )


def _line(material: Material, *, pages: int, original: bool) -> MaterialLine:
    form = MaterialRequirement.Form(material.requirement.form)
    return MaterialLine(
        name=material.name,
        form=str(form.label),
        original=original,
        pages=pages,
        deferred_until=material.deferred_until,
    )


def _material_named_in(case: Case, fault: str) -> str:
    for material in case.materials.all():
        if material.name in fault:
            return material.name
    return "其他"
