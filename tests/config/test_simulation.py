"""The simulation: a seed plays to its end and holds, plays the same way twice, and never on anybody's data."""

import json
import subprocess
import sys
from collections.abc import Iterator
from random import Random

import pytest
from django.core.management import call_command
from django.db import connection

from config.simulation.crashes import CommitPoints, Crash
from config.simulation.database import NotEmpty
from config.simulation.run import Outcome, simulate
from registry.models import NumberSequence
from tests.cast import assemble
from tests.shared import ROOT

CASES = 3


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_plays_to_its_end_and_holds(seed: int, transactional_db: None) -> None:
    outcome = simulate(seed=seed, cases=CASES)
    assert [str(violation) for violation in outcome.violations] == [], _replay(outcome)
    assert outcome.ended == outcome.opened >= CASES
    assert outcome.crashes > 0
    assert {"hand over", "push", "relay", "courier: move"} <= set(outcome.deeds)


def test_the_same_seed_plays_the_same_way(transactional_db: None) -> None:
    first = simulate(seed=11, cases=2, until=150)
    call_command("flush", interactive=False, verbosity=0)
    second = simulate(seed=11, cases=2, until=150)
    assert first.lines == second.lines
    assert first.stopped


def test_a_failing_seed_says_how_to_fail_again(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logistics.services.custody.record_parcel", lambda *_, **__: None)
    first = simulate(seed=11, cases=2)
    assert {violation.name for violation in first.violations} == {"each_parcel_is_explained"}
    assert first.replay == f"manage.py simulate --seed 11 --cases 2 --until {first.steps} --trace"
    call_command("flush", interactive=False, verbosity=0)
    second = simulate(seed=11, cases=2, until=first.steps)
    assert second.violations == first.violations
    assert second.lines == first.lines


def test_it_keeps_off_a_database_in_which_anybody_works(db: None) -> None:
    assemble()
    with pytest.raises(NotEmpty):
        simulate(seed=1, cases=1)


def test_the_command_plays_in_a_database_of_its_own(transactional_db: None, outside: dict[str, str]) -> None:
    assemble()
    command = [sys.executable, "manage.py", "simulate", "--seed", "5", "--cases", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ended"] == told["opened"] >= 1
    assert told["holds"]
    assert NumberSequence.objects.count() == 0


@pytest.fixture
def points(transactional_db: None) -> Iterator[CommitPoints]:
    yield CommitPoints(Random(1))
    assert "_commit" not in vars(connection)


def test_a_process_dies_before_and_after_each_commit(points: CommitPoints) -> None:
    def act() -> None:
        NumberSequence.objects.create(name=f"made-{NumberSequence.objects.count()}")
        NumberSequence.objects.update(value=7)

    with points.during("act", armed=False):
        act()
    left = []
    for _ in range(4):
        NumberSequence.objects.all().delete()
        try:
            with points.during("act", armed=True):
                act()
        except Crash as crash:
            left.append((str(crash), list(NumberSequence.objects.values_list("value", flat=True))))
    assert dict(left)["act 1 before"] == []
    assert dict(left)["act 1 after"] == [0]
    assert dict(left)["act 2 before"] == [0]
    assert dict(left)["act 2 after"] == [7]
    assert points.never_struck() == []


def _replay(outcome: Outcome) -> str:
    return "\n".join([*outcome.lines[-20:], outcome.replay])
