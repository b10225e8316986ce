"""Random walks over the real services hold the rules of cases and handlings; and the walk finds a rule that is broken.

`--hypothesis-profile long` walks further.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ingest import rules
from ingest.rules import CaseState, HandlingState, Step
from ingest.services import handlings, withdrawing
from registry import permissions
from registry.permissions import Reach
from registry.terms import Mode, Role
from tests.walks.deeds import ACTS, BESIDE, DEEDS
from tests.walks.endings import way_out
from tests.walks.machine import Walk
from tests.walks.world import World, build

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects"), pytest.mark.timeout(1800)]
EXAMPLES, STEPS = (300, 60) if settings.get_current_profile_name() == "long" else (14, 24)
UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture
def world(db: None) -> World:
    return build()


def walk(world: World, how: settings) -> None:
    # Any callable that makes a walk will do, whatever the signature says.
    run_state_machine_as_test(cast("type[Walk]", partial(Walk, world, set())), settings=how)


def test_whatever_anybody_does_cases_stay_lawful_and_can_end(world: World) -> None:
    walk(world, settings(UNHURRIED, max_examples=EXAMPLES, stateful_step_count=STEPS))


def test_every_place_that_the_tables_reach_has_a_way_out() -> None:
    for mode in Mode:
        offices = 3 if mode == Mode.JOINT else 1
        assert way_out((CaseState.DRAFT, ((HandlingState.WAITING, ""),) * offices), mode) is not None
    assert way_out((CaseState.REFUSED, ((HandlingState.REFUSED, ""),)), Mode.ONLINE) is None


def test_every_act_about_a_case_is_tried_or_says_where_it_is() -> None:
    """A right that is added to the table is walked, too, or somebody writes down why not."""
    roles = [permissions.CLERK, permissions.OFFICER]
    keys = [set(acts) for role, acts in permissions.TABLE.items() if role.startswith("integration:")]
    changing = {
        act for acts in [*roles, *keys] for act in acts if act.rpartition(".")[2] not in {"see", "read"}
    }
    tried = {act for acts in ACTS.values() for act in acts.split()} | {"case.create"}
    assert changing - tried == set(BESIDE)
    assert set(ACTS) == set(DEEDS)


Patch = pytest.MonkeyPatch


def accepted_again(patch: Patch) -> None:
    again = Step("accept", "受理", (HandlingState.ACCEPTED,), HandlingState.ACCEPTED)
    patch.setattr(rules, "HANDLING_STEPS", (*rules.HANDLING_STEPS, again))


def no_way_to_close(patch: Patch) -> None:
    steps = tuple(replace(step, sources=()) if step.act == "close" else step for step in rules.CASE_STEPS)
    patch.setattr(rules, "CASE_STEPS", steps)


def any_clerk_withdraws(patch: Patch) -> None:
    clerk = {**permissions.TABLE[Role.CLERK.value], "case.withdraw": Reach.ALL}
    patch.setattr(permissions, "TABLE", {**permissions.TABLE, Role.CLERK.value: clerk})


def silent_withdrawal(patch: Patch) -> None:
    patch.setattr(withdrawing, "record", lambda **event: None)


def case_that_lags_behind(patch: Patch) -> None:
    patch.setattr(handlings, "let_case_follow", lambda *case, **by: None)


def clock_that_starts_anew(patch: Patch) -> None:
    patch.setattr("ingest.services.clock.workdays_between", lambda *days: 5)


def results_one_by_one(patch: Patch) -> None:
    patch.setattr("logistics.services.parcels.check_release", lambda leg, **facts: None)


def files_one_by_one(patch: Patch) -> None:
    patch.setattr("ingest.services.results.result_is_held", lambda states: False)


Told = tuple[str, int, str]
"""A deed, the number of the part it is done to, and who does it."""
ACCEPTED: list[Told] = [("submit", 0, "clerk"), ("accept", 0, "first officer")]
STORIES: list[tuple[Callable[[Patch], None], Mode, list[Told], str]] = [
    (accepted_again, Mode.ONLINE, [*ACCEPTED, ACCEPTED[-1]], "accepted"),
    (no_way_to_close, Mode.WINDOW_FORWARD, [], "no way out"),
    (any_clerk_withdraws, Mode.ONLINE, [("withdraw", 0, "other clerk")], "withdraw without the right"),
    (silent_withdrawal, Mode.WINDOW_ACCEPT, [("withdraw", 0, "clerk")], "changed without a word"),
    (case_that_lags_behind, Mode.ONLINE, ACCEPTED, "stops|the events say"),
    (
        clock_that_starts_anew,
        Mode.ONLINE,
        [*ACCEPTED, ("time", 1, ""), ("supplement", 0, "first officer"), ("resubmit", 0, "clerk")],
        "are left",
    ),
    (
        results_one_by_one,
        Mode.JOINT,
        [*ACCEPTED, ("decide", 0, "first officer"), ("bag", 0, "first officer")],
        "before the others",
    ),
    (
        files_one_by_one,
        Mode.JOINT,
        [*ACCEPTED, ("decide", 0, "first officer"), ("attach", 0, "first officer"), ("fetch", 0, "platform")],
        "a file was fetched before the others",
    ),
]


def go(world: World, mode: Mode, story: list[Told]) -> None:
    """A walk that is told step by step, with the same questions after each."""
    walker = Walk(world, set())
    try:
        walker.somebody_comes_in(mode, ready=True)
        walker.look_around()
        for deed, part, who in story:
            if deed == "time":
                walker.time_passes(part)
            else:
                walker.attempt(deed, 0, part, world.people[who])
            walker.look_around()
    finally:
        walker.teardown()


@pytest.mark.parametrize(("plant", "mode", "story", "says"), STORIES)
def test_a_broken_rule_is_found_and_a_whole_one_is_not(
    world: World,
    plant: Callable[[Patch], None],
    mode: Mode,
    story: list[Told],
    says: str,
    monkeypatch: Patch,
) -> None:
    go(world, mode, story)
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=says):
        go(world, mode, story)


def test_the_walk_finds_a_second_acceptance_by_itself(world: World, monkeypatch: Patch) -> None:
    accepted_again(monkeypatch)
    how = settings(
        UNHURRIED, max_examples=150, stateful_step_count=STEPS, phases=[Phase.generate], derandomize=True
    )
    with pytest.raises(AssertionError, match="accepted"):
        walk(world, how)
