"""The way back: the result leaves for the applicant, arrives, and the case is closed."""

from datetime import datetime
from typing import Any

from django.db import transaction

from ingest.models import Case, Original
from ingest.rules import CaseState, NotNow, case_target
from ingest.services.lawful import grant_for
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.terms import Delivery, Right


def start_delivery(*, case: Case, actor: Actor, now: datetime) -> Case:
    """The result is on its way. Said by whoever learns it: the hand-over of its parcel, or the window."""
    if actor.kind != "system":
        check_may(actor, "case.deliver", case)
    if case.state in (CaseState.DELIVERING, CaseState.CLOSED):
        return case
    return _move(case, "deliver", actor=actor, now=now)


def close(*, case: Case, actor: Actor, now: datetime) -> Case:
    """归结, once every paper of the case is back with the applicant, archived, or known to be lost."""
    if actor.kind != "system":
        check_may(actor, "case.deliver", case)
    if case.state == CaseState.CLOSED:
        return case
    abroad = case.originals.filter(place__in=[Original.Place.PARCEL, Original.Place.WINDOW])
    results = case.originals.filter(kind=Original.Kind.RESULT, place=Original.Place.OFFICE)
    if abroad.exists() or results.exists():
        raise NotNow("originals_abroad", "仍有原件或审批结果在途、在窗口或未寄出，送达后才能归结。")
    return _move(case, "close", actor=actor, now=now, changes={"closed_at": now})


def hand_out_result(*, original: Original, actor: Actor, now: datetime) -> Original:
    """窗口领取: the window gives the applicant the result, under the grant `deliver`."""
    case = original.case
    check_may(actor, "case.deliver", case)
    if case.delivery != Delivery.WINDOW:
        raise NotNow("delivery_choice", "申请人没有选择窗口领取。")
    if original.place != Original.Place.WINDOW or original.place_id != case.window_id:
        raise NotNow("not_at_window", "该件还没有到达本窗口。")
    grant = grant_for(
        right=Right.DELIVER,
        item=case.item,
        window=case.window,
        office=original.handling.office,
        now=now,
    )
    with transaction.atomic():
        moved = Original.objects.filter(
            pk=original.pk, place=Original.Place.WINDOW, place_id=case.window_id
        ).update(place=Original.Place.APPLICANT, place_id=case.pk, moved_at=now)
        if not moved:
            raise NotNow("stale", "该件刚刚已被处理，请刷新页面。")
        record(
            kind="original.handed_out",
            actor=actor,
            subject=original,
            now=now,
            case_number=case.number,
            data={"grant": grant},
        )
    original.refresh_from_db()
    return original


def _move(
    case: Case, act: str, *, actor: Actor, now: datetime, changes: dict[str, Any] | None = None
) -> Case:
    target = case_target(act, case.state, case.mode)
    with transaction.atomic():
        if not Case.objects.filter(pk=case.pk, state=case.state).update(state=target, **(changes or {})):
            raise NotNow("stale", "该办件刚刚已被处理，请刷新页面。")
        record(kind=f"case.{target}", actor=actor, subject=case, now=now, case_number=case.number)
    case.refresh_from_db()
    return case
