"""Applicants in 全程网办: they close envelopes, tell of them or not, mistype, tell again, put it right and call it off."""

from django.db.models import QuerySet

from config.simulation.envelopes import Envelope, Where
from config.simulation.world import Deed, World
from ingest.models import Case, Original
from ingest.services.awaiting import awaited
from ingest.services.enquiring import APPLICANT
from logistics.models import Parcel
from logistics.rules.parcels import ParcelState, Party
from logistics.services.announcing import CourierWord, announce, call_off, correct_number
from registry.actors import Actor
from registry.terms import Mode
from storage.errors import Refused

GIVEN_BACK = (None, ParcelState.CANCELLED.value, ParcelState.RETURNED.value)
"""States of a parcel after which its papers count as being with the applicant; None: nobody told of it."""
LEFT_OUT, PUT_IN = 0.1, 0.06
"""Shares of the papers that are told and not put in, and that are put in and not told."""


def send_papers(world: World) -> Deed | None:
    """What is waited for and lies at home is put into an envelope, and mostly told."""
    forget_what_is_over(world)
    case = world.one_row(_waiting())
    if case is None:
        return None
    at_home = papers_at_home(world, case)
    if not at_home:
        return None
    some = world.dice.randint(1, len(at_home)) if world.chance(0.4) else len(at_home)
    told = frozenset(world.dice.sample(at_home, some))
    inside = {pk for pk in told if not world.chance(LEFT_OUT)}
    inside |= {pk for pk in at_home if pk not in told and world.chance(PUT_IN)}
    stands = _label(world)
    said: CourierWord | None = stands
    if world.chance(0.15):
        said = None
    elif world.chance(0.15):
        said = CourierWord(f"13{world.envelopes.made:011d}", stands.carrier, stands.company)
    envelope = Envelope(case.pk, frozenset(inside) or told, stands, said)
    teller = _teller(world, case)

    def do() -> None:
        if envelope not in world.envelopes.all:
            world.envelopes.all.append(envelope)
        if said is not None:
            _tell(world, envelope, told, said, teller)

    name = "send papers untold" if said is None else "announce papers"
    about = f"{case.number} {len(envelope.inside)} of {len(told)} as {said.number if said else 'nothing'}"
    return Deed(name, teller.label, about, do)


def see_to_envelope(world: World) -> Deed | None:
    """An envelope is told of once more or belatedly, its number is put right, or it stays at home after all."""
    forget_what_is_over(world)
    unseen = [one for one in world.envelopes.all if one.where != Where.RECEIVER]
    envelope = world.one_of(world.envelopes.all if world.chance(0.2) else unseen)
    if envelope is None:
        return None
    case = Case.objects.get(pk=envelope.case)
    teller, parcel = _teller(world, case), parcel_of(envelope)
    if parcel is None and (envelope.said is not None or world.dice.random() < 0.1):
        return _retell(world, case, envelope, teller)
    if parcel is None:
        return None
    if parcel.told_number != envelope.stands.number and world.dice.random() < 0.5:
        return _of_parcel(world, "correct number", case, parcel, teller, envelope.stands)
    if envelope.where == Where.SENDER and world.chance(0.1):
        return _of_parcel(world, "call papers off", case, parcel, teller, None)
    return _retell(world, case, envelope, teller) if world.chance(0.04) else None


def forget_what_is_over(world: World) -> None:
    """Envelopes that were opened at home again, and those that vanished, for whose papers others are made."""
    over = []
    for envelope in world.envelopes.all:
        if envelope.where in (Where.COURIER, Where.RECEIVER):
            continue
        parcel = parcel_of(envelope)
        untold = parcel is None and envelope.where == Where.SENDER
        if not untold and (parcel.state if parcel else None) in GIVEN_BACK:
            over.append(envelope)
    world.envelopes.forget(over)


def parcel_of(envelope: Envelope) -> Parcel | None:
    """What was told of it, the latest if it was told, called off and told again."""
    own = Parcel.objects.filter(sender_kind=Party.APPLICANT.value, sender_id=envelope.case).order_by("pk")
    return next((one for one in reversed(own) if envelope.is_of(one)), None)


def papers_at_home(world: World, case: Case) -> list[int]:
    """Keys of the originals that are waited for and in no envelope."""
    away = {pk for envelope in world.envelopes.of_case(case.pk) for pk in envelope.inside}
    return [original.pk for original in awaited(case) if original.pk not in away]


def _waiting() -> QuerySet[Case]:
    at_home = Original.objects.filter(from_applicant=True, place=Original.Place.APPLICANT)
    unsent = at_home.filter(stops__reached_at__isnull=True)
    return Case.objects.filter(mode=Mode.ONLINE.value, originals__in=unsent).distinct()


def _label(world: World) -> CourierWord:
    """The courier's own label, mostly of one that we can follow."""
    number, whim = world.envelopes.next_number(), world.dice.random()
    if whim < 0.1:
        return CourierWord(number, company="城际快运")
    some = world.couriers.ordered if whim < 0.25 else world.couriers.followed
    return CourierWord(number, carrier=world.dice.choice(some))


def _teller(world: World, case: Case) -> Actor:
    """The applicant on the progress page, or the platform for them."""
    return world.dice.choice((APPLICANT, world.people.platform_of(case.window_id)))


def _tell(world: World, envelope: Envelope, papers: frozenset[int], said: CourierWord, teller: Actor) -> None:
    try:
        announce(
            case=Case.objects.get(pk=envelope.case),
            papers=papers,
            told=said,
            actor=teller,
            now=world.clock.now(),
        )
    except Refused:
        if envelope.where == Where.SENDER and parcel_of(envelope) is None:
            world.envelopes.forget([envelope])
        raise


def _retell(world: World, case: Case, envelope: Envelope, teller: Actor) -> Deed:
    said = envelope.said or envelope.stands

    def do() -> None:
        envelope.said = said
        known = parcel_of(envelope)
        right = known is not None and known.told_number == envelope.stands.number
        _tell(world, envelope, envelope.inside, envelope.stands if right else said, teller)

    return Deed("announce papers", teller.label, f"{case.number} once more as {said.number}", do)


def _of_parcel(
    world: World, name: str, case: Case, parcel: Parcel, teller: Actor, told: CourierWord | None
) -> Deed:
    """Put right with what is told now, or called off."""
    pk = parcel.pk

    def do() -> None:
        fresh, now = Parcel.objects.get(pk=pk), world.clock.now()
        if told is None:
            call_off(parcel=fresh, actor=teller, now=now)
        else:
            correct_number(parcel=fresh, told=told, actor=teller, now=now)

    return Deed(name, teller.label, f"{parcel.number} of {case.number}", do)
