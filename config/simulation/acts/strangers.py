"""Everybody now and then tries what is not theirs: each attempt has to be refused."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from config.simulation.world import Deed, World
from ingest.models import Case, Handling, Original, ResultFile
from ingest.rules import HandlingState
from ingest.services.awaiting import awaited
from ingest.services.choosing import change_choices
from ingest.services.handlings import decide, pre_review, refuse
from ingest.services.intake import submit
from ingest.services.results import attach_result, look_at_result, void_result
from ingest.services.withdrawing import withdraw
from logistics.models import (
    Discrepancy,
    Incident,
    Parcel,
    SettlementProposal,
    Waybill,
    WebhookDelivery,
)
from logistics.postage.closing import approve_settlement
from logistics.postage.deciding import resolve_discrepancy
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.parcels import Party
from logistics.rules.settling import ProposalState
from logistics.services.announcing import CourierWord, announce, call_off
from logistics.services.arriving import receive_unannounced
from logistics.services.custody import hand_over, receive_parcel, report_lost
from logistics.services.endings import archive_original, hand_to_applicant
from logistics.services.incidents import resolve_incident
from logistics.services.losses import find_lost, report_missing
from logistics.services.parcels import cancel_parcel, seal_parcel, unseal_parcel
from logistics.services.taking_in import replay
from logistics.services.waybills import cancel_waybill
from registry.actors import Actor
from registry.terms import Delivery, Mode, Role
from storage.errors import Refused
from storage.models import StoredObject

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


def _own_paper(world: World, who: Actor) -> Parcel | None:
    """An applicant's parcel, for anybody but the office that receives it and the platform that filed the case."""
    own = Parcel.objects.filter(sender_kind=Party.APPLICANT.value).order_by("-pk")
    parcel = world.one_of(list(own[:LATEST]))
    if parcel is None or _at_end(who, parcel.receiver_kind, parcel.receiver_id):
        return None
    return None if _filed(who, Case.objects.get(pk=parcel.sender_id)) else parcel


def _filed(who: Actor, case: Case) -> bool:
    """Whether it is the platform's key for the case's window."""
    return who.role == Role.INTEGRATION and who.window_id == case.window_id


def _online_elsewhere(world: World, who: Actor) -> Case | None:
    case = world.one_of(list(Case.objects.filter(mode=Mode.ONLINE.value).order_by("-pk")[:LATEST]))
    if case is None or _filed(who, case) or case.handlings.filter(office=who.office_id or 0).exists():
        return None
    return case


def _decided_elsewhere(world: World, who: Actor) -> Handling | None:
    found = _handling_elsewhere(world, who)
    return found if found is not None and found.state == HandlingState.DECIDED else None


def _file(world: World, who: Actor) -> ResultFile | None:
    """A file of which this person's desk is neither the office nor the case's window."""
    files = ResultFile.objects.exclude(handling__office=who.office_id or 0)
    others = files.exclude(handling__case__window=who.window_id or 0)
    return world.one_of(list(others.select_related("handling__case", "stored").order_by("-pk")[:LATEST]))


def _not_here(world: World, who: Actor) -> Original | None:
    at_window = world.dice.random() < 0.5
    return _at_another_window(world, who) if at_window else _at_another_office(world, who)


def _gone(world: World, who: Actor) -> Original | None:
    """Missing or written off, of a case that is no business of theirs."""
    found = Original.objects.filter(place__in=[Original.Place.GONE, Original.Place.MISSING])
    others = found.exclude(case__window=who.window_id or 0).exclude(
        case__handlings__office=who.office_id or 0
    )
    return world.one_of(list(others.select_related("case", "handling").order_by("-pk")[:LATEST]))


def _push(world: World, who: Actor) -> WebhookDelivery | None:
    return None if who.role == Role.ADMINISTRATOR else WebhookDelivery.objects.order_by("-pk").first()


def _month(world: World, who: Actor) -> SettlementProposal | None:
    """A month that waits, for whoever prepared it or keeps no books of that centre."""
    waiting = SettlementProposal.objects.filter(state=ProposalState.PREPARED.value)
    proposal = waiting.select_related("centre", "carrier").order_by("-pk").first()
    if proposal is None:
        return None
    second = who.role == Role.FINANCE and who.centre_id == proposal.centre_id
    return proposal if not second or who.id == proposal.prepared_by_id else None


def _difference(world: World, who: Actor) -> Discrepancy | None:
    found = Discrepancy.objects.filter(state=DiscrepancyState.OPEN.value).select_related("statement")
    first = found.order_by("-pk").first()
    if first is None or (who.role == Role.FINANCE and who.centre_id == first.statement.centre_id):
        return None
    return first


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
    "report missing": (
        _not_here,
        lambda original, who, now: report_missing(original=original, actor=who, now=now),
    ),
    "find lost": (
        _gone,
        lambda original, who, now: find_lost(original=original, words="在本处", actor=who, now=now),
    ),
    "announce papers": (
        _online_elsewhere,
        lambda case, who, now: announce(
            case=case,
            papers=[original.pk for original in awaited(case)],
            told=CourierWord("990000000000", company="城际快运"),
            actor=who,
            now=now,
        ),
    ),
    "receive untold": (
        _online_elsewhere,
        lambda case, who, now: receive_unannounced(case=case, ticked=(), extra=1, actor=who, now=now),
    ),
    "call papers off": (_own_paper, lambda parcel, who, now: call_off(parcel=parcel, actor=who, now=now)),
    "attach result": (
        _decided_elsewhere,
        lambda handling, who, now: attach_result(
            handling=handling,
            name="电子证照",
            stored=StoredObject.objects.order_by("pk")[0],
            actor=who,
            now=now,
        ),
    ),
    "void result": (_file, lambda file, who, now: void_result(file=file, actor=who, now=now)),
    "look at result": (_file, lambda file, who, now: look_at_result(file=file, actor=who, now=now)),
    "change choice": (
        _case_elsewhere,
        lambda case, who, now: change_choices(
            case=case,
            delivery=next(one.value for one in Delivery if one != case.delivery),
            agent_consent=True,
            actor=who,
            now=now,
        ),
    ),
    "approve month": (
        _month,
        lambda proposal, who, now: approve_settlement(proposal=proposal, actor=who, now=now),
    ),
    "decide difference": (
        _difference,
        lambda found, who, now: resolve_discrepancy(
            discrepancy=found, to=DiscrepancyState.ACCEPTED, reason="认可", actor=who, now=now
        ),
    ),
    "replay": (_push, lambda delivery, who, now: replay(delivery=delivery, actor=who, now=now)),
}
