"""No act without its right: who stands in the audit trail stood where the act may be done, under a grant in force.

The table of rights is written here once more, apart from the one that the services ask: two hands, one truth.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from django.db.models import Model

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from dossier.models import ArrivalComparison
from ingest.models import Case, Handling, Original, ResultFile
from logistics.models import (
    Discrepancy,
    Incident,
    Loss,
    Parcel,
    Settlement,
    SettlementProposal,
    Statement,
    StatementUpload,
)
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


def _whoever_notices(event: Event, user: User) -> bool:
    """The office, or the window by the grant that it names."""
    return (_window_of_case if "grant" in event.data else _office_of_handling)(event, user)


def _window_or_office(event: Event, user: User) -> bool:
    case = Case.objects.filter(number=event.case_number)
    return _window_of_case(event, user) or case.filter(handlings__office_id=user.office_id or 0).exists()


def _stands_at(user: User, kind: str, pk: int) -> bool:
    mine = {Party.WINDOW.value: user.window_id, Party.OFFICE.value: user.office_id}.get(kind)
    return mine is not None and mine == pk


def _sends(event: Event, user: User) -> bool:
    """The sender; for an applicant, who sends without an account, the office that receives."""
    parcel = _parcel_of(event)
    if parcel.is_from_applicant:
        return _stands_at(user, parcel.receiver_kind, parcel.receiver_id)
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
    """An original moves with a parcel of theirs, or from their own hands; it is written off and found by either side."""
    if Original.Place.GONE in (event.data["from"][0], event.data["to"][0]):
        return _window_or_office(event, user)
    if event.data["from"][0] == Original.Place.MISSING:
        return _window_or_office(event, user)
    if event.data["parcel"]:
        return _at_an_end(event, user)
    kind, pk = event.data["from"]
    return _stands_at(user, str(kind), int(pk))


def _opens_incident(event: Event, user: User) -> bool:
    """Either end of the parcel, or the desk that does not find a paper of its own."""
    if event.data["parcel"]:
        return _at_an_end(event, user)
    owner_kind, owner_id = Incident.objects.values_list("owner_kind", "owner_id").get(pk=event.subject_id)
    return _stands_at(user, owner_kind, owner_id)


def _closes_incident(event: Event, user: User) -> bool:
    """Either end of the parcel, or whoever confirms that the original is lost."""
    return _window_or_office(event, user) if event.data.get("by_loss") else _at_an_end(event, user)


def _second_person(event: Event, user: User) -> bool:
    """Somebody else than who declared it, of the case's window or one of its offices."""
    declared_by = Loss.objects.values_list("declared_by_id", flat=True).get(pk=event.subject_id)
    return _window_or_office(event, user) and declared_by != user.pk


def _office_of_file(event: Event, user: User) -> bool:
    return ResultFile.objects.filter(pk=event.subject_id, handling__office_id=user.office_id or 0).exists()


def _window_or_office_of_file(event: Event, user: User) -> bool:
    return _window_of_case(event, user) or _office_of_file(event, user)


def _administers(event: Event, user: User) -> bool:
    return bool(user.role == Role.ADMINISTRATOR)


def _office_of_dossier(event: Event, user: User) -> bool:
    return Handling.objects.filter(dossiers__pk=event.subject_id, office_id=user.office_id or 0).exists()


def _office_of_arrival(event: Event, user: User) -> bool:
    office = user.office_id or 0
    return ArrivalComparison.objects.filter(pk=event.subject_id, dossier__handling__office=office).exists()


def _keeps_the_books(event: Event, user: User) -> bool:
    """Finance of the centre whose statement, difference or month it is."""
    model, centre = BOOKS[event.subject_type]
    mine = model._default_manager.filter(pk=event.subject_id, **{centre: user.centre_id or 0})
    return bool(user.role == Role.FINANCE and mine.exists())


def _parcel_of(event: Event) -> Parcel:
    if event.subject_type == Incident._meta.label_lower:
        return Parcel.objects.get(incidents=int(event.subject_id))
    return Parcel.objects.get(number=event.data["parcel"])


