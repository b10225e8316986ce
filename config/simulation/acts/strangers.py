"""Everybody now and then tries what is not theirs: each attempt has to be refused."""

from collections.abc import Callable, Mapping

from config.simulation.world import Deed, World
from ingest.models import Case, Handling, Original
from ingest.services.handlings import decide, pre_review, refuse
from ingest.services.intake import submit
from ingest.services.withdrawing import withdraw
from logistics.models import Incident, Parcel, Waybill, WebhookDelivery
from logistics.rules.parcels import Party
from logistics.services.custody import (
    archive_original,
    hand_over,
    hand_to_applicant,
    receive_parcel,
    report_lost,
)
from logistics.services.incidents import resolve_incident
from logistics.services.parcels import cancel_parcel, seal_parcel, unseal_parcel
from logistics.services.taking_in import replay
from logistics.services.waybills import cancel_waybill
from registry.actors import Actor
from registry.terms import Role
from storage.errors import Refused

Attempt = Callable[[], object]
LATEST = 30


class Trespass(Exception):
    """An act came through for somebody who had no right to it."""


def trespass(world: World) -> Deed | None:
    """Somebody without the right tries one act of the table on something real."""
    if world.calm:
        return None
    name = world.dice.choice(list(ATTEMPTS))
    who = world.dice.choice(world.people.everybody())
    attempt = ATTEMPTS[name](world, who)
    if attempt is None:
        return None

    def do() -> None:
        try:
            attempt()
        except Refused:
            return
        raise Trespass(f"{name} came through for {who.label}")

    return Deed(f"trespass: {name}", who.label, "", do)


def _case(world: World, who: Actor) -> Case | None:
    case = world.one_of(list(Case.objects.order_by("-pk")[:LATEST]))
    return case if case is not None and case.window_id != who.window_id else None


def _handling(world: World, who: Actor) -> Handling | None:
    found = world.one_of(list(Handling.objects.select_related("case", "office").order_by("-pk")[:LATEST]))
    return found if found is not None and found.office_id != who.office_id else None


def _at_end(who: Actor, kind: str, pk: int) -> bool:
    return (kind, pk) in (
        (Party.WINDOW.value, who.window_id or -1),
        (Party.OFFICE.value, who.office_id or -1),
    )


def _parcel(world: World, who: Actor, *, end: str) -> Parcel | None:
    """A parcel at whose `sender`, `receiver` or (either) end they do not stand."""
    parcel = world.one_of(list(Parcel.objects.order_by("-pk")[:LATEST]))
    if parcel is None:
        return None
    sends = _at_end(who, parcel.sender_kind, parcel.sender_id)
    receives = _at_end(who, parcel.receiver_kind, parcel.receiver_id)
    mine = {"sender": sends, "receiver": receives, "either": sends or receives}[end]
    return None if mine else parcel


def _submit(world: World, who: Actor) -> Attempt | None:
    case = _case(world, who)
    return None if case is None else (lambda: submit(case=case, actor=who, now=world.clock.now()))


def _withdraw(world: World, who: Actor) -> Attempt | None:
    case = _case(world, who)
    return (
        None
        if case is None
        else (lambda: withdraw(case=case, reason="撤回", actor=who, now=world.clock.now()))
    )


def _pre_review(world: World, who: Actor) -> Attempt | None:
    handling = _handling(world, who)
    return (
        None
        if handling is None
        else (lambda: pre_review(handling=handling, actor=who, now=world.clock.now()))
    )


def _refuse(world: World, who: Actor) -> Attempt | None:
    handling = _handling(world, who)
    return (
        None
        if handling is None
        else (lambda: refuse(handling=handling, reason="不符", actor=who, now=world.clock.now()))
    )


def _decide(world: World, who: Actor) -> Attempt | None:
    handling = _handling(world, who)
    return (
        None
        if handling is None
        else (
            lambda: decide(
                handling=handling, approved=True, result_name="证书", actor=who, now=world.clock.now()
            )
        )
    )


def _seal(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="sender")
    return (
        None
        if parcel is None
        else (lambda: seal_parcel(parcel=parcel, weight_g=100, actor=who, now=world.clock.now()))
    )


def _unseal(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="sender")
    return (
        None if parcel is None else (lambda: unseal_parcel(parcel=parcel, actor=who, now=world.clock.now()))
    )


def _cancel(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="sender")
    return (
        None if parcel is None else (lambda: cancel_parcel(parcel=parcel, actor=who, now=world.clock.now()))
    )


def _hand_over(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="sender")
    return (
        None
        if parcel is None
        else (lambda: hand_over(token=parcel.token_text, actor=who, now=world.clock.now()))
    )


def _receive(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="receiver")
    return (
        None
        if parcel is None
        else (lambda: receive_parcel(parcel=parcel, ticked=(), actor=who, now=world.clock.now()))
    )


def _lose(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="either")
    return None if parcel is None else (lambda: report_lost(parcel=parcel, actor=who, now=world.clock.now()))


def _cancel_waybill(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="sender")
    waybill = (
        None if parcel is None else Waybill.objects.filter(parcel=parcel).select_related("parcel").last()
    )
    return (
        None
        if waybill is None
        else (lambda: cancel_waybill(waybill=waybill, reason="取消", actor=who, now=world.clock.now()))
    )


def _resolve(world: World, who: Actor) -> Attempt | None:
    parcel = _parcel(world, who, end="either")
    incident = None if parcel is None else Incident.objects.filter(parcel=parcel).first()
    return (
        None
        if incident is None
        else (
            lambda: resolve_incident(incident=incident, resolution="已处理", actor=who, now=world.clock.now())
        )
    )


def _hand_out(world: World, who: Actor) -> Attempt | None:
    original = _original(world, Original.Place.WINDOW, who.window_id)
    return (
        None
        if original is None
        else (lambda: hand_to_applicant(original=original, actor=who, now=world.clock.now()))
    )


def _archive(world: World, who: Actor) -> Attempt | None:
    original = _original(world, Original.Place.OFFICE, who.office_id)
    return (
        None
        if original is None
        else (lambda: archive_original(original=original, actor=who, now=world.clock.now()))
    )


def _original(world: World, place: Original.Place, mine: int | None) -> Original | None:
    there = Original.objects.filter(place=place).exclude(place_id=mine or 0)
    return world.one_of(list(there.select_related("case", "handling").order_by("-pk")[:LATEST]))


def _replay(world: World, who: Actor) -> Attempt | None:
    delivery = WebhookDelivery.objects.order_by("-pk").first()
    if delivery is None or who.role == Role.ADMINISTRATOR:
        return None
    return lambda: replay(delivery=delivery, actor=who, now=world.clock.now())


ATTEMPTS: Mapping[str, Callable[[World, Actor], Attempt | None]] = {
    "submit": _submit,
    "withdraw": _withdraw,
    "pre-review": _pre_review,
    "refuse": _refuse,
    "decide": _decide,
    "seal": _seal,
    "unseal": _unseal,
    "cancel parcel": _cancel,
    "hand over": _hand_over,
    "receive": _receive,
    "report lost": _lose,
    "cancel waybill": _cancel_waybill,
    "resolve incident": _resolve,
    "hand out": _hand_out,
    "archive": _archive,
    "replay": _replay,
}
