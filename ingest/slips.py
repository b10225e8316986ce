"""What the slips about a case say, taken from the case as it stands."""

from datetime import datetime

from ingest.models import Case, Handling, Material
from registry.models import MaterialRequirement
from registry.paper.slips import Acceptance, MaterialLine, MissingLine, Notice, Receipt, Refusal
from registry.terms import Delivery, Mode


def receipt_of(case: Case, *, received_at: datetime) -> Receipt:
    """收件凭证: everything handed in, originals marked."""
    office = case.lead_office()
    return Receipt(
        case_number=case.number,
        issuer=case.window.name,
        item_name=case.item.name,
        item_code=case.item.code,
        applicant_name=case.applicant_name,
        applicant_id_number=case.applicant_id_number,
        applicant_phone=case.applicant_phone,
        window=case.window.name,
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
        case_number=case.number,
        issuer=case.window.name if case.mode == Mode.WINDOW_ACCEPT else handling.office.name,
        item_name=case.item.name,
        item_code=case.item.code,
        applicant_name=case.applicant_name,
        applicant_id_number=case.applicant_id_number,
        applicant_phone=case.applicant_phone,
        window=case.window.name,
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


def notice_of(handling: Handling, *, noticed_at: datetime) -> Notice:
    """一次性告知书: one line for each line of what the office wrote (putian §五(六))."""
    case = handling.case
    faults = [line.strip() for line in handling.notice.replace("；", "\n").splitlines() if line.strip()]
    return Notice(
        case_number=case.number,
        issuer=handling.office.name,
        item_name=case.item.name,
        item_code=case.item.code,
        applicant_name=case.applicant_name,
        applicant_id_number=case.applicant_id_number,
        applicant_phone=case.applicant_phone,
        window=case.window.name,
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


def refusal_of(handling: Handling, *, decided_at: datetime) -> Refusal:
    """不予受理决定书, with the office's reasons."""
    case = handling.case
    return Refusal(
        case_number=case.number,
        issuer=handling.office.name,
        item_name=case.item.name,
        item_code=case.item.code,
        applicant_name=case.applicant_name,
        applicant_id_number=case.applicant_id_number,
        applicant_phone=case.applicant_phone,
        window=case.window.name,
        office=handling.office.name,
        enquiry_phone=handling.office.phone,
        decided_at=decided_at,
        reasons=tuple(line.strip() for line in handling.reason.splitlines() if line.strip()),
    )


def _lines(case: Case) -> tuple[MaterialLine, ...]:
    pages = list(case.pages.filter(set_aside=False).values_list("material_id", flat=True))
    taken_in = set(case.originals.filter(kind="material").values_list("material_id", flat=True))
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
