"""Rolls the dice: one step after another, each checked, until every case came to its end or something does not hold."""

import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from config.simulation.acts import ACTS
from config.simulation.acts.strangers import Trespass
from config.simulation.crashes import CommitPoints, Crash, Survived
from config.simulation.database import check_empty
from config.simulation.invariants import Violation, check, check_end, check_whole
from config.simulation.invariants.chronicle import Chronicle
from config.simulation.points import known_places, place_of
from config.simulation.rivals import Hold, Rivals, can_race
from config.simulation.world import Deed, World, opened_world
from ingest.models import Case
from ingest.rules import ENDED
from storage.errors import Refused

RACES = 0.04
"""Share of the acts that are done in the same moment as another one, where the database lets two write."""
ON_THE_SAME = 0.7
"""Share of those in which the second is done to the same thing; half of them are the same act by another hand."""
AGAIN = 0.04
"""Share of the acts that are done twice: an impatient hand, a broker that repeats itself."""
TAKEN_UP = 0.5
"""Share of the deaths after which the same deed is done again at once."""
DIED = "died"
STEPS_FOR_A_CASE = 500
CALM_STEPS = 4000
STANDING = 200
"""Steps after which everything that stands is looked at, not only what the last step wrote about."""
WHOLE_FIRST = 500
"""The whole history is read again after so many steps, then after twice as many, and so on: each time it is longer."""
WEIGHTS = [act.weight for act in ACTS]
LOOKS = 30
LOOK_UP = 50
"""Steps after which it is asked whether the end has come."""
FEW = 50
"""One case in so many may be left when misfortunes end."""
Told = Callable[[str], None]


@dataclass
class Outcome:
    """What a run came to. `stopped`: it was told to end at a step, so nothing is said of the end. `races`: how often two
    acted at once, None where the database has one writer. `reached` and `struck` count sides of commits, `places` are the
    functions that committed, by act; `never_reached`: those that earlier runs came to and this one did not.
    """

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
    races: int | None = None
    reached: int = 0
    struck: int = 0
    places: list[str] = field(default_factory=list)
    never_reached: list[str] = field(default_factory=list)
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
    """One run, as far as it came. `rivals`: where two can act at once. `closely`: everything is asked after each step."""

    world: World
    outcome: Outcome
    points: CommitPoints
    tell: Told | None = None
    rivals: Rivals | None = None
    closely: bool = False
    told: Chronicle = field(default_factory=Chronicle)
    whole_at: int = WHOLE_FIRST

    def step(self) -> bool:
        """One deed or two at once and, where they wrote anything, what it concerns; False when something does not hold."""
        self.outcome.steps += 1
        _pass_time(self.world)
        deed = self._next()
        if deed is None:
            return True
        raced = self.rivals is not None and self.world.chance(RACES)
        self._say(self._race(deed, self._rival_of(deed)) if raced else self._perform(deed))
        everything = raced or self.closely or self.outcome.steps % STANDING == 0
        if self.outcome.holds and (everything or self.points.written):
            tables = None if everything else frozenset(self.points.written)
            self.outcome.violations = check(self.world, self.told, tables)
        self.points.written.clear()
        if self.outcome.holds and self.outcome.steps == self.whole_at:
            self.outcome.violations = check_whole(self.world)
            self.whole_at *= 2
        return self.outcome.holds

    def _next(self) -> Deed | None:
        for _ in range(LOOKS):
            deed = self.world.dice.choices(ACTS, WEIGHTS)[0].find(self.world)
            if deed is not None:
                return deed
        return None

    def _perform(self, deed: Deed) -> str:
        """The deed, mostly once, the process dying over it or not; what came of it in a line."""
        self.outcome.deeds[deed.name] += 1
        ends = [self._once(deed)]
        while self._comes_again(ends[-1]):
            ends.append(self._once(deed))
        return f"{deed.who}: {deed.name} {deed.what}".rstrip() + " → " + ", again: ".join(ends)

    def _comes_again(self, end: str) -> bool:
        if end.startswith(DIED):
            return self.world.dice.random() < TAKEN_UP
        return self.outcome.holds and self.world.chance(AGAIN)

    def _race(self, deed: Deed, rival: Deed) -> str:
        """Both in the same moment; either may come first, and what must hold holds either way."""
        assert self.rivals is not None
        for one in (deed, rival):
            self.outcome.deeds[one.name] += 1
        self.outcome.races = (self.outcome.races or 0) + 1
        hold = Hold.cast(self.world.dice)
        ends = self.rivals.meet((lambda: self._do(deed), lambda: self._do(rival)), hold)
        told = [
            f"{one.who}: {one.name} {one.what}".rstrip() + f" → {end}"
            for one, end in zip((deed, rival), ends, strict=True)
        ]
        return "at once: " + " | ".join(told)

    def _rival_of(self, deed: Deed) -> Deed:
        """Somebody else with the same thing in mind, or another thing to do with it, or whatever else there is."""
        whim = self.world.dice.random() / ON_THE_SAME
        if whim < 0.5:
            return deed
        about = deed.what.split(" ")[0]
        found = deed
        for _ in range(LOOKS if whim < 1 else 1):
            found = self._next() or found
            if about and found.what.split(" ")[0] == about:
                break
        return found

    def _once(self, deed: Deed) -> str:
        try:
            with self.points.during(deed.name):
                return self._do(deed)
        except Crash as crash:
            self.outcome.crashes += 1
            return f"{DIED} {crash}"
        except Survived as survived:
            self._broke("a_dead_process_is_dead", str(survived))
            return "survived"

    def _do(self, deed: Deed) -> str:
        try:
            deed.do()
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


def simulate(
    *,
    seed: int,
    cases: int,
    until: int | None = None,
    tell: Told | None = None,
    closely: bool = False,
    paper_every: int = 0,
) -> Outcome:
    """Plays until every case ended, something broke, or `until` steps are done. Raises NotEmpty in a used database."""
    check_empty()
    outcome = Outcome(seed=seed, cases=cases)
    with opened_world(seed=seed, cases=cases, paper_every=paper_every) as world:
        points = CommitPoints(world.chance)
        with ExitStack() as stack:
            play = Play(world, outcome, points, tell, closely=closely)
            if can_race():
                play.rivals, outcome.races = Rivals(points.note), 0
                stack.callback(play.rivals.close)
            play.told.read()
            begun = world.clock.now()
            _run(play, until)
        outcome.opened = Case.objects.count()
        outcome.ended = Case.objects.filter(state__in=ENDED).count()
        outcome.days = (world.clock.now() - begun).days
    outcome.reached, outcome.struck = len(points.reached), len(points.struck)
    outcome.places = sorted({place_of(point) for point in points.reached})
    outcome.never_reached = sorted(set(known_places()) - set(outcome.places))
    outcome.violations += [Violation("every_commit_is_struck", str(point)) for point in points.never_struck()]
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
