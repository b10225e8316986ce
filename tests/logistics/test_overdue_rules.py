"""What a desk has to do with a paper that lies on it, read from the state of the case alone."""

from dataclasses import replace

from logistics.rules.overdue import DAYS, Late, Lying, waits_for

MATERIAL = Lying(
    at_window=True,
    result=False,
    mailed=True,
    mode="window_forward",
    state="pre_review",
    needed_next=True,
    all_decided=False,
)
RESULT = replace(MATERIAL, at_window=False, result=True, mailed=False, state="decided", needed_next=False)


def test_from_the_window_it_goes_once_the_mode_lets_it() -> None:
    assert waits_for(MATERIAL) == Late.UNSENT
    assert waits_for(replace(MATERIAL, state="pending")) is None, "before the pre-review nothing leaves"
    assert waits_for(replace(MATERIAL, mode="window_accept")) is None, "nor before acceptance there"
    assert waits_for(replace(MATERIAL, mailed=False)) is None, "what need not be mailed waits for nobody"


def test_at_an_office_it_goes_on_is_kept_or_goes_home() -> None:
    there = replace(MATERIAL, at_window=False, state="accepted", needed_next=False)
    assert waits_for(there) is None, "the office works with it"
    assert waits_for(replace(there, needed_next=True)) == Late.UNSENT
    for state in ("decided", "refused", "withdrawn"):
        assert waits_for(replace(there, state=state)) == Late.KEPT
        assert waits_for(replace(there, state=state, at_window=True)) == Late.UNCOLLECTED


def test_a_result_waits_for_every_office_and_then_for_its_applicant() -> None:
    assert waits_for(RESULT) is None
    assert waits_for(replace(RESULT, all_decided=True)) == Late.RESULT_HELD
    assert waits_for(replace(RESULT, at_window=True)) == Late.UNCOLLECTED


def test_every_lateness_of_a_desk_has_its_days() -> None:
    assert set(DAYS) == set(Late) - {Late.ROAD, Late.UNTICKED}
