"""Faults that are planted in a played world, one at a time, and whether each is named."""

from collections.abc import Callable, Iterable

from django.db import transaction

from config.simulation.invariants import check_whole
from config.simulation.world import World
from logistics.models import Incident


def not_named(planted: Iterable[tuple[str, Callable[[World], None]]], world: World) -> dict[str, set[str]]:
    """What was found instead of each fault that was not named; the world is left as it was."""
    unfound = {}
    for name, meddle in planted:
        with transaction.atomic():
            meddle(world)
            found = {violation.name for violation in check_whole(world)}
            transaction.set_rollback(True)
        if name not in found:
            unfound[meddle.__name__] = found
    return unfound


def search_over(world: World) -> None:
    """A paper is still looked for, and nobody answers for it any more."""
    Incident.objects.filter(kind="missing_at_desk").update(
        state=Incident.State.RESOLVED, resolved_at=world.clock.now()
    )
