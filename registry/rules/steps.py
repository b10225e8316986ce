"""The shape that every table of states in this house has."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from registry.terms import Term

S = TypeVar("S", bound=Term)


@dataclass(frozen=True)
class Step(Generic[S]):
    """One arrow: an act takes any of `sources` to `target`."""

    act: str
    label: str
    sources: tuple[str, ...]
    target: S
