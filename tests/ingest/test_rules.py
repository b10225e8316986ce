"""The states of cases and handlings, and what they permit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rules import (
    CASE_STEPS,
    ENDED,
    HANDLING_STEPS,
    CaseState,
    HandlingState,
    MaterialFacts,
    NotNow,
    case_state_from,
    check_follows,
    handling_target,
    may_post_originals,
    missing_materials,
    open_handling_acts,
)
from registry.terms import Mode

ACTS = sorted({step.act for step in HANDLING_STEPS})


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("state", list(HandlingState))
@pytest.mark.parametrize("act", ACTS)
def test_what_the_table_does_not_hold_is_refused_with_its_rule(act: str, state: str, mode: str) -> None:
    targets = {
        step.target
        for step in HANDLING_STEPS
        if step.act == act and state in step.sources and (not step.modes or mode in step.modes)
    }
    if targets:
        assert handling_target(act, state, mode) in targets
        assert act in open_handling_acts(state, mode)
    else:
        with pytest.raises(NotNow) as refused:
            handling_target(act, state, mode)
        assert HandlingState(state).label in refused.value.message


def test_paper_moves_only_when_its_mode_lets_it() -> None:
    assert not may_post_originals(Mode.WINDOW_FORWARD, HandlingState.PENDING)
    assert may_post_originals(Mode.WINDOW_FORWARD, HandlingState.PRE_REVIEW)
    assert not may_post_originals(Mode.WINDOW_ACCEPT, HandlingState.PENDING)
    assert may_post_originals(Mode.WINDOW_ACCEPT, HandlingState.ACCEPTED)
    assert may_post_originals(Mode.JOINT, HandlingState.PENDING)
    for mode in Mode:
        assert not may_post_originals(mode, HandlingState.WITHDRAWN)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_case_can_end_from_every_state(mode: Mode) -> None:
    ending = set(ENDED)
    arrows = [step for step in CASE_STEPS if not step.modes or mode in step.modes]
    for _ in CaseState:
        ending |= {source for step in arrows if step.target in ending for source in step.sources}
    assert ending == set(CaseState)


@given(st.lists(st.sampled_from(list(HandlingState)), min_size=1, max_size=4))
def test_a_case_is_no_further_than_its_slowest_handling(states: list[HandlingState]) -> None:
    order = [CaseState.SUBMITTED, CaseState.PRE_REVIEW, CaseState.ACCEPTED, CaseState.DECIDED]
    case = case_state_from(states)
    if case in order:
        living = [s for s in states if s not in (HandlingState.REFUSED, HandlingState.WITHDRAWN)]
        for state in living:
            assert order.index(case_state_from([state])) >= order.index(case)
    if case is CaseState.DECIDED:
        assert HandlingState.DECIDED in states


@given(
    st.sampled_from(list(Mode)),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(ACTS)), max_size=30),
)
def test_whatever_offices_do_in_whatever_order_the_case_can_follow(
    mode: Mode, offices: int, acts: list[tuple[int, str]]
) -> None:
    handlings = [str(HandlingState.PENDING)] * offices
    case = CaseState.SUBMITTED
    for dice, act in acts:
        who = dice % offices
        if act in ("submit", "withdraw"):
            continue
        try:
            handlings[who] = handling_target(act, handlings[who], mode)
        except NotNow:
            continue
        target = case_state_from(handlings)
        if target != case:
            check_follows(case, target)
            case = target


def test_everything_missing_is_said_at_once() -> None:
    def row(
        name: str,
        pages: int,
        minimum: int = 1,
        *,
        required: bool = True,
        deferred: bool = False,
        shared_data: bool = False,
    ) -> MaterialFacts:
        return MaterialFacts(name, pages, minimum, required, deferred, shared_data)

    faults = missing_materials(
        [
            row("申请表", 0),
            row("身份证", 1, 2),
            row("营业执照", 0, shared_data=True),
            row("佐证", 0, required=False),
            row("委托书", 0, deferred=True),
            row("户口簿", 2, 2),
        ]
    )
    assert faults == ["缺少“申请表”", "“身份证”应有 2 页，现有 1 页"]