BOOKS: Mapping[str, tuple[type[Model], str]] = {
    model._meta.label_lower: (model, centre)
    for model, centre in (
        (StatementUpload, "centre_id"),
        (Statement, "centre_id"),
        (Discrepancy, "statement__centre_id"),
        (SettlementProposal, "centre_id"),
        (Settlement, "centre_id"),
    )
}
TELLS_OF_OWN_PAPER = frozenset(
    {
        "parcel.announced",
        "parcel.renumbered",
        "parcel.called_off",
        "parcel.returned",
        "waybill.booked",
        "waybill.cancelled",
        "original.moved",
    }
)
"""What an applicant does about a parcel of their own, and the platform for them."""
BY_APPLICANTS = TELLS_OF_OWN_PAPER | {
    "result.fetched",
    "progress.looked_at",
    "progress.locked",
}
BY_PLATFORMS = TELLS_OF_OWN_PAPER | {
    "case.created",
    "case.submitted",
    "original.awaited",
    "file.received",
    "result.fetched",
}
RIGHTFUL: Mapping[str, Rightful] = {
    "case.created": _window_of_case,
    "case.submitted": _window_or_office,  # also told when a case falls back to where its slowest handling is
    "case.withdrawn": _window_of_case,
    "case.partly_withdrawn": _window_of_case,
    "case.points_answered": _window_of_case,
    "case.delivering": _window_of_case,
    "case.closed": _window_of_case,
    "case.choices_changed": _window_of_case,
    "result.attached": _office_of_file,
    "result.voided": _office_of_file,
    "result.looked_at": _window_or_office_of_file,
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
    "handling.supplement_asked": _whoever_notices,
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
    "parcel.came_unannounced": _receives,
    "parcel.called_off": _receives,
    "parcel.item_found": _at_an_end,
    "parcel.lost": _at_an_end,
    "waybill.requested": _sends,
    "waybill.booked": _sends,
    "waybill.failed": _sends,
    "waybill.cancelled": _sends,
    "waybill.left_over": _sends,
    "incident.opened": _opens_incident,
    "incident.resolved": _closes_incident,
    "loss.declared": _window_or_office,
    "loss.confirmed": _second_person,
    "loss.returned": _second_person,
    "loss.found": _window_or_office,
    "grant.given": _administers,
    "grant.revoked": _administers,
    "carrier_account.rotated": _administers,
    "webhook.replayed": _administers,
    "job.retried": _administers,
    "file.received": _window_of_case,
    "dossier.received": _office_of_dossier,
    "dossier.decided": _office_of_dossier,
    "dossier.downloaded": _office_of_dossier,
    "arrival.rescanned": _office_of_arrival,
    "arrival.judged": _office_of_arrival,
    "statement.uploaded": _keeps_the_books,
    "statement.import_asked": _keeps_the_books,
    "statement.check_asked": _keeps_the_books,
    "discrepancy.disputed": _keeps_the_books,
    "discrepancy.accepted": _keeps_the_books,
    "settlement.prepared": _keeps_the_books,
    "settlement.returned": _keeps_the_books,
    "settlement.closed": _keeps_the_books,
}


def no_act_without_its_right(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Every act of a person is of a known kind, and that person stands where it may be done."""
    if news.events and not told.users:
        told.users.update({str(user.pk): user for user in User.objects.all()})
    for event in news.events:
        if event.actor_kind in ("applicant", "integration"):
            yield from _without_an_account(world, event)
        if event.actor_kind != "user":
            continue
        rightful = RIGHTFUL.get(event.kind)
        if rightful is None:
            yield f"{event.actor_label} did {event.kind}, of which nobody knows who may"
        elif not rightful(event, told.users[event.actor_id]):
            yield f"{event.actor_label} did {event.kind} on {event.subject_type} {event.subject_id} without the right"


def _without_an_account(world: World, event: Event) -> Iterator[str]:
    """An applicant does little, and a platform what it may for cases of its key's window; both tell only of an applicant's
    own paper, which leaves the applicant and comes back to them on their word, and reaches nobody else by it.
    """
    by_applicant = event.actor_kind == "applicant"
    if event.kind not in (BY_APPLICANTS if by_applicant else BY_PLATFORMS):
        yield f"{event.actor_label} did {event.kind}, of which nobody knows that they may"
        return
    if not by_applicant:
        window = next(one.window_id for one in world.people.platforms if one.id == event.actor_id)
        if not Case.objects.filter(number=event.case_number, window=window).exists():
            yield f"{event.actor_label} did {event.kind} on a case of another window"
    if event.kind in TELLS_OF_OWN_PAPER:
        parcel = _parcel_of(event)
        case = Case.objects.get(number=event.case_number)
        own = parcel.is_from_applicant and parcel.sender_id == case.pk
        if not own or (event.kind == "original.moved" and not _on_their_word(event, parcel, case)):
            yield f"{event.actor_label} did {event.kind} on {parcel.number}, which is not what they may tell of"


def _on_their_word(event: Event, parcel: Parcel, case: Case) -> bool:
    home, road = [Original.Place.APPLICANT.value, case.pk], [Original.Place.PARCEL.value, parcel.pk]
    return event.data["proof"] == "report" and [event.data["from"], event.data["to"]] in (
        [home, road],
        [road, home],
    )


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
