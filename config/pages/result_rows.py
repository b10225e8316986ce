"""What the case page shows of electronic results: the files, and what this reader may do about them."""

from dataclasses import dataclass

from ingest.models import Case, Handling, ResultFile
from ingest.rules import ENDED, HandlingState, result_is_held
from ingest.services.results import results_in_reach
from registry.actors import Actor
from registry.permissions import may


@dataclass(frozen=True)
class Results:
    """`own` are the handlings whose files this reader may take back; `held`: a joint case waits for an office."""

    files: list[ResultFile]
    own: frozenset[int]
    may_attach: bool
    held: bool


def results_of(case: Case, part: Handling, actor: Actor) -> Results:
    """One query; `part` is the part that the page is about."""
    files = results_in_reach(case, actor)
    deciding = may(actor, "handling.decide") and case.state not in ENDED
    mine = deciding and part.office_id == actor.office_id
    return Results(
        files=files,
        own=frozenset({part.pk}) if mine else frozenset(),
        may_attach=mine and part.state == HandlingState.DECIDED,
        held=result_is_held(each.state for each in case.handlings.all()),
    )
