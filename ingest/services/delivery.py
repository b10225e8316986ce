"""The way back: the result leaves for the applicant, arrives, and the case is closed."""

from datetime import datetime
from typing import Any

from django.db import transaction

from ingest.models import Case, Original, ResultFile
from ingest.rules import CaseState, NotNow, PartFacts, case_target, without_electronic_result
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.terms import Delivery


def start_delivery(*, case: Case, actor: Actor, now: datetime) -> Case:
    """The result is on its way. Said by whoever learns it: the hand-over of its parcel, the file that lies ready, or the window.

    A person does not say it of an 电子送达 to which there is nothing to fetch.
    """
    if actor.kind != "system":
        check_may(actor, "case.deliver", case)
    if case.state in (CaseState.DELIVERING, CaseState.CLOSED):
        return case
    if actor.kind != "system":
        _check_there_is_a_result(case)
    with transaction.atomic():
        moved = _move(case, "deliver", actor=actor, now=now)
        case.handlings.filter(unsent=True).update(unsent=False)
    return moved


def offices_without_result(case: Case) -> list[str]:
    """Where 电子送达 was chosen, the offices whose grant has neither a file nor a paper yet; three queries, none otherwise."""
    if case.delivery != Delivery.ELECTRONIC:
        return []
    papers = set(case.originals.filter(kind=Original.Kind.RESULT).values_list("handling_id", flat=True))
    standing = ResultFile.objects.filter(handling__case=case, voided_at__isnull=True)
    files = set(standing.values_list("handling_id", flat=True))
    return without_electronic_result(
        PartFacts(
            office=part.office.name,
            approved=part.decision == "approved",
            has_paper=part.pk in papers,
            has_file=part.pk in files,
        )
        for part in case.handlings.select_related("office").order_by("-is_lead", "pk")
    )


def close(*, case: Case, actor: Actor, now: datetime) -> Case:
    """归结, once every paper of the case is back with the applicant, archived, or written off as lost.

    Looked at while nobody else changes the case: an office may take its file back in this very moment.
    """
    if actor.kind != "system":
        check_may(actor, "case.deliver", case)
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        if held.state != CaseState.CLOSED:
            _check_all_arrived(held, by_hand=actor.kind != "system")
            _move(held, "close", actor=actor, now=now, changes={"closed_at": now})
    case.refresh_from_db()
    return case


def _check_all_arrived(case: Case, *, by_hand: bool) -> None:
    if by_hand:
        _check_there_is_a_result(case)
    if case.originals.filter(place__in=[Original.Place.LOST, Original.Place.MISSING]).exists():
        raise NotNow(
            "originals_lost", "有原件已报失或正在查找，尚未核销，请先在原件页报失核销或登记找回，再归结。"
        )
    abroad = case.originals.filter(place__in=[Original.Place.PARCEL, Original.Place.WINDOW])
    results = case.originals.filter(kind=Original.Kind.RESULT, place=Original.Place.OFFICE)
    if abroad.exists() or results.exists():
        raise NotNow("originals_abroad", "仍有原件或审批结果在途、在窗口或未寄出，送达后才能归结。")


def _check_there_is_a_result(case: Case) -> None:
    """An 电子送达 is no delivery while an office that granted has given nothing to fetch."""
    if lacking := offices_without_result(case):
        names = "、".join(f"“{name}”" for name in lacking)
        raise NotNow(
            "result_file_missing",
            f"申请人选择电子送达，{names}还没有上传电子结果，也没有纸质结果；请部门上传，或按申请人的意思更改送达方式。",
        )


def _move(
    case: Case, act: str, *, actor: Actor, now: datetime, changes: dict[str, Any] | None = None
) -> Case:
    target = case_target(act, case.state, case.mode)
    with transaction.atomic():
        moved = Case.objects.filter(pk=case.pk, state=case.state).update(state=target, **(changes or {}))
        if moved:
            record(kind=f"case.{target}", actor=actor, subject=case, now=now, case_number=case.number)
    case.refresh_from_db()
    # Two papers that arrive at once both close the case: whoever is second finds it done.
    if not moved and case.state != target:
        raise NotNow("stale", "该办件刚刚已被处理，请刷新页面。")
    return case
