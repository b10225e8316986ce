"""No act without its right: who stands in the audit trail stood where the act may be done, under a grant in force.

The table of rights is written here once more, apart from the one that the services ask: two hands, one truth.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from ingest.models import Case, Handling, Original
from logistics.models import Incident, Parcel
from logistics.rules.parcels import Party
from registry.models import Event, Grant, User
from registry.terms import Mode, Role
from registry.time import local_day

Rightful = Callable[[Event, User], bool]


def _window_of_case(event: Event, user: User) -> bool:
    return Case.objects.filter(number=event.case_number, window_id=user.window_id or 0).exists()


def _office_of_handling(event: Event, user: User) -> bool:
    return Handling.objects.filter(pk=event.subject_id, office_id=user.office_id or 0).exists()


def _whoever_accepts(event: Event, user: User) -> bool:
    case = Case.objects.get(number=event.case_number)
    return (_window_of_case if case.mode == Mode.WINDOW_ACCEPT else _office_of_handling)(event, user)


def _window_or_office(event: Event, user: User) -> bool:
    case = Case.objects.filter(number=event.case_number)
    return _window_of_case(event, user) or case.filter(handlings__office_id=user.office_id or 0).exists()


def _stands_at(user: User, kind: str, pk: int) -> bool:
    mine = {Party.WINDOW.value: user.window_id, Party.OFFICE.value: user.office_id}.get(kind)
    return mine is not None and mine == pk


def _sends(event: Event, user: User) -> bool:
    parcel = _parcel_of(event)
    return _stands_at(user, parcel.sender_kind, parcel.sender_id)


def _receives(event: Event, user: User) -> bool:
    parcel = _parcel_of(event)
    if parcel.receiver_kind == Party.APPLICANT:
        return _stands_at(user, parcel.sender_kind, parcel.sender_id)
    return _stands_at(user, parcel.receiver_kind, parcel.receiver_id)


def _at_an_end(event: Event, user: User) -> bool:
    parcel = _parcel_of(event)
    return _stands_at(user, parcel.sender_kind, parcel.sender_id) or _stands_at(
        user, parcel.receiver_kind, parcel.receiver_id
    )


def _holds_or_carries(event: Event, user: User) -> bool:
    """An original moves with a parcel of theirs, or from their own hands."""
    if event.data["parcel"]:
        return _at_an_end(event, user)
    kind, pk = event.data["from"]
    return _stands_at(user, str(kind), int(pk))


def _administers(event: Event, user: User) -> bool:
    return bool(user.role == Role.ADMINISTRATOR)


def _parcel_of(event: Event) -> Parcel:
    if event.subject_type == Incident._meta.label_lower:
        return Incident.objects.select_related("parcel").get(pk=event.subject_id).parcel
    return Parcel.objects.get(number=event.data["parcel"])


RIGHTFUL: Mapping[str, Rightful] = {
    "case.created": _window_of_case,
    "case.submitted": _window_or_office,  # also told when a case falls back to where its slowest handling is
    "case.withdrawn": _window_of_case,
    "case.partly_withdrawn": _window_of_case,
    "case.points_answered": _window_of_case,
    "case.delivering": _window_of_case,
    "case.closed": _window_of_case,
    # A case follows whoever moved one of its handlings.
    "case.pre_review": _window_or_office,
    "case.accepted": _window_or_office,
    "case.supplement": _window_or_office,
    "case.decided": _window_or_office,
    "case.refused": _window_or_office,
    "identity.checked": _window_of_case,
    "original.taken_in": _window_of_case,
    "original.moved": _holds_or_carries,
    "handling.pre_reviewed": _office_of_handling,
    "handling.accepted": _whoever_accepts,
    "handling.supplement_asked": _office_of_handling,
    "handling.resubmitted": _window_of_case,
    "handling.refused": _office_of_handling,
    "handling.decided": _office_of_handling,
    "parcel.packed": _sends,
    "parcel.original_added": _sends,
    "parcel.original_removed": _sends,
    "parcel.sealed": _sends,
    "parcel.unsealed": _sends,
    "parcel.cancelled": _sends,
    "parcel.handed_over": _sends,
    "parcel.in_transit": _sends,  # said earlier by the courier, applied with the sender's scan
    "parcel.delivered": _sends,
    "parcel.returned": _sends,
    "parcel.received": _receives,
    "parcel.item_found": _receives,
    "parcel.lost": _at_an_end,
    "waybill.requested": _sends,
    "waybill.booked": _sends,
    "waybill.failed": _sends,
    "waybill.cancelled": _sends,
    "waybill.left_over": _sends,
    "incident.opened": _at_an_end,
    "incident.resolved": _at_an_end,
    "grant.given": _administers,
    "grant.revoked": _administers,
    "carrier_account.rotated": _administers,
    "webhook.replayed": _administers,
    "job.retried": _administers,
}


def no_act_without_its_right(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Every act of a person is of a known kind, and that person stands where it may be done."""
    users = {str(user.pk): user for user in User.objects.all()} if news.events else {}
    for event in news.events:
        if event.actor_kind != "user":
            continue
        rightful = RIGHTFUL.get(event.kind)
        if rightful is None:
            yield f"{event.actor_label} did {event.kind}, of which nobody knows who may"
        elif not rightful(event, users[event.actor_id]):
            yield f"{event.actor_label} did {event.kind} on {event.subject_type} {event.subject_id} without the right"


def each_grant_was_in_force(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """What an act says it rests on covered it at that moment; who hands a result out names what it rests on."""
    for event in news.events:
        named = [*event.data.get("grants", ()), *([event.data["grant"]] if "grant" in event.data else ())]
        for pk in named:
            grant = Grant.objects.filter(pk=pk).first()
            if grant is None or not _in_force(grant, local_day(event.at), event.at):
                yield f"{event.kind} of {event.case_number} rests on grant {pk}, which was not in force"
        if not named and (
            event.kind == "case.created" or "grants" in event.data or _hands_out_a_result(event)
        ):
            yield f"{event.kind} of {event.case_number} names no grant"


def _in_force(grant: Grant, day: date, at: datetime) -> bool:
    begun = grant.effective_from <= day and (grant.effective_to is None or day <= grant.effective_to)
    return begun and (grant.revoked_at is None or grant.revoked_at > at)


def _hands_out_a_result(event: Event) -> bool:
    if event.kind != "original.moved" or event.data["proof"] != "signature":
        return False
    if event.data["to"][0] != Original.Place.APPLICANT.value:
        return False
    return Original.objects.filter(pk=event.data["original"], kind=Original.Kind.RESULT).exists()
