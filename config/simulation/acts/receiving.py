"""Receivers: they tick packing lists against what is in the bag, find what was missing, and close incidents."""

from config.simulation.acts.online import parcel_of
from config.simulation.envelopes import Envelope, Where
from config.simulation.world import Deed, World
from ingest.models import Case, Original
from logistics.models import Incident, Parcel, ParcelItem
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, Party
from logistics.services.announcing import call_off
from logistics.services.arriving import receive_unannounced
from logistics.services.custody import find_missing, receive_parcel, report_lost
from logistics.services.incidents import resolve_incident
from registry.actors import Actor

RECEIVABLE = [*ON_THE_ROAD, ParcelState.LOST.value]


def open_bag(world: World) -> Deed | None:
    """A bag lies at its receiver; the courier may not have said so yet."""
    coming = Parcel.objects.filter(state__in=RECEIVABLE).exclude(receiver_kind=Party.APPLICANT.value)
    parcel = world.one_of([one for one in coming.order_by("pk") if world.bag(one) == Where.RECEIVER])
    if parcel is None:
        return None
    actor = world.people.at(parcel.receiver_kind, parcel.receiver_id)
    return None if actor is None else _tick(world, parcel, actor)


def find_again(world: World) -> Deed | None:
    """What was missing lay under another pile."""
    missing = ParcelItem.objects.filter(holds=True, finding=ParcelItem.Finding.MISSING)
    item = world.one_row(missing.select_related("parcel"))
    if item is None or not (world.calm or world.chance(0.2)):
        return None
    actor = world.people.at(item.parcel.receiver_kind, item.parcel.receiver_id)
    if actor is None:
        return None
    pk, left_out = item.pk, _was_left_out(world, item)
    return Deed(
        name="find missing",
        who=actor.label,
        what=f"{item.parcel.number}{' with the applicant' if left_out else ''}",
        do=lambda: find_missing(
            item=ParcelItem.objects.select_related("parcel", "original__case").get(pk=pk),
            with_applicant=left_out,
            actor=actor,
            now=world.clock.now(),
        ),
    )


def open_untold(world: World) -> Deed | None:
    """An applicant's envelope lies on the office's desk, or a paper that was in one, of which nobody told."""
    unseen = Original.objects.filter(
        from_applicant=True, place=Original.Place.APPLICANT, stops__reached_at__isnull=True
    )
    keys = set(unseen.values_list("pk", flat=True))
    arrived = [one for one in world.envelopes.all if one.where == Where.RECEIVER and one.inside & keys]
    envelope = world.one_of([one for one in arrived if not _is_coming(one)])
    if envelope is None:
        return None
    case, inside = Case.objects.get(pk=envelope.case), sorted(envelope.inside & keys)
    actor = world.people.at(Party.OFFICE.value, case.lead_office().pk)
    if actor is None:
        return None
    damaged, extra = [pk for pk in inside if world.chance(0.05)], int(world.chance(0.05))
    told = envelope.stands if world.dice.random() < 0.5 else None
    grams = world.dice.randint(80, 900)
    return Deed(
        name="receive untold",
        who=actor.label,
        what=f"{case.number} {len(inside)} in {envelope.stands.number}",
        do=lambda: receive_unannounced(
            case=Case.objects.get(pk=case.pk),
            ticked=inside,
            damaged=damaged,
            extra=extra,
            weight_g=grams,
            told=told,
            actor=actor,
            now=world.clock.now(),
        ),
    )


def look_after_coming(world: World) -> Deed | None:
    """An office learns that an applicant's envelope will not come: it went back, it is lost, or it was never sent."""
    coming = Parcel.objects.filter(sender_kind=Party.APPLICANT.value, state__in=sorted(ON_THE_ROAD))
    parcel = world.one_row(coming)
    actor = world.people.at(parcel.receiver_kind, parcel.receiver_id) if parcel else None
    if parcel is None or actor is None:
        return None
    pk, where = parcel.pk, world.bag(parcel)
    if where == Where.GONE and not world.chance(0.3):
        name, service = "report lost", report_lost
    elif where in (Where.GONE, Where.BACK) or (where == Where.SENDER and world.chance(0.02)):
        name, service = "call off at office", call_off
    else:
        return None
    return Deed(
        name=name,
        who=actor.label,
        what=parcel.number,
        do=lambda: service(parcel=Parcel.objects.get(pk=pk), actor=actor, now=world.clock.now()),
    )


def answer_incident(world: World) -> Deed | None:
    """Whoever owns an incident looks into it. One about a paper that is not on its desk takes no sentence for an answer."""
    told = Incident.objects.filter(state=Incident.State.OPEN)
    incident = world.one_row(told if world.chance(0.1) else told.filter(parcel__isnull=False))
    if incident is None:
        return None
    actor = world.people.at(incident.owner_kind, incident.owner_id)
    if actor is None:
        return None
    pk, paper = incident.pk, incident.original
    about = f"{paper.case.number} {paper.name}" if paper else incident.parcel and incident.parcel.number
    return Deed(
        name="resolve incident",
        who=actor.label,
        what=f"{about} {incident.kind}",
        do=lambda: resolve_incident(
            incident=Incident.objects.select_related("parcel").get(pk=pk),
            resolution="已与承运商核实",
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _tick(world: World, parcel: Parcel, actor: Actor) -> Deed:
    listed = list(parcel.items.filter(holds=True).order_by("pk").values_list("original_id", flat=True))
    envelope = world.envelopes.of(parcel) if parcel.is_from_applicant else None
    inside = [pk for pk in listed if envelope is None or pk in envelope.inside]
    ticked = [pk for pk in inside if not world.chance(0.04)]
    damaged = [pk for pk in ticked if world.chance(0.02)]
    extra = int(world.chance(0.02)) + (len(envelope.inside - set(listed)) if envelope else 0)
    # Only what an applicant sent is weighed here; a hand that forgets it is reminded where a centre pays.
    grams = world.dice.randint(80, 900) if envelope is not None and not world.chance(0.1) else None
    return Deed(
        name="receive",
        who=actor.label,
        what=f"{parcel.number} {len(ticked)} of {len(listed)}",
        do=lambda: receive_parcel(
            parcel=Parcel.objects.get(pk=parcel.pk),
            ticked=ticked,
            damaged=damaged,
            extra=extra,
            weight_g=grams,
            actor=actor,
            now=world.clock.now(),
        ),
    )


def _was_left_out(world: World, item: ParcelItem) -> bool:
    """Whether an applicant never put it into the envelope, and has it still."""
    envelope = world.envelopes.of(item.parcel) if item.parcel.is_from_applicant else None
    return envelope is not None and item.original_id not in envelope.inside


def _is_coming(envelope: Envelope) -> bool:
    """Whether it is received as what was told of it."""
    parcel = parcel_of(envelope)
    return parcel is not None and parcel.state in RECEIVABLE
