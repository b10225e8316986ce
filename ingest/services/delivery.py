"""The way back: the result leaves for the applicant, arrives, and the case is closed."""

from datetime import datetime
from typing import Any

from django.db import transaction

from ingest.models import Case, Original
from ingest.rules import CaseState, NotNow, case_target
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may


def start_delivery(*, case: Case, actor: Actor, now: datetime) -> Case:
    """The result is on its way. Said by whoever learns it: the hand-over of its parcel, or the window."""
    if actor.kind != "system":
        check_may(actor, "case.deliver", case)
    if case.state in (CaseState.DELIVERING, CaseState.CLOSED):
        return case
    with transaction.atomic():
        moved = _move(case, "deliver", actor=actor, now=now)
        case.handlings.filter(unsent=True).update(unsent=False)
    return moved


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
