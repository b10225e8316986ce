"""Which tone and icon a state carries: never colour alone, always with its word."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ingest.rules import CaseState, HandlingState
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.handovers import HandoverState
from logistics.rules.parcels import ParcelState
from registry.rules.deadlines import UNLESS_TOLD
from registry.terms import Term
from registry.workdays import LIBRARY, Calendar, workdays_between

OK, ATTENTION, LATE, STOPPED, MOVING = "ok", "attention", "late", "stopped", "moving"


@dataclass(frozen=True)
class Chip:
    label: str
    tone: str

    @property
    def icon(self) -> str:
        return self.tone


_CASE: Mapping[str, str] = {
    CaseState.DRAFT: ATTENTION,
    CaseState.SUBMITTED: MOVING,
    CaseState.PRE_REVIEW: MOVING,
    CaseState.ACCEPTED: MOVING,
    CaseState.SUPPLEMENT: ATTENTION,
    CaseState.DECIDED: OK,
    CaseState.DELIVERING: MOVING,
    CaseState.CLOSED: OK,
    CaseState.REFUSED: STOPPED,
    CaseState.WITHDRAWN: STOPPED,
}
_HANDLING: Mapping[str, str] = {
    HandlingState.WAITING: STOPPED,
    HandlingState.PENDING: ATTENTION,
    HandlingState.PRE_REVIEW: MOVING,
    HandlingState.ACCEPTED: MOVING,
    HandlingState.SUPPLEMENT: ATTENTION,
    HandlingState.DECIDED: OK,
    HandlingState.REFUSED: STOPPED,
    HandlingState.WITHDRAWN: STOPPED,
}
_PARCEL: Mapping[str, str] = {
    ParcelState.PACKING: ATTENTION,
    ParcelState.SEALED: ATTENTION,
    ParcelState.HANDED_OVER: MOVING,
    ParcelState.IN_TRANSIT: MOVING,
    ParcelState.DELIVERED: ATTENTION,
    ParcelState.RECEIVED: OK,
    ParcelState.RETURNED: STOPPED,
    ParcelState.LOST: LATE,
    ParcelState.CANCELLED: STOPPED,
}
_HANDOVER: Mapping[str, str] = {
    HandoverState.OPEN: ATTENTION,
    HandoverState.SIGNED: OK,
    HandoverState.DROPPED: STOPPED,
}
_DIFFERENCE: Mapping[str, str] = {
    DiscrepancyState.OPEN: ATTENTION,
    DiscrepancyState.DISPUTED: MOVING,
    DiscrepancyState.CREDITED: OK,
    DiscrepancyState.ACCEPTED: OK,
    DiscrepancyState.CLEARED: STOPPED,
}


def case_chip(state: str) -> Chip:
    return _chip(CaseState, _CASE, state)


def handling_chip(state: str) -> Chip:
    return _chip(HandlingState, _HANDLING, state)


def parcel_chip(state: str) -> Chip:
    return _chip(ParcelState, _PARCEL, state)


def handover_chip(state: str) -> Chip:
    return _chip(HandoverState, _HANDOVER, state)


def difference_chip(state: str) -> Chip:
    return _chip(DiscrepancyState, _DIFFERENCE, state)


def deadline_chip(
    deadline: date | None,
    *,
    paused: date | None,
    today: date,
    calendar: Calendar = LIBRARY,
    soon: int = UNLESS_TOLD.amber_days,
) -> Chip | None:
    """How much of the promised time is left, in working days; amber from `soon` on."""
    if deadline is None:
        return None
    if paused is not None:
        left = workdays_between(paused, deadline, calendar)
        late = f"已超期 {-left} 个工作日" if left < 0 else f"余 {left} 个工作日"
        return Chip(f"暂停计时，{late}", LATE if left < 0 else STOPPED)
    left = workdays_between(today, deadline, calendar)
    if left < 0:
        return Chip(f"超期 {-left} 个工作日", LATE)
    if left == 0:
        return Chip("今日到期" if today == deadline else "已到期", LATE if today > deadline else ATTENTION)
    return Chip(f"剩 {left} 个工作日", ATTENTION if left <= soon else MOVING)


def _chip(term: type[Term], tones: Mapping[str, str], state: str) -> Chip:
    return Chip(term(state).label, tones[state])
