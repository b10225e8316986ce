"""The shape of a benchmark: its name, what it measures, and the act of measuring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure


class Missing(Exception):
    """Something that a benchmark needs is not there. The message names it and says how to get it."""


@dataclass(frozen=True)
class Wishes:
    """What the caller asked for; None and an empty tuple leave it to the benchmark."""

    quick: bool = False
    pages: int | None = None
    seeds: int | None = None
    runs: int | None = None

    def choose(self, wished: int | None, *, quick: int, full: int) -> int:
        """The wished number, or the benchmark's own."""
        if wished is not None:
            return wished
        return quick if self.quick else full


@dataclass
class Bench:
    """What a benchmark is given: the wishes, an empty folder, a place for remarks, and a voice."""

    wishes: Wishes
    folder: Path
    say: Callable[[str], None]
    remarks: list[str] = field(default_factory=list)

    def remark(self, words: str) -> None:
        """Something that a reader of the figures has to know."""
        self.remarks.append(words)


@dataclass(frozen=True)
class Benchmark:
    """`about` describes in one paragraph what is compared with what."""

    name: str
    about: str
    measure: Callable[[Bench], Sequence[Figure]]
