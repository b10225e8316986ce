"""Those who look for what is missing: one writes it off, another confirms or sends it back, and some of it turns up."""

from django.db.models import Q, QuerySet

from config.simulation.acts.packing import free_at
from config.simulation.envelopes import Where
from config.simulation.world import Deed, World
from ingest.models import Original
from logistics.models import Incident, Loss, Parcel, ParcelItem
from logistics.rules.losses import LossState, Remedy
from logistics.rules.parcels import ParcelState, Party
from logistics.services.losses import (
    confirm_loss,
    declare_lost,
    find_lost,
    report_missing,
    send_back_loss,
)
from registry.actors import Actor


def report(world: World) -> Deed | None:
    """Whoever holds a paper does not find it on the desk: it lies there all the same, with the other side, or nowhere."""
    if not world.chance(0.2):
        return None
    actor = world.dice.choice((*world.people.clerks, *world.people.officers))
    original = world.one_row(free_at(actor))
    if original is None:
        return None
    pk, really = original.pk, world.dice.choice((Where.SENDER, Where.RECEIVER, Where.GONE))

    def do() -> None:
        world.mislaid[pk] = really
        report_missing(original=_fresh(pk), actor=actor, now=world.clock.now())

    return Deed("report missing", actor.label, _named(original), do)


def declare(world: World) -> Deed | None:
    """Somebody gives up on an original: mostly one that is really gone, now and then one that only lies elsewhere."""
    original = world.one_row(_looked_for())
    if original is None:
        return None
    if not _is_gone(world, original) and not world.chance(0.2):
        return None
    vanished = original.place == Original.Place.MISSING
    clerk = world.people.at(Party.WINDOW.value, original.case.window_id)
    person = _officer(world, original) if vanished and world.dice.random() < 0.4 else clerk
    if person is None:
        return None
    pk, who, remedy = original.pk, person, world.dice.choice(list(Remedy))
    return Deed(
        name="declare lost",
        who=who.label,
        what=_named(original),
        do=lambda: declare_lost(
            original=_fresh(pk),
            reason="多次查找未找到",
            remedy=remedy,
            done="已与申请人联系",
            actor=who,
            now=world.clock.now(),
        ),
    )


def decide(world: World) -> Deed | None:
    """Somebody else looks at what was declared: the office, or the window where the office declared it."""
    waiting = Loss.objects.filter(state=LossState.DECLARED).select_related(
        "original__handling", "original__case"
    )
    loss = world.one_row(waiting)
    officer = _officer(world, loss.original) if loss is not None else None
    if loss is None or officer is None:
        return None
    if officer.id == str(loss.declared_by_id):
        officer = world.people.at(Party.WINDOW.value, loss.original.case.window_id) or officer
    pk, second, refused = loss.pk, officer, world.chance(0.1)

    def do() -> None:
        told, now = Loss.objects.select_related("original__case").get(pk=pk), world.clock.now()
        if refused:
            send_back_loss(loss=told, words="请再找一次", actor=second, now=now)
        else:
            confirm_loss(loss=told, actor=second, now=now)

    return Deed(
        name="send loss back" if refused else "confirm loss",
        who=second.label,
        what=_named(loss.original),
        do=do,
    )


def find(world: World) -> Deed | None:
    """What was written off comes to its window with the bag after all, or a material lies at its office; what was not on
    its desk lies there, or with the other side.
    """
    original = world.one_row(
        Original.objects.filter(place__in=[Original.Place.GONE, Original.Place.MISSING]).select_related(
            "handling", "case"
        )
    )
    if original is None:
        return None
    if original.place == Original.Place.MISSING:
        finder = _who_has(world, original)
    else:
        finder = _who_opened_its_bag(world, original)
        if finder is None and original.kind == Original.Kind.MATERIAL and world.chance(0.1):
            finder = _officer(world, original)
    if finder is None:
        return None
    pk, who = original.pk, finder
    return Deed(
        name="find lost",
        who=who.label,
        what=_named(original),
        do=lambda: find_lost(original=_fresh(pk), words="夹在别的卷内", actor=who, now=world.clock.now()),
    )


def _looked_for() -> QuerySet[Original]:
    """Lost with a parcel, missing from one, or not on its desk, and not yet declared."""
    waiting = ParcelItem.objects.filter(holds=True)
    lost = waiting.filter(parcel__state=ParcelState.LOST)
    unseen = waiting.filter(parcel__state=ParcelState.RECEIVED, finding=ParcelItem.Finding.MISSING)
    found = Original.objects.filter(
        Q(place=Original.Place.MISSING) | Q(parcel_items__in=lost) | Q(parcel_items__in=unseen)
    )
    return found.exclude(losses__state=LossState.DECLARED).select_related("case", "handling").distinct()


def _is_gone(world: World, original: Original) -> bool:
    """Whether it is really nowhere."""
    if original.place == Original.Place.MISSING:
        return world.mislaid.get(original.pk) == Where.GONE
    item = original.parcel_items.filter(holds=True).select_related("parcel").first()
    return item is not None and item.parcel.state == ParcelState.LOST and world.bag(item.parcel) == Where.GONE


def _who_has(world: World, original: Original) -> Actor | None:
    """Whoever really has a paper that was not on its desk, if they come upon it now."""
    really = world.mislaid.get(original.pk)
    if really == Where.GONE or not (world.calm or world.chance(0.3)):
        return None
    desk = Incident.objects.get(pk=original.place_id)
    if really != Where.RECEIVER:
        return world.people.at(desk.owner_kind, desk.owner_id)
    if desk.owner_kind == Party.WINDOW:
        return _officer(world, original)
    return world.people.at(Party.WINDOW.value, original.case.window_id)


def _who_opened_its_bag(world: World, original: Original) -> Actor | None:
    """The clerk of the case's window, when the bag with which it was given up was opened there."""
    inside = ParcelItem.objects.exclude(finding=ParcelItem.Finding.MISSING).filter(original=original)
    parcel = Parcel.objects.filter(pk=original.place_id, state=ParcelState.RECEIVED, items__in=inside).first()
    home = (Party.WINDOW.value, original.case.window_id)
    if parcel is None or (parcel.receiver_kind, parcel.receiver_id) != home:
        return None
    return world.people.at(*home) if world.bag(parcel) == Where.RECEIVER else None


def _officer(world: World, original: Original) -> Actor | None:
    return world.people.at(Party.OFFICE.value, original.handling.office_id)


def _named(original: Original) -> str:
    """By what is the same in every database; numbers of rows are not."""
    return f"{original.case.number} {original.name}"


def _fresh(pk: int) -> Original:
    return Original.objects.select_related("case", "handling").get(pk=pk)
