"""A case is as far as its handlings make it."""

from datetime import datetime

from ingest.models import Case
from ingest.rules import CaseState, case_state_from, check_follows
from registry.actors import Actor
from registry.events import record


def let_case_follow(case: Case, *, actor: Actor, now: datetime) -> None:
    """Set the case to what its handlings make of it, along an arrow of the table, in the caller's transaction."""
    case.refresh_from_db()
    target = case_state_from(case.handlings.values_list("state", flat=True))
    if target == case.state:
        return
    check_follows(case.state, target)
    ended = {"closed_at": now} if target == CaseState.REFUSED else {}
    Case.objects.filter(pk=case.pk, state=case.state).update(state=target, **ended)
    record(kind=f"case.{target}", actor=actor, subject=case, now=now, case_number=case.number)
    case.refresh_from_db()
