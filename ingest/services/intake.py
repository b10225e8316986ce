"""At the counter: opening a case, taking in originals, submitting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from stdnum.iso7064 import mod_11_2

from ingest.models import Case, Handling, Material, Original, OriginalStop
from ingest.rules import (
    CaseState,
    MaterialFacts,
    NotNow,
    case_target,
    handling_target,
    missing_materials,
)
from ingest.services.awaiting import await_papers
from ingest.services.identifying import check_identified
from ingest.services.lawful import check_lawful, grant_for
from registry.actors import Actor
from registry.events import record
from registry.models import NumberSequence, Office, ServiceItem, Window
from registry.permissions import check_may
from registry.rules import county_of
from registry.terms import Mode, Right
from registry.time import local_day
from registry.tokens import Purpose, mint
from storage.encryption import blind_index
from storage.errors import Refused


class Incomplete(Refused):
    """The checklist or the form has gaps; the sentence lists all of them."""


@dataclass(frozen=True)
class Applicant:
    """Who applies. Everything here is personal data."""

    name: str
    id_number: str = ""
    phone: str = ""
    address: str = ""


def create_case(
    *,
    item: ServiceItem,
    window: Window,
    offices: list[Office],
    mode: str,
    applicant: Applicant,
    delivery: str,
    agent_consent: bool,
    actor: Actor,
    now: datetime,
) -> Case:
    """Open a case at a window for the deciding offices, the lead office first, once every rule agrees."""
    check_may(actor, "case.create")
    if actor.window_id != window.pk and actor.kind != "system":
        raise Refused("other_window", "只能在自己的窗口收件。")
    if not applicant.name.strip():
        raise Incomplete("applicant_name", "请填写申请人姓名或名称。")
    if not offices or len({office.pk for office in offices}) < len(offices):
        raise Refused("case_offices", "请选择审批部门；多地联办时每个部门只选一次。")
    grants = [
        check_lawful(item=item, window=window, office=office, mode=mode, offices=len(offices), now=now)
        for office in offices
    ]
    with transaction.atomic():
        case = Case.objects.create(
            number=_case_number(window, now),
            token=mint(Purpose.CASE).identifier,
            item=item,
            window=window,
            mode=mode,
            applicant_name=applicant.name.strip(),
            applicant_id_number=applicant.id_number.strip().upper(),
            applicant_id_index=blind_index(applicant.id_number),
            applicant_phone=applicant.phone.strip(),
            applicant_phone_index=blind_index(applicant.phone),
            applicant_address=applicant.address.strip(),
            delivery=delivery,
            agent_consent=agent_consent,
            created_at=now,
        )
        for position, office in enumerate(offices):
            Handling.objects.create(case=case, office=office, is_lead=position == 0)
        for requirement in item.requirements.all():
            Material.objects.create(
                case=case, requirement=requirement, name=requirement.name, position=requirement.position
            )
        record(
            kind="case.created",
            actor=actor,
            subject=case,
            now=now,
            case_number=case.number,
            data={
                "mode": mode,
                "offices": [office.code for office in offices],
                "grants": grants,
                "delivery": delivery,
                "agent_consent": agent_consent,
            },
        )
    return case


def take_in_original(
    *,
    material: Material,
    name: str,
    verified: bool,
    actor: Actor,
    now: datetime,
    way: Sequence[Handling] = (),
) -> Original:
    """Write down that a paper original now lies at the window. The same paper twice is one.

    `way` names the handlings that need it, in the order in which it travels; the lead's when nothing is said.
    """
    case = material.case
    check_may(actor, "original.take_in", case)
    if case.state not in (CaseState.DRAFT, CaseState.SUPPLEMENT):
        raise NotNow("original_state", "只有在收件中或补正时才能登记原件。")
    stops = list(way) or [case.handlings.select_related("office").get(is_lead=True)]
    if any(stop.case_id != case.pk for stop in stops) or len({stop.pk for stop in stops}) < len(stops):
        raise Refused("original_way", "原件只能依次送往本办件的审批部门，每个部门一次。")
    used: dict[str, object] = {}
    if verified:
        grants = [
            grant_for(
                right=Right.VERIFY_ORIGINAL, item=case.item, window=case.window, office=stop.office, now=now
            )
            for stop in stops
        ]
        used = {"grant": grants[0]} if len(grants) == 1 else {"grants": grants}
    with transaction.atomic():
        original, fresh = Original.objects.get_or_create(
            material=material,
            name=name.strip() or material.name,
            kind=Original.Kind.MATERIAL,
            defaults={
                "case": case,
                "handling": stops[0],
                "verified": verified,
                "place": Original.Place.WINDOW,
                "place_id": case.window_id,
                "moved_at": now,
            },
        )
        if original.from_applicant:
            raise NotNow(
                "original_from_applicant",
                f"“{original.name}”由申请人直接寄往审批部门，不在窗口登记；请告知申请人寄送地址。",
            )
        if fresh:
            OriginalStop.objects.bulk_create(
                OriginalStop(original=original, handling=stop, position=position)
                for position, stop in enumerate(stops, start=1)
            )
            record(
                kind="original.taken_in",
                actor=actor,
                subject=original,
                now=now,
                case_number=case.number,
                data={
                    "material": material.position,
                    "verified": verified,
                    "way": [stop.office.code for stop in stops],
                    **used,
                },
            )
    return original


def submit(*, case: Case, actor: Actor, now: datetime, on_paper: Collection[int] = ()) -> Case:
    """Hand the case to its offices. In 受审分离 the window accepts after it, by an act of its own (`accept`).

    Whoever handed the paper in was looked at before; a platform vouches for its own, whom it made sign in. From here on
    the office of a case in 全程网办 awaits the papers that its item wants, and those at the positions `on_paper` of the
    checklist, which the applicant sends because there is no electronic seal.
    """
    check_may(actor, "case.submit", case)
    vouched = actor.kind == "integration"
    target = case_target("submit", case.state, case.mode)
    faults = missing_materials(material_facts(case, today=local_day(now)))
    if not case.agent_consent and case.mode == Mode.WINDOW_FORWARD:
        faults.append("申请人尚未同意由窗口代办（收受分离须经委托）")
    if faults:
        raise Incomplete("materials_missing", "；".join(faults) + "。请一次性告知申请人补齐。")
    check_identified(case, vouched=vouched)
    handlings = list(case.handlings.select_related("office").order_by("-is_lead", "pk"))
    grants = [
        check_lawful(
            item=case.item,
            window=case.window,
            office=handling.office,
            mode=case.mode,
            offices=len(handlings),
            now=now,
        )
        for handling in handlings
    ]
    with transaction.atomic():
        moved = Case.objects.filter(pk=case.pk, state=case.state).update(state=target, submitted_at=now)
        if not moved:
            raise NotNow("stale", "该办件刚刚已被处理，请刷新页面。")
        for handling in case.handlings.all():
            Handling.objects.filter(pk=handling.pk, state=handling.state).update(
                state=handling_target("submit", handling.state, case.mode)
            )
        record(
            kind="case.submitted",
            actor=actor,
            subject=case,
            now=now,
            case_number=case.number,
            data={"grants": grants} | ({"identity": "platform"} if vouched else {}),
        )
        await_papers(case=case, on_paper=on_paper, actor=actor, now=now)
    case.refresh_from_db()
    return case


def material_facts(case: Case, *, today: date) -> list[MaterialFacts]:
    """The checklist as it stands, in one query per table. A promise (容缺) holds until its day has passed."""
    counts: dict[int, int] = {}
    for material_id in case.pages.filter(set_aside=False, material__isnull=False).values_list(
        "material_id", flat=True
    ):
        if material_id is not None:
            counts[material_id] = counts.get(material_id, 0) + 1
    return [
        MaterialFacts(
            name=material.name,
            pages=counts.get(material.pk, 0),
            minimum_pages=material.requirement.minimum_pages,
            required=material.requirement.required,
            deferred=material.deferred_until is not None and material.deferred_until >= today,
            shared_data=material.requirement.shared_data,
            deferrable=material.requirement.deferrable,
            form=material.requirement.get_form_display(),
        )
        for material in case.materials.select_related("requirement")
    ]


def _case_number(window: Window, now: datetime) -> str:
    """County code, local date, four digits of the day, ISO 7064 MOD 11-2 check character."""
    day = f"{county_of(window.region_id)}{local_day(now):%Y%m%d}"
    body = f"{day}{NumberSequence.take(f'case:{day}'):04d}"
    return body + mod_11_2.calc_check_digit(body)
