"""Two acts in one moment: they meet in the database, in an order that is chosen and not left to chance."""

from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from config.simulation.rivals import Hold, Rivals, can_race
from config.simulation.run import simulate
from registry.models import NumberSequence


@pytest.fixture
def rivals(rivals: Rivals) -> Rivals:
    assert can_race()
    NumberSequence.objects.create(name="first")
    NumberSequence.objects.create(name="second")
    return rivals


@pytest.mark.parametrize("hold", [Hold(commit=1), Hold(statement=1), Hold(statement=2), Hold(commit=9)])
def test_whoever_comes_second_waits_for_the_lock_and_sees_what_the_first_did(
    rivals: Rivals, hold: Hold
) -> None:
    told: list[str] = []

    def take(name: str) -> Callable[[], str]:
        def act() -> str:
            told.append(f"{name} asks")
            with transaction.atomic():
                row = NumberSequence.objects.select_for_update().get(name="first")
                told.append(f"{name} has it")
                NumberSequence.objects.filter(pk=row.pk).update(value=row.value + 1)
            told.append(f"{name} is done")
            return str(row.value)

        return act

    ends = rivals.meet((take("one"), take("other")), hold)
    assert ends == ("0", "1")
    met = hold != Hold(commit=9)  # a commit that never comes: then one follows the other
    assert told.index("other asks") < told.index("one is done") or not met
    assert told.index("one has it") < told.index("other has it")
    again: list[str] = []
    told, again = again, told
    NumberSequence.objects.filter(name="first").update(value=0)
    rivals.meet((take("one"), take("other")), hold)
    assert told == again


def test_two_that_wait_for_each_other_are_parted_by_the_database(rivals: Rivals) -> None:
    def lock(names: tuple[str, str]) -> Callable[[], str]:
        def act() -> str:
            try:
                with transaction.atomic():
                    for name in names:
                        NumberSequence.objects.filter(name=name).update(value=7)
            except OperationalError:
                return "deadlock"
            return "done"

        return act

    ends = rivals.meet((lock(("first", "second")), lock(("second", "first"))), Hold(statement=1))
    assert sorted(ends) == ["deadlock", "done"]


def test_what_an_act_raises_comes_out(rivals: Rivals) -> None:
    def fail() -> str:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        rivals.meet((lambda: "done", fail), Hold(commit=1))
    assert rivals.meet((lambda: "done", lambda: "done"), Hold(commit=1)) == ("done", "done")


def test_a_simulation_plays_them_where_two_can_write(transactional_db: None, objects: None) -> None:
    outcome = simulate(seed=7, cases=3, until=250)
    assert [str(violation) for violation in outcome.violations] == []
    if connection.vendor != "postgresql":
        assert outcome.races is None
        return
    assert outcome.races
    assert any(" at once: " in line for line in outcome.lines)
