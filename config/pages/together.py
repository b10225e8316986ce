"""What the case page says of working together: the talk, the applicant's question at the end, and what may come of it."""

from dataclasses import dataclass

from django.utils import timezone

from ingest.models import Case, Rating
from ingest.rules import CaseState
from ingest.services.rating import ask_of
from ingest.services.talking import read_talk
from registry.actors import Actor
from registry.permissions import may


@dataclass(frozen=True)
class After:
    """A closed case: the link to its open question for who stands at the counter, and whether it was answered."""

    link: str
    rated: bool


def together(case: Case, actor: Actor) -> dict[str, object]:
    """A fixed number of queries."""
    return {
        "talk": _last_words(case, actor),
        "after": _after(case, actor) if case.state == CaseState.CLOSED else None,
        "may_report": may(actor, "problem.report"),
    }


def _last_words(case: Case, actor: Actor) -> dict[str, object] | None:
    """What the page of a case in reach says of its talk, without marking it read; None for whoever has no part in it."""
    if not may(actor, "thread.see"):
        return None
    told = read_talk(case=case, actor=actor, mark=False)
    return {"lines": told.lines[-3:], "count": len(told.lines), "unread": told.unread}


def _after(case: Case, actor: Actor) -> After:
    ask = ask_of(case, now=timezone.now())
    shown = ask is not None and may(actor, "case.deliver")
    link = ask.link if ask and shown else ""
    return After(link, Rating.objects.filter(ask__case=case).exists())
