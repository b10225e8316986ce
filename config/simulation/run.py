"""Rolls the dice: one step after another, each checked, until every case came to its end or something does not hold."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from config.simulation.acts import ACTS
from config.simulation.acts.strangers import Trespass
from config.simulation.crashes import CommitPoints, Crash
from config.simulation.database import check_empty
from config.simulation.invariants import Violation, check, check_end, check_whole
from config.simulation.invariants.chronicle import Chronicle
from config.simulation.world import Deed, World, opened_world
from ingest.models import Case
from ingest.rules import ENDED
from storage.errors import Refused

CRASHES = 0.12
"""Share of the acts over which the process dies, if they commit anything."""
AGAIN = 0.04
"""Share of the acts that are done twice: an impatient hand, a broker that repeats itself."""
STEPS_FOR_A_CASE = 500
CALM_STEPS = 4000
WHOLE_FIRST = 500
"""The whole history is read again after so many steps, then after twice as many, and so on: each time it is longer."""
LOOKS = 30
LOOK_UP = 50
"""Steps after which it is asked whether the end has come."""
FEW = 50
"""One case in so many may be left when misfortunes end."""
Told = Callable[[str], None]


@dataclass
class Outcome:
    """What a run came to. `stopped`: it was told to end at a step, so nothing is said of the end."""

    seed: int
    cases: int
    steps: int = 0
    opened: int = 0
    ended: int = 0
    days: int = 0
    violations: list[Violation] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    points: int = 0
    points_struck: int = 0
    never_struck: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def holds(self) -> bool:
        return not self.violations

    @property
    def replay(self) -> str:
        """What plays the same again up to here, every step shown."""
        return f"manage.py simulate --seed {self.seed} --cases {self.cases} --until {self.steps} --trace"


@dataclass
class Play:
    """One run, as far as it came."""

    world: World
    outcome: Outcome
    points: CommitPoints
    tell: Told | None = None
    told: Chronicle = field(default_factory=Chronicle)
    whole_at: int = WHOLE_FIRST

    def step(self) -> bool:
        """One deed and, where it wrote anything, all questions; False when something does not hold."""
        self.outcome.steps += 1
        _pass_time(self.world)
        deed = self._next()
        if deed is None:
            return True
        self._say(self._perform(deed))
        if self.outcome.holds and self.points.wrote:
            self.outcome.violations = check(self.world, self.told)
        if self.outcome.holds and self.outcome.steps == self.whole_at:
            self.outcome.violations = check_whole(self.world)
            self.whole_at *= 2
        return self.outcome.holds

    def _next(self) -> Deed | None:
        weights = [act.weight for act in ACTS]
        for _ in range(LOOKS):
            deed = self.world.dice.choices(ACTS, weights)[0].find(self.world)
            if deed is not None:
                return deed
        return None

    def _perform(self, deed: Deed) -> str:
        """The deed, once or twice, the process dying over it or not; what came of it in a line."""
        self.outcome.deeds[deed.name] += 1
        self.points.wrote = False
        ends = [self._once(deed, armed=self.world.chance(CRASHES))]
        died = ends[0].startswith("died")
        if (died and self.world.dice.random() < 0.5) or self.world.chance(AGAIN):
            ends.append(self._once(deed, armed=False))
        return f"{deed.who}: {deed.name} {deed.what}".rstrip() + " → " + ", again: ".join(ends)

    def _once(self, deed: Deed, *, armed: bool) -> str:
        try:
            with self.points.during(deed.name, armed=armed):
                deed.do()
        except Crash as crash:
            self.outcome.crashes += 1
            return f"died {crash}"
        except Refused as refused:
            self.outcome.refusals[f"{deed.name}: {refused.code}"] += 1
            return refused.code
        except Trespass as trespass:
            self._broke("no_act_without_its_right", str(trespass))
            return "came through"
        except Exception as fault:  # noqa: BLE001 — whatever it is, it is what the run is for
            frames = "".join(traceback.format_exception(fault))
            self._broke("nothing_breaks", f"{deed.name}: {type(fault).__name__}\n{frames}")
            return type(fault).__name__
        return "done"

    def _broke(self, name: str, words: str) -> None:
        self.outcome.violations.append(Violation(name, words))

    def _say(self, line: str) -> None:
        told = f"{self.outcome.steps:6} {self.world.clock.now():%m-%d %H:%M:%S} {line}"
        self.outcome.lines.append(told)
        if self.tell is not None:
            self.tell(told)


def simulate(*, seed: int, cases: int, until: int | None = None, tell: Told | None = None) -> Outcome:
    """Plays until every case ended, something broke, or `until` steps are done. Raises NotEmpty in a used database."""
    check_empty()
    outcome = Outcome(seed=seed, cases=cases)
    with opened_world(seed=seed, cases=cases) as world:
        play = Play(world, outcome, CommitPoints(world.dice), tell)
        play.told.read()
        begun = world.clock.now()
        _run(play, until)
        outcome.opened = Case.objects.count()
        outcome.ended = Case.objects.filter(state__in=ENDED).count()
        outcome.days = (world.clock.now() - begun).days
        outcome.points, outcome.points_struck = len(play.points.reached), len(play.points.struck)
        outcome.never_struck = play.points.never_struck()
    return outcome


def _run(play: Play, until: int | None) -> None:
    world, outcome = play.world, play.outcome
    most = world.wanted * STEPS_FOR_A_CASE
    calm_since = 0
    while True:
        if until is not None and outcome.steps >= until:
            outcome.stopped = True
            return
        if not play.step():
            return
        looks = outcome.steps % LOOK_UP == 0
        if looks and not world.calm and (outcome.steps >= most or _few_left(world)):
            world.calm, calm_since = True, outcome.steps
            world.courier.faults.clear()
        if looks and world.calm:
            found = check_end(world)
            if not found:
                outcome.violations = check_whole(world)
                return
            if outcome.steps - calm_since > CALM_STEPS:
                outcome.violations = found
                return


def _few_left(world: World) -> bool:
    ended = Case.objects.filter(state__in=ENDED).count()
    return Case.objects.count() >= world.wanted and ended >= world.wanted - world.wanted // FEW


def _pass_time(world: World) -> None:
    """Mostly minutes; now and then a night, and a clock that was set right."""
    whim = world.dice.random()
    if whim < 0.002:
        world.clock.move(timedelta(days=world.dice.randint(1, 4)))
    elif whim < 0.004 and not world.calm:
        world.clock.move(-timedelta(seconds=world.dice.randint(1, 900)))
    elif whim < 0.02:
        world.clock.move(timedelta(minutes=world.dice.randint(20, 120)))
    else:
        world.clock.move(timedelta(seconds=world.dice.randint(1, 180)))
