"""Cases as rows of a list, in a constant number of queries."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, prefetch_related_objects

from config.pages.chips import Chip, case_chip, handling_chip
from config.pages.next_step import CaseFacts, NextStep, Paper, Papers, next_step
from ingest.models import Case, Handling, Original, OriginalStop, ResultFile
from ingest.rules import ENDED, HandlingState, PartFacts, without_electronic_result
from ingest.services.stops import deliverer, onward
from registry.actors import Actor
from registry.masking import mask_name
from registry.terms import Delivery, Mode

_LIVING_NOT_DECIDED = {
    state.value
    for state in HandlingState
    if state not in (HandlingState.DECIDED, HandlingState.REFUSED, HandlingState.WITHDRAWN)
}


@dataclass(frozen=True)
class Row:
    """One line of a work list. `other_side` is the office for a window and the window for an office."""

    number: str
    item: str
    applicant: str
    other_side: str
    mode: str
    chip: Chip
    step: NextStep
    deadline: date | None
    paused: date | None
    begins: bool
    """Whether the promised days may still begin."""


def lead_rows(handlings: list[Handling], actor: Actor) -> list[Row]:
    """A window's view: one row for each case, told by its lead handling."""
    _load(handlings)
    return [_row(handling, case_chip(handling.case.state), _offices(handling.case)) for handling in handlings]


def handling_rows(handlings: list[Handling], actor: Actor) -> list[Row]:
    """An office's view: one row for each handling of its own."""
    _load(handlings)
    return [
        _row(handling, handling_chip(handling.state), handling.case.window.name) for handling in handlings
    ]


def step_of(handling: Handling) -> NextStep:
    """The next step of a handling whose case has its handlings and originals loaded."""
    case = handling.case
    return next_step(
        CaseFacts(
            state=case.state,
            mode=case.mode,
            handling=handling.state,
            delivery=case.delivery or Delivery.MAIL,
            papers=_papers(case, handling),
            all_decided=not any(each.state in _LIVING_NOT_DECIDED for each in case.handlings.all()),
            lead=deliverer(case.handlings.all()).pk == handling.pk,
            awaits_file=_awaits_file(case, handling),
        )
    )


def case_relations() -> tuple[Prefetch[str], ...]:
    """What `step_of` needs, from a case."""
    originals = Original.objects.select_related("material__requirement").prefetch_related(
        Prefetch("stops", OriginalStop.objects.select_related("handling__office").order_by("position"))
    )
    handlings = Handling.objects.select_related("office").prefetch_related(
        Prefetch("result_files", ResultFile.objects.filter(voided_at__isnull=True))
    )
    return (
        Prefetch("handlings", handlings.order_by("-is_lead", "pk")),
        Prefetch("originals", originals.order_by("pk")),
    )


def _load(handlings: list[Handling]) -> None:
    prefetch_related_objects(
        handlings,
        Prefetch("case", Case.objects.select_related("item", "window").prefetch_related(*case_relations())),
    )


def _row(handling: Handling, chip: Chip, other_side: str) -> Row:
    case = handling.case
    return Row(
        number=case.number,
        item=case.item.name,
        applicant=mask_name(case.applicant_name),
        other_side=other_side,
        mode=Mode(case.mode).label,
        chip=chip,
        step=step_of(handling),
        deadline=handling.deadline if handling.decided_at is None else None,
        paused=handling.paused_on,
        begins=handling.decided_at is None and case.state not in ENDED,
    )


def _papers(case: Case, handling: Handling) -> Papers:
    originals = list(case.originals.all())
    return Papers(
        materials=[
            original.place
            for original in originals
            if original.kind == Original.Kind.MATERIAL
            and original.material is not None
            and (original.material.requirement.mailed or original.from_applicant)
        ],
        results=[
            _place_seen_from(handling, original)
            for original in originals
            if original.kind == Original.Kind.RESULT
            and (case.mode == Mode.JOINT or original.handling_id == handling.pk)
        ],
        onward=_onward(originals, handling),
    )


def _awaits_file(case: Case, handling: Handling) -> bool:
    """Whether 电子送达 was chosen and this part has granted without a file or a paper; asks nothing of what is loaded."""
    if case.delivery != Delivery.ELECTRONIC:
        return False
    papers = {row.handling_id for row in case.originals.all() if row.kind == Original.Kind.RESULT}
    files = {part.pk for part in case.handlings.all() if part.result_files.all()}
    part = PartFacts(
        office=handling.office.name,
        approved=handling.decision == "approved",
        has_paper=handling.pk in papers,
        has_file=handling.pk in files,
    )
    return bool(without_electronic_result([part]))


def _place_seen_from(handling: Handling, result: Original) -> str:
    """An office looks at its own shelf and at those of the others differently."""
    elsewhere = result.place == Original.Place.OFFICE and result.place_id != handling.office_id
    return Paper.OTHER_OFFICE if elsewhere else result.place


def _onward(originals: list[Original], handling: Handling) -> str:
    """Where an original that lies at this handling's office has to go next; empty when nowhere."""
    here = (
        original
        for original in originals
        if (original.place, original.place_id) == (Original.Place.OFFICE, handling.office_id)
    )
    return next((going.office.name for original in here if (going := onward(original))), "")


def _offices(case: Case) -> str:
    offices = [handling.office.name for handling in case.handlings.all()]
    return offices[0] if len(offices) == 1 else f"{offices[0]} 等 {len(offices)} 个部门"
