"""Rules for deadlines: the nearest region's latest policy decides, and lateness has somebody's name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from registry.deadlines import deadline_policies, set_deadline_policy
from registry.models import DeadlinePolicy, Event, Region
from registry.permissions import NotYours
from registry.rules.deadlines import (
    UNLESS_TOLD,
    DeadlinePolicyFacts,
    DeadlineRules,
    Delayer,
    DelayFacts,
    Light,
    cause_of_lateness,
    late_since,
    light,
    policy_for,
    rules_for,
)
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble

TODAY = local_day(NOW)
STRICT = DeadlineRules(amber_days=3, courier_days=2, receipt_days=1, pause_for_courier=True)
TUESDAY, FRIDAY = date(2026, 3, 10), date(2026, 3, 13)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def test_the_nearest_region_decides_and_there_the_latest_that_holds() -> None:
    mild = DeadlineRules(1, 9, 9, pause_for_courier=False)
    policies = [
        DeadlinePolicyFacts(None, date(2026, 1, 1), mild),
        DeadlinePolicyFacts("331000", date(2026, 1, 1), mild),
        DeadlinePolicyFacts("331000", date(2026, 3, 1), STRICT),
        DeadlinePolicyFacts("331000", date(2026, 4, 1), mild),
    ]
    assert rules_for("331081", TUESDAY, policies) == STRICT
    assert rules_for("331081001", TUESDAY, policies) == STRICT
    assert rules_for("330681", TUESDAY, policies) == mild
    assert rules_for("330681", date(2025, 1, 1), policies) == UNLESS_TOLD
    assert rules_for("", TUESDAY, policies) == mild


def test_the_reference_data_hold_a_default_that_says_it_is_one_and_changes_nothing(cast: Cast) -> None:
    (default,) = deadline_policies()
    assert (default.region, default.rules) == (None, UNLESS_TOLD)
    assert default.source.startswith("系统默认")
    policy = policy_for("331081", TODAY, [default])
    assert policy == default
    assert "剩余 2 个工作日起提醒" in policy.words
    assert default.source in policy.words
    assert "系统内置" in policy_for("331081", TODAY, []).words


@pytest.mark.parametrize(
    ("deadline", "paused_on", "shines"),
    [
        (date(2026, 3, 9), None, Light.RED),
        (TUESDAY, None, Light.AMBER),
        (date(2026, 3, 12), None, Light.AMBER),
        (FRIDAY, None, Light.GREEN),
        (date(2026, 3, 9), date(2026, 3, 9), Light.PAUSED),
        (date(2026, 3, 9), TUESDAY, Light.RED),
    ],
)
def test_a_promise_is_red_amber_paused_or_green(
    deadline: date, paused_on: date | None, shines: Light
) -> None:
    assert light(deadline, paused_on=paused_on, today=TUESDAY, amber_days=2) == shines


def test_a_courier_is_late_after_its_working_days_and_not_on_the_last() -> None:
    assert late_since(TUESDAY, 3, until=FRIDAY) is None
    assert late_since(TUESDAY, 3, until=date(2026, 3, 14)) == FRIDAY
    assert late_since(FRIDAY, 1, until=date(2026, 3, 17)) == date(2026, 3, 16)


def test_the_courier_is_to_blame_only_for_every_day_too_many_that_did_not_stop_the_clock() -> None:
    delay = DelayFacts(Delayer.COURIER, began_on=date(2026, 3, 5), ended_on=date(2026, 3, 9), stopped=False)
    assert cause_of_lateness(2, [delay], today=TUESDAY) == Delayer.COURIER
    assert cause_of_lateness(3, [delay], today=TUESDAY) == Delayer.OFFICE
    stopped = DelayFacts(Delayer.COURIER, delay.began_on, delay.ended_on, stopped=True)
    assert cause_of_lateness(1, [stopped], today=TUESDAY) == Delayer.OFFICE
    assert cause_of_lateness(1, [], today=TUESDAY) == Delayer.OFFICE
    still = DelayFacts(Delayer.COURIER, began_on=date(2026, 3, 6), ended_on=None, stopped=False)
    assert cause_of_lateness(2, [still], today=TUESDAY) == Delayer.COURIER


def test_a_policy_is_set_told_and_never_dated_back(cast: Cast) -> None:
    taizhou = Region.objects.get(code="331000")

    def put(region: Region | None, day: date, rules: DeadlineRules = STRICT, source: str = "会商") -> None:
        set_deadline_policy(
            region=region, valid_from=day, rules=rules, source=source, actor=cast.administrator, now=NOW
        )

    known = DeadlinePolicy.objects.count()
    put(taizhou, TODAY, replace(STRICT, chase_days=1, incident_days=3))
    put(None, TODAY)
    assert {policy.region for policy in deadline_policies()} == {"331000", None}
    told = Event.objects.filter(kind="deadline.policy_set").order_by("pk")[0]
    assert (told.data["region"], told.data["pause_for_courier"]) == ("331000", True)
    chased = {
        policy.region: (policy.rules.chase_days, policy.rules.incident_days) for policy in deadline_policies()
    }
    assert chased == {"331000": (1, 3), None: (2, 5)}
    faults: list[Callable[[], None]] = [
        lambda: put(taizhou, TODAY),
        lambda: put(None, TODAY),
        lambda: put(taizhou, TODAY - timedelta(days=1)),
        lambda: put(taizhou, TODAY + timedelta(days=1), source=" "),
        lambda: put(taizhou, TODAY + timedelta(days=1), DeadlineRules(2, 0, 1, pause_for_courier=True)),
        lambda: put(taizhou, TODAY + timedelta(days=1), DeadlineRules(31, 3, 1, pause_for_courier=True)),
        lambda: put(taizhou, TODAY + timedelta(days=1), replace(STRICT, chase_days=0)),
        lambda: put(taizhou, TODAY + timedelta(days=1), replace(STRICT, incident_days=31)),
    ]
    for faulty in faults:
        with pytest.raises(Refused):
            faulty()
    assert DeadlinePolicy.objects.count() == known + 2
    with pytest.raises(NotYours):
        set_deadline_policy(
            region=None, valid_from=TODAY, rules=STRICT, source="x", actor=cast.officer, now=NOW
        )
