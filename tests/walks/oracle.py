"""Who may do what, said a second time and differently: by hand, from the notices, without the permission table."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from config.guards import FORMS, GUARDS
from ingest.models import Case, Handling
from ingest.rules import CASE_STEPS, HANDLING_STEPS, NotNow
from logistics.rules.losses import STEPS as LOSS_STEPS
from logistics.rules.parcels import STEPS as PARCEL_STEPS
from registry.actors import Actor
from registry.models import Event
from registry.rules.lawful import Unlawful
from registry.workdays import is_workday
from storage.errors import Refused


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


THROUGH_PLATFORMS = frozenset({"answer", "promise", "keep_promise", "resubmit", "withdraw", "submit"})
"""What an applicant may also do through the province's platform."""
OF_THE_OFFICE = frozenset(
    {"pre_review", "accept", "supplement", "refuse", "decide", "reject", "receive_papers", "attach", "void"}
)
OF_THE_WINDOW = frozenset({"take_in", "verify_original", "notify", "choose", "hand_out", "deliver", "close"})
OF_EVERYBODY = frozenset({"bag", "unbag", "send", "arrive", "come_back", "talk", "report"})
"""What the window does as well as every office that takes part."""


def rightly(deed: Deed, who: Actor, book: Notebook) -> bool:
    """Whether these hands may do this at all; what state the case is in is another question."""
    return _has_the_place(deed, who) and all(key in book.granted for key in _entrusted(deed))


def _has_the_place(deed: Deed, who: Actor) -> bool:
    here = who.window_id is not None and who.window_id == deed.case.window_id
    clerk = who.role == "clerk" and here
    officer = who.role == "officer" and who.office_id == deed.handling.office_id
    takes_part = who.role == "officer" and deed.case.handlings.filter(office=who.office_id).exists()
    if deed.name == "accept" and deed.case.mode == "window_accept":
        return clerk
    may = {
        "identify": clerk or ("reader" in who.scopes and here),
        "archive": takes_part,
        "fetch": officer or clerk or ("platform" in who.scopes and here),
        **dict.fromkeys(OF_THE_OFFICE, officer),
        **dict.fromkeys(OF_THE_WINDOW, clerk),
        **dict.fromkeys(OF_EVERYBODY, clerk or takes_part),
        **dict.fromkeys(THROUGH_PLATFORMS, clerk or ("platform" in who.scopes and here)),
    }
    return may[deed.name]


def _entrusted(deed: Deed) -> set[tuple[int, str]]:
    """The rights of offices that the window needs for this."""
    if deed.name == "submit":
        return {(handling.office_id, "accept") for handling in deed.case.handlings.all()}
    if deed.name == "accept" and deed.case.mode == "window_accept":
        return {(deed.handling.office_id, "accept")}
    if deed.name in {"notify", "verify_original"}:
        return {(deed.handling.office_id, deed.name)}
    if deed.name == "hand_out":
        first = deed.case.originals.filter(place="window").select_related("handling").first()
        return {(first.handling.office_id, "deliver")} if first and first.kind == "result" else set()
    return set()


ARROWS = frozenset(
    {
        *(f"{step.act}_{what}" for step in CASE_STEPS for what in ("state", "mode")),
        *(f"{step.act}_{what}" for step in HANDLING_STEPS for what in ("state", "mode")),
        *(f"parcel_{step.act}" for step in PARCEL_STEPS),
        *(f"loss_{step.act}" for step in LOSS_STEPS),
        "case_follow",
    }
)
"""What the tables of states refuse with."""


def is_told_in_a_table(deed: str, refused: Refused) -> bool:
    """Whether what refuses a deed stands in a table: an arrow that is not there, or a guard of this very act."""
    if not isinstance(refused, NotNow | Unlawful) or refused.code in ARROWS | FORMS:
        return True  # not theirs, or filled in wrongly
    return refused.code in GUARDS and deed in GUARDS[refused.code].acts.split()


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
        # A case that falls back to 已提交 with its slowest part tells so by the same kind; it names no grants.
        if event.kind == "case.submitted" and "grants" in data:
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
