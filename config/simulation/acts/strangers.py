"""Everybody now and then tries what is not theirs: each attempt has to be refused."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

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

Find = Callable[[World, Actor], Any]
"""Something real on which this person has no right to act; None when there is nothing."""
Try = Callable[[Any, Actor, datetime], object]
LATEST = 30


class Trespass(Exception):
    """An act came through for somebody who had no right to it."""


def trespass(world: World) -> Deed | None:
    """Somebody without the right tries one act of the table on something real."""
    if world.calm:
        return None
    name = world.dice.choice(list(ATTEMPTS))
    who = world.dice.choice(world.people.everybody())
    find, attempt = ATTEMPTS[name]
    thing = find(world, who)
    if thing is None:
        return None

    def do() -> None:
        try:
            attempt(thing, who, world.clock.now())
        except Refused:
            return
        raise Trespass(f"{name} came through for {who.label}")

    return Deed(f"trespass: {name}", who.label, "", do)


def _case_elsewhere(world: World, who: Actor) -> Case | None:
    case = world.one_of(list(Case.objects.order_by("-pk")[:LATEST]))
    return case if case is not None and case.window_id != who.window_id else None


def _handling_elsewhere(world: World, who: Actor) -> Handling | None:
    found = world.one_of(list(Handling.objects.select_related("case", "office").order_by("-pk")[:LATEST]))
    return found if found is not None and found.office_id != who.office_id else None


def _at_end(who: Actor, kind: str, pk: int) -> bool:
    return (kind, pk) in (
        (Party.WINDOW.value, who.window_id or -1),
        (Party.OFFICE.value, who.office_id or -1),
    )


def _parcel(world: World, who: Actor, *, end: str) -> Parcel | None:
    """A parcel at whose `sender`, `receiver` or `either` end they do not stand."""
    parcel = world.one_of(list(Parcel.objects.order_by("-pk")[:LATEST]))
    if parcel is None:
        return None
    sends = _at_end(who, parcel.sender_kind, parcel.sender_id)
    receives = _at_end(who, parcel.receiver_kind, parcel.receiver_id)
    mine = {"sender": sends, "receiver": receives, "either": sends or receives}[end]
    return None if mine else parcel


_not_sent = partial(_parcel, end="sender")
_not_received = partial(_parcel, end="receiver")
_at_no_end = partial(_parcel, end="either")


def _waybill(world: World, who: Actor) -> Waybill | None:
    parcel = _not_sent(world, who)
    return None if parcel is None else parcel.waybills.select_related("parcel").last()


def _incident(world: World, who: Actor) -> Incident | None:
    parcel = _at_no_end(world, who)
    return None if parcel is None else Incident.objects.filter(parcel=parcel).first()


def _at_another_window(world: World, who: Actor) -> Original | None:
    return _original(world, Original.Place.WINDOW, who.window_id)


def _at_another_office(world: World, who: Actor) -> Original | None:
    return _original(world, Original.Place.OFFICE, who.office_id)


def _original(world: World, place: Original.Place, mine: int | None) -> Original | None:
    there = Original.objects.filter(place=place).exclude(place_id=mine or 0)
    return world.one_of(list(there.select_related("case", "handling").order_by("-pk")[:LATEST]))


def _push(world: World, who: Actor) -> WebhookDelivery | None:
    return None if who.role == Role.ADMINISTRATOR else WebhookDelivery.objects.order_by("-pk").first()


ATTEMPTS: Mapping[str, tuple[Find, Try]] = {
    "submit": (_case_elsewhere, lambda case, who, now: submit(case=case, actor=who, now=now)),
    "withdraw": (
        _case_elsewhere,
        lambda case, who, now: withdraw(case=case, reason="撤回", actor=who, now=now),
    ),
    "pre-review": (
        _handling_elsewhere,
        lambda handling, who, now: pre_review(handling=handling, actor=who, now=now),
    ),
    "refuse": (
        _handling_elsewhere,
        lambda handling, who, now: refuse(handling=handling, reason="不符", actor=who, now=now),
    ),
    "decide": (
        _handling_elsewhere,
        lambda handling, who, now: decide(
            handling=handling, approved=True, result_name="证书", actor=who, now=now
        ),
    ),
    "seal": (
        _not_sent,
        lambda parcel, who, now: seal_parcel(parcel=parcel, weight_g=100, actor=who, now=now),
    ),
    "unseal": (_not_sent, lambda parcel, who, now: unseal_parcel(parcel=parcel, actor=who, now=now)),
    "cancel parcel": (_not_sent, lambda parcel, who, now: cancel_parcel(parcel=parcel, actor=who, now=now)),
    "hand over": (
        _not_sent,
        lambda parcel, who, now: hand_over(token=parcel.token_text, actor=who, now=now),
    ),
    "receive": (
        _not_received,
        lambda parcel, who, now: receive_parcel(parcel=parcel, ticked=(), actor=who, now=now),
    ),
    "report lost": (_at_no_end, lambda parcel, who, now: report_lost(parcel=parcel, actor=who, now=now)),
    "cancel waybill": (
        _waybill,
        lambda waybill, who, now: cancel_waybill(waybill=waybill, reason="取消", actor=who, now=now),
    ),
    "resolve incident": (
        _incident,
        lambda incident, who, now: resolve_incident(
            incident=incident, resolution="已处理", actor=who, now=now
        ),
    ),
    "hand out": (
        _at_another_window,
        lambda original, who, now: hand_to_applicant(original=original, actor=who, now=now),
    ),
    "archive": (
        _at_another_office,
        lambda original, who, now: archive_original(original=original, actor=who, now=now),
    ),
    "replay": (_push, lambda delivery, who, now: replay(delivery=delivery, actor=who, now=now)),
}
