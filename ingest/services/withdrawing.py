"""Taking an application back."""

from datetime import datetime

from django.db import transaction

from ingest.models import Case, Handling
from ingest.rules import HandlingState, NotNow, case_target, handling_target
from ingest.services.clock import wait_no_more
from ingest.services.following import let_case_follow
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.time import local_day

_ENDED = (HandlingState.REFUSED, HandlingState.WITHDRAWN, HandlingState.DECIDED)


def withdraw(*, case: Case, reason: str, actor: Actor, now: datetime) -> Case:
    """Take back what is not decided yet.

    A decision once made cannot be taken back by its applicant: where an office of a joint case has decided, only
    the open handlings end, and the case goes on to deliver what was decided.
    """
    check_may(actor, "case.withdraw", case)
    target = case_target("withdraw", case.state, case.mode)
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        if held.state != case.state:
            raise NotNow("stale", "该办件刚刚已被处理，请刷新页面。")
        handlings = list(held.handlings.select_related("office"))
        open_ones = [handling for handling in handlings if handling.state not in _ENDED]
        for handling in open_ones:
            handling.state = handling_target("withdraw", handling.state, case.mode)
            handling.reason = reason
            handling.save(update_fields=["state", "reason"])
            if counted := wait_no_more(handling, on=local_day(now)):
                Handling.objects.filter(pk=handling.pk).update(**counted)
        offices = {"offices": [handling.office.code for handling in open_ones]}
        decided = any(handling.state == HandlingState.DECIDED for handling in handlings)
        kind = "case.partly_withdrawn" if decided else "case.withdrawn"
        if not decided:
            Case.objects.filter(pk=case.pk).update(state=target, closed_at=now)
        record(kind=kind, actor=actor, subject=case, now=now, case_number=case.number, data=offices)
        if decided:
            let_case_follow(case, actor=actor, now=now)
    case.refresh_from_db()
    return case
