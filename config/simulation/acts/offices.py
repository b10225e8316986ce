"""Officers: they pre-review, accept, ask for supplements, refuse, decide, and keep what is theirs to keep."""

from config.simulation.world import Deed, World
from ingest.models import Handling, Original
from ingest.rules import HandlingState
from ingest.services.handlings import accept, ask_supplement, decide, pre_review, refuse
from logistics.services.endings import archive_original
from registry.actors import Actor
from registry.terms import Delivery, Mode

ON_THE_DESK = (
    HandlingState.PENDING,
    HandlingState.PRE_REVIEW,
    HandlingState.ACCEPTED,
    HandlingState.SUPPLEMENT,
)
OVER = (HandlingState.DECIDED, HandlingState.REFUSED, HandlingState.WITHDRAWN)


def work_at_office(world: World) -> Deed | None:
    """An officer takes one handling from the desk and does what it waits for, or what it may suffer."""
    officer = world.dice.choice(world.people.officers)
    handling = world.one_row(
        Handling.objects.filter(office=officer.office_id, state__in=ON_THE_DESK).select_related("case")
    )
    if handling is None:
        return None
    if world.chance(0.04) and handling.state != HandlingState.ACCEPTED:
        return _with_reason(world, handling, officer, "refuse")
    if world.chance(0.06) and handling.state != HandlingState.SUPPLEMENT:
        return _with_reason(world, handling, officer, "ask supplement")
    if handling.state == HandlingState.PENDING and handling.case.mode == Mode.WINDOW_ACCEPT:
        return None
    if handling.state == HandlingState.PENDING:
        forward = handling.case.mode == Mode.WINDOW_FORWARD
        return _step(world, handling, officer, "pre-review" if forward or world.chance(0.6) else "accept")
    if handling.state == HandlingState.PRE_REVIEW:
        return _step(world, handling, officer, "accept")
    if handling.state == HandlingState.ACCEPTED and (world.calm or world.dice.random() < 0.3):
        return _decide(world, handling, officer)
    return None


def archive(world: World) -> Deed | None:
    """The office keeps an original for good, once it has decided."""
    officer = world.dice.choice(world.people.officers)
    here = Original.objects.filter(
        place=Original.Place.OFFICE, place_id=officer.office_id or 0, kind=Original.Kind.MATERIAL
    )
    done = here.filter(handling__state__in=OVER).exclude(parcel_items__holds=True)
    original = world.one_row(done.select_related("case"))
    if original is None or not world.chance(0.2):
        return None
    pk = original.pk
    return Deed(
        name="archive",
        who=officer.label,
        what=f"{original.case.number} {original.name}",
        do=lambda: archive_original(
            original=Original.objects.select_related("case", "handling").get(pk=pk),
            actor=officer,
            now=world.clock.now(),
        ),
    )


def _step(world: World, handling: Handling, officer: Actor, name: str) -> Deed:
    service = {"pre-review": pre_review, "accept": accept}[name]
    return Deed(
        name=name,
        who=officer.label,
        what=handling.case.number,
        do=lambda: service(handling=_fresh(handling), actor=officer, now=world.clock.now()),
    )


def _with_reason(world: World, handling: Handling, officer: Actor, name: str) -> Deed:
    service = {"refuse": refuse, "ask supplement": ask_supplement}[name]
    return Deed(
        name=name,
        who=officer.label,
        what=handling.case.number,
        do=lambda: service(
            handling=_fresh(handling), reason="材料与事项不符", actor=officer, now=world.clock.now()
        ),
    )


def _decide(world: World, handling: Handling, officer: Actor) -> Deed:
    approved = world.dice.random() < 0.9
    on_file = handling.case.delivery == Delivery.ELECTRONIC and world.dice.random() < 0.85
    result = "" if on_file or world.chance(0.08) else "证书"
    return Deed(
        name="decide",
        who=officer.label,
        what=f"{handling.case.number} {'approved' if approved else 'rejected'}",
        do=lambda: decide(
            handling=_fresh(handling),
            approved=approved,
            result_name=result,
            actor=officer,
            now=world.clock.now(),
        ),
    )


def _fresh(handling: Handling) -> Handling:
    return Handling.objects.select_related("case__item", "case__window", "office").get(pk=handling.pk)
