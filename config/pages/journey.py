"""The journey as two tracks: the digital case above, the paper below, meeting where hands change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest.rules import CaseState, HandlingState
from registry.terms import Mode

DONE, NOW, AHEAD, STOPPED = "done", "now", "ahead", "stopped"


@dataclass(frozen=True)
class Mark:
    """One thing on one track; `at` is None while it lies ahead."""

    label: str
    at: datetime | None = None
    state: str = AHEAD
    note: str = ""


@dataclass(frozen=True)
class Station:
    """One column. Where both tracks have something, digital and paper meet."""

    digital: Mark | None = None
    paper: Mark | None = None
    digital_passed: bool = False
    paper_passed: bool = False

    @property
    def meets(self) -> bool:
        return self.digital is not None and self.paper is not None


@dataclass(frozen=True)
class Travel:
    """When papers left and arrived on one way: out to the office, or back to the applicant."""

    left: datetime | None = None
    arrived: datetime | None = None


@dataclass(frozen=True)
class JourneyFacts:
    """Moments of a case, None for what has not happened. `pre_reviewed` may be skipped by a mode."""

    mode: str
    case_state: str
    handling_state: str
    has_paper: bool
    created: datetime
    submitted: datetime | None = None
    pre_reviewed: datetime | None = None
    accepted: datetime | None = None
    decided: datetime | None = None
    delivering: datetime | None = None
    closed: datetime | None = None
    taken_in: datetime | None = None
    out: Travel = field(default_factory=Travel)
    back: Travel = field(default_factory=Travel)


def journey(facts: JourneyFacts) -> list[Station]:
    """The stations of this case's mode in order, each mark done, at hand, ahead or stopped."""
    stations = [
        Station(_mark("收件", facts.created), _paper(facts, "原件登记", facts.taken_in)),
        Station(_mark("提交", facts.submitted)),
        *_middle(facts),
        Station(_mark("作出决定", facts.decided)),
        Station(_mark("送达", facts.delivering), _paper(facts, "结果寄出", facts.back.left)),
        Station(
            _mark("归结", facts.closed if facts.case_state == CaseState.CLOSED else None),
            _paper(facts, "申请人收到", facts.back.arrived),
        ),
    ]
    if facts.case_state in (CaseState.REFUSED, CaseState.WITHDRAWN):
        stations = _stopped(stations, CaseState(facts.case_state).label, facts.closed)
    else:
        stations = _with_present(stations, facts)
    return _with_rails(stations)


def _middle(facts: JourneyFacts) -> Iterable[Station]:
    """What lies between submission and decision, in the order in which the mode lets paper move."""
    left, arrived = (
        _paper(facts, "原件寄出", facts.out.left),
        _paper(facts, "部门收到原件", facts.out.arrived),
    )
    accepted = _mark("受理", facts.accepted)
    if facts.mode == Mode.WINDOW_ACCEPT:
        yield Station(accepted)
        if left:
            yield Station(None, left)
            yield Station(None, arrived)
        return
    yield Station(
        _mark(
            "预审通过", facts.pre_reviewed or (facts.accepted if facts.mode != Mode.WINDOW_FORWARD else None)
        )
    )
    if left:
        yield Station(None, left)
    yield Station(accepted, arrived)


def _mark(label: str, at: datetime | None) -> Mark:
    return Mark(label, at, DONE if at else AHEAD)


def _paper(facts: JourneyFacts, label: str, at: datetime | None) -> Mark | None:
    return _mark(label, at) if facts.has_paper or at else None


def _with_present(stations: list[Station], facts: JourneyFacts) -> list[Station]:
    """Mark the first digital station that lies ahead as the present one."""
    note = HandlingState.SUPPLEMENT.label if facts.handling_state == HandlingState.SUPPLEMENT else ""
    shown, found = [], False
    for station in stations:
        mark = station.digital
        if mark and mark.state == AHEAD and not found:
            found = True
            mark = Mark(mark.label, None, NOW, note)
        shown.append(Station(mark, station.paper))
    return shown


def _with_rails(stations: list[Station]) -> list[Station]:
    """Each track is drawn as travelled up to the last mark on it that is done."""

    def last_done(marks: list[Mark | None]) -> int:
        return max((index for index, mark in enumerate(marks) if mark and mark.state != AHEAD), default=-1)

    digital = last_done([station.digital for station in stations])
    paper = last_done([station.paper for station in stations])
    return [
        Station(station.digital, station.paper, digital_passed=index < digital, paper_passed=index < paper)
        for index, station in enumerate(stations)
    ]


def _stopped(stations: list[Station], label: str, at: datetime | None) -> list[Station]:
    """What happened, then the end; papers that still moved stay in sight."""
    kept = [
        Station(_if_done(station.digital), _if_done(station.paper))
        for station in stations
        if not (_if_done(station.digital) is None and _if_done(station.paper) is None)
    ]
    return [*kept, Station(Mark(label, at, STOPPED))]


def _if_done(mark: Mark | None) -> Mark | None:
    return mark if mark and mark.state == DONE else None


def first_of(events: Iterable[tuple[str, datetime]]) -> Mapping[str, datetime]:
    """The first moment of each kind of event."""
    moments: dict[str, datetime] = {}
    for kind, at in events:
        moments.setdefault(kind, at)
    return moments
