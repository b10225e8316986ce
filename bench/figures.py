"""What a benchmark answers: measured values of ours and of the peers, and the arithmetic between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Goal:
    """What was set out to be reached: a limit for our own median, or how many times better than the peer `than`."""

    limit: float
    than: str = ""


@dataclass(frozen=True)
class Figure:
    """One measured quantity, a value for each run; the peers' values stand in the order of the same runs."""

    name: str
    unit: str
    better: Better
    ours: Sequence[float]
    peers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    goals: Sequence[Goal] = ()

    def __post_init__(self) -> None:
        if not self.ours or not all(self.peers.values()):
            raise ValueError(f"{self.name}: a figure needs at least one value of everybody")
        if any(goal.than and goal.than not in self.peers for goal in self.goals):
            raise ValueError(f"{self.name}: a goal speaks of a peer that was not measured")

    @property
    def median(self) -> float:
        return median(self.ours)

    def median_of(self, peer: str) -> float:
        return median(self.peers[peer])

    def ratio(self, peer: str) -> float | None:
        """How many times better we are than the peer: above 1 we win, whichever direction is better.

        Runs that belong together are divided by each other first, so that noise that both met cancels out.
        None where it would divide by zero.
        """
        theirs = self.peers[peer]
        if len(theirs) == len(self.ours):
            pairs = list(zip(self.ours, theirs, strict=True))
        else:
            pairs = [(self.median, median(theirs))]
        times = [_times(our, their, self.better) for our, their in pairs]
        known = [each for each in times if each is not None]
        return median(known) if len(known) == len(times) else None

    def reached(self, goal: Goal) -> bool | None:
        """Whether a goal was reached; None where its ratio does not exist."""
        if goal.than:
            ratio = self.ratio(goal.than)
            return None if ratio is None else ratio >= goal.limit
        return self.median <= goal.limit if self.better == "less" else self.median >= goal.limit

    def in_words(self, goal: Goal) -> str:
        """The goal and what became of it, e.g. “≤ 5: reached”."""
        said = {True: "reached", False: "missed", None: "open"}[self.reached(goal)]
        sign = "≤" if self.better == "less" and not goal.than else "≥"
        return f"{sign} {goal.limit:.4g}{' ×' if goal.than else ''}: {said}"


def _times(ours: float, theirs: float, better: Better) -> float | None:
    above, below = (ours, theirs) if better == "more" else (theirs, ours)
    return above / below if below else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed."""
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values and a share above 0, at most 1")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)
    return ordered[int(rank) - 1]
