"""The simulation: a seed plays to its end and holds, plays the same way twice, and never on anybody's data."""

import json
import subprocess
import sys

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from config.simulation.crashes import CommitPoints
from config.simulation.database import NotEmpty
from config.simulation.people import ROUTES
from config.simulation.run import Outcome, simulate
from registry.models import NumberSequence
from registry.terms import Mode
from tests.cast import assemble
from tests.shared import ROOT

CASES = 3


@pytest.mark.parametrize(("seed", "online"), [(1, False), (2, True)])
def test_a_seed_plays_to_its_end_and_holds(
    seed: int, online: bool, transactional_db: None, objects: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second with applicants who send their papers themselves and nobody else."""
    if online:
        routes = tuple(route for route in ROUTES if route.mode == Mode.ONLINE)
        monkeypatch.setattr("config.simulation.acts.counter.ROUTES", routes)
    outcome = simulate(seed=seed, cases=CASES)
    assert [str(violation) for violation in outcome.violations] == [], _replay(outcome)
    assert outcome.ended == outcome.opened >= CASES
    assert outcome.crashes > 0
    assert {"hand over", "push", "relay", "courier: move"} <= set(outcome.deeds)
    assert not online or {"submit online", "announce papers", "receive"} <= set(outcome.deeds)
    assert outcome.reached == outcome.struck > 100
    assert outcome.crashes >= outcome.struck
    assert not set(outcome.never_reached) & set(outcome.places)


def test_a_case_with_real_pages_is_read_bound_and_sealed(
    transactional_db: None, objects: None, settings: LazySettings
) -> None:
    settings.OCR_ENGINE = "tesseract"
    outcome = simulate(seed=8, cases=1, paper_every=1)
    assert [str(violation) for violation in outcome.violations] == [], _replay(outcome)
    assert {"upload page", "job read_page", "job build_dossier", "countersign dossier"} <= set(outcome.deeds)


def test_the_same_seed_plays_the_same_way(transactional_db: None, objects: None) -> None:
    first = simulate(seed=11, cases=2, until=150)
    call_command("flush", interactive=False, verbosity=0)
    second = simulate(seed=11, cases=2, until=150)
    assert first.lines == second.lines
    assert first.stopped


def test_a_failing_seed_says_how_to_fail_again(
    transactional_db: None, objects: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logistics.services.custody.record_parcel", lambda *_, **__: None)
    first = simulate(seed=11, cases=2)
    assert {violation.name for violation in first.violations} == {"each_parcel_is_explained"}
    assert first.replay == f"manage.py simulate --seed 11 --cases 2 --until {first.steps} --trace"
    call_command("flush", interactive=False, verbosity=0)
    second = simulate(seed=11, cases=2, until=first.steps)
    assert second.violations == first.violations
    assert second.lines == first.lines


def test_a_commit_that_is_reached_and_not_struck_fails_the_run(
    transactional_db: None, objects: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = CommitPoints._dies

    def spared(self: CommitPoints, way: tuple[str, ...], side: str) -> bool:
        died = dies(self, way, side)
        if self._died is None or not self._act.startswith("submit"):
            return died
        del self.struck[self._died]
        self._died = None
        return False

    monkeypatch.setattr(CommitPoints, "_dies", spared)
    outcome = simulate(seed=1, cases=2, until=200)
    assert {violation.name for violation in outcome.violations} == {"every_commit_is_struck"}
    assert all(violation.words.startswith("submit") for violation in outcome.violations)
    assert outcome.reached == outcome.struck + len(outcome.violations)
    assert not outcome.holds


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
    assert told["reached"] == told["struck"] > 50
    assert NumberSequence.objects.count() == 0


def _replay(outcome: Outcome) -> str:
    return "\n".join([*outcome.lines[-20:], outcome.replay])
