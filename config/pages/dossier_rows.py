"""What the case page shows inside a dossier: its materials, and what changed since the version before."""

from collections.abc import Iterable
from dataclasses import dataclass

from dossier.differences import Difference, compare
from dossier.models import Dossier, DossierState
from dossier.services import known_leaves, materials_of
from dossier.services.leafing import Bound


@dataclass(frozen=True)
class Opened:
    """One signed version as its office sees into it; `since` is None for the first one."""

    dossier: Dossier
    materials: list[Bound]
    since: int | None
    difference: Difference | None


def opened(dossiers: Iterable[Dossier], own: frozenset[int]) -> list[Opened]:
    """The dossiers that the reader may download. No query: the pages of each version stand in its row."""
    mine = [item for item in dossiers if item.pk in own and item.state == DossierState.SIGNED and item.leaves]
    return [_open(item, _before(item, mine)) for item in mine]


def _before(dossier: Dossier, mine: list[Dossier]) -> Dossier | None:
    earlier = [
        item for item in mine if item.handling_id == dossier.handling_id and item.version < dossier.version
    ]
    return max(earlier, key=lambda item: item.version, default=None)


def _open(dossier: Dossier, before: Dossier | None) -> Opened:
    leaves = known_leaves(dossier)
    return Opened(
        dossier=dossier,
        materials=materials_of(leaves),
        since=before.version if before else None,
        difference=compare(known_leaves(before), leaves) if before else None,
    )
