"""Who may do what, said a second time and differently: by hand, from the notices, without the permission table."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ingest.models import Case, Handling
from registry.actors import Actor
from registry.models import Event
from registry.workdays import is_workday


@dataclass
class Notebook:
    """What the walk itself wrote down, beside the database."""

    granted: set[tuple[int, str]] = field(default_factory=set)
    """(office, right) that the Zhuji window holds now."""
    accepted_at: dict[int, datetime] = field(default_factory=dict)
    spent: dict[int, int] = field(default_factory=dict)
    """Working days of the promise that have been used up, by handling."""


@dataclass(frozen=True)
class Deed:
    """Something that somebody tries to do to a case or to one office's part of it."""

    name: str
    case: Case
    handling: Handling


def rightly(deed: Deed, who: Actor, book: Notebook) -> bool:
    """Whether these hands may do this at all; what state the case is in is another question."""
    here = who.window_id is not None and who.window_id == deed.case.window_id
    clerk = who.role == "clerk" and here
    platform = "platform" in who.scopes and here
    officer = who.role == "officer" and who.office_id == deed.handling.office_id
    everybody = {handling.office_id for handling in deed.case.handlings.all()}
    if deed.name == "submit":
        return (clerk or platform) and all((office, "accept") in book.granted for office in everybody)
    if deed.name == "accept" and deed.case.mode == "window_accept":
        return clerk and (deed.handling.office_id, "accept") in book.granted
    if deed.name == "verify_original":
        return clerk and (deed.handling.office_id, "verify_original") in book.granted
    if deed.name in {"answer", "promise", "keep_promise", "resubmit"}:
        return clerk or platform
    if deed.name == "identify":
        return clerk or ("reader" in who.scopes and here)
    if deed.name in {"pre_review", "accept", "supplement", "refuse", "decide", "send_result"}:
        return officer
    if deed.name in {"take_in", "withdraw", "deliver", "close"}:
        return clerk
    raise KeyError(deed.name)


def rightly_opened(who: Actor, window: int, offices: list[int], book: Notebook) -> bool:
    """Whether these hands may open a case at this window for these offices."""
    may_take_in = who.role == "clerk" or "platform" in who.scopes
    return (
        may_take_in
        and who.window_id == window
        and all((office, "accept") in book.granted for office in offices)
    )


def working_days(after: date, until: date) -> int:
    """Working days after one day up to and including another, counted one by one."""
    ordinals = range(after.toordinal() + 1, until.toordinal() + 1)
    return sum(is_workday(date.fromordinal(ordinal))[0] for ordinal in ordinals)


_AFTER = {
    "handling.pre_reviewed": "pre_review",
    "handling.accepted": "accepted",
    "handling.supplement_asked": "supplement",
    "handling.refused": "refused",
    "handling.decided": "decided",
}
_CASE_AFTER = {"case.created": "draft", "case.submitted": "submitted"}
_STATES = {
    "submitted",
    "pre_review",
    "accepted",
    "supplement",
    "decided",
    "delivering",
    "closed",
    "refused",
    "withdrawn",
}


def told_by_events(events: list[Event]) -> tuple[str, dict[str, str]]:
    """The state of a case and of each office's part, from its events and nothing else."""
    case, parts, accepted = "", dict[str, str](), set[str]()
    for event in events:
        data: dict[str, Any] = event.data
        word = event.kind.partition(".")[2]
        if event.kind == "case.created":
            parts = dict.fromkeys(data["offices"], "waiting")
        if event.kind == "case.submitted":
            parts = dict.fromkeys(parts, "pending")
        if event.kind in {"case.withdrawn", "case.partly_withdrawn"}:
            parts |= dict.fromkeys(data["offices"], "withdrawn")
        if event.kind in _AFTER:
            parts[data["office"]] = _AFTER[event.kind]
        if event.kind == "handling.accepted":
            accepted.add(data["office"])
        if event.kind == "handling.resubmitted":
            parts[data["office"]] = "accepted" if data["office"] in accepted else "pending"
        if event.kind in _CASE_AFTER:
            case = _CASE_AFTER[event.kind]
        elif event.kind.startswith("case.") and word in _STATES:
            case = word
    return case, parts
