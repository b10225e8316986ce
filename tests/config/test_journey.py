"""The two tracks: in the order of each mode, with the present marked, meeting where hands change."""

from datetime import UTC, datetime, timedelta

from config.pages.journey import AHEAD, DONE, NOW, STOPPED, JourneyFacts, Mark, Travel, journey
from ingest.rules import CaseState, HandlingState
from registry.terms import Mode

DAY = datetime(2026, 3, 10, tzinfo=UTC)


def facts(**changes: object) -> JourneyFacts:
    plain = {
        "mode": Mode.WINDOW_FORWARD,
        "case_state": CaseState.SUBMITTED,
        "handling_state": HandlingState.PENDING,
        "has_paper": True,
        "created": DAY,
        "submitted": DAY,
        "taken_in": DAY,
    }
    return JourneyFacts(**{**plain, **changes})  # type: ignore[arg-type]


def labels(marks: list[Mark | None]) -> list[str]:
    return [mark.label for mark in marks if mark]


def test_collecting_first_sends_paper_after_pre_review() -> None:
    stations = journey(facts())
    assert labels([station.digital for station in stations]) == [
        "收件", "提交", "预审通过", "受理", "作出决定", "送达", "归结",
    ]  # fmt: skip
    assert labels([station.paper for station in stations]) == [
        "原件登记", "原件寄出", "部门收到原件", "结果寄出", "申请人收到",
    ]  # fmt: skip
    assert [station.digital.label for station in stations if station.meets and station.digital] == [
        "收件", "受理", "送达", "归结",
    ]  # fmt: skip


def test_accepting_at_the_window_comes_before_the_paper_moves() -> None:
    order = [
        (station.digital or station.paper).label  # type: ignore[union-attr]
        for station in journey(facts(mode=Mode.WINDOW_ACCEPT))
    ]
    assert (
        order.index("受理") < order.index("原件寄出") < order.index("部门收到原件") < order.index("作出决定")
    )


def test_the_first_station_ahead_is_the_present() -> None:
    states = [station.digital.state for station in journey(facts()) if station.digital]
    assert states == [DONE, DONE, NOW, AHEAD, AHEAD, AHEAD, AHEAD]


def test_a_request_for_supplement_is_noted_at_the_present() -> None:
    stations = journey(facts(handling_state=HandlingState.SUPPLEMENT))
    present = next(
        station.digital for station in stations if station.digital and station.digital.state == NOW
    )
    assert present.note == "补正"


def test_without_paper_there_is_one_track() -> None:
    assert all(station.paper is None for station in journey(facts(has_paper=False, taken_in=None)))


def test_a_refused_case_ends_with_what_happened() -> None:
    stations = journey(facts(case_state=CaseState.REFUSED, closed=DAY + timedelta(days=1)))
    marks = [station.digital for station in stations if station.digital]
    assert labels(list(marks)) == ["收件", "提交", "不予受理"]
    assert marks[-1].state == STOPPED


def test_the_paper_track_is_travelled_up_to_where_the_paper_is() -> None:
    stations = journey(facts(pre_reviewed=DAY, out=Travel(left=DAY)))
    passed = [station.paper_passed for station in stations]
    assert passed == [True, True, True, False, False, False, False, False]
