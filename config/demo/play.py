"""One demonstration from beginning to end: steps with their times, and what they left behind."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """What was done, how long it took in seconds, and what came of it in a few words."""

    name: str
    seconds: float
    outcome: str


@dataclass
class Play:
    """The running record. `tell` hears each step as it ends."""

    folder: Path
    tell: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a step; inside, call what is yielded with the outcome in words."""
        outcome: list[str] = []
        begun = time.monotonic()
        yield outcome.append
        step = Step(name, time.monotonic() - begun, "；".join(outcome))
        self.steps.append(step)
        self.tell(f"{step.seconds:6.1f} s  {step.name}  {step.outcome}")
