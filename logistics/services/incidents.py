"""异常: opening what a person has to look at, and closing it with a result."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from ingest.models import Original
from logistics.models import CustodyEvent, Incident, Parcel
from logistics.rules.parcels import REPORTED_BY_HAND, IncidentKind, NotNow, Party, due_in
from registry import events
from registry.actors import SYSTEM, Actor
from registry.permissions import check_may
from registry.rules.talk import fitting
from storage.errors import Refused


def open_incident(
    *, kind: IncidentKind, parcel: Parcel, actor: Actor, now: datetime, original: Original | None = None
) -> Incident:
    """The open incident of this kind, made when there is none. Call inside the transaction that found the fault."""
    return _opened(kind, answers_for(parcel), parcel=parcel, original=original, actor=actor, now=now)


def open_at_desk(*, original: Original, owner: tuple[str, int], actor: Actor, now: datetime) -> Incident:
    """An original is not where it lay: the desk, by kind and id, has to answer. Call inside the transaction that moves it."""
    kind = IncidentKind.MISSING_AT_DESK
    return _opened(kind, owner, parcel=None, original=original, actor=actor, now=now)


def open_overdue(
    *, original: Original, parcel: Parcel | None, owner: tuple[str, int], now: datetime
) -> Incident:
    """An original was chased in vain: the desk answers for it, or for the parcel in which it lies. Call inside the
    transaction that chases it.
    """
    about = None if parcel is not None else original
    return _opened(IncidentKind.OVERDUE, owner, parcel=parcel, original=about, actor=SYSTEM, now=now)


def end_overdue(*, original: Original, out_of: int | None, now: datetime) -> None:
    """It moves, `out_of` a parcel where it lay in one: nobody chases it any longer. Call inside the transaction that
    moves it.
    """
    about = Q(original=original, parcel=None)
    if out_of is not None:
        about |= Q(parcel=out_of, original=None)
    for told in Incident.objects.filter(about, kind=IncidentKind.OVERDUE.value, state=Incident.State.OPEN):
        end_incident(
            incident=told,
            resolution="原件已离开原处。",
            case_number=original.case.number if told.parcel_id is None else "",
            actor=SYSTEM,
            now=now,
            by_loss=False,
        )


def report_incident(
    *, kind: IncidentKind, parcel: Parcel, actor: Actor, now: datetime, original: Original | None = None
) -> Incident:
    """What a clerk or officer reports by hand."""
    check_may(actor, "incident.report", parcel)
    if kind not in REPORTED_BY_HAND:
        raise Refused("incident_kind", "这种异常由系统登记，请另选种类；丢失请用“报失”。")
    with transaction.atomic():
        return open_incident(kind=kind, parcel=parcel, original=original, actor=actor, now=now)


def report_difference(
    *, original: Original, judged_at: datetime, actor: Actor, now: datetime
) -> Incident | None:
    """An office found that an original differs from its signed dossier: whoever sent the parcel has to answer.

    Told again, it opens nothing more, not even after the incident was closed. None when it came in no parcel.
    """
    last = CustodyEvent.objects.filter(
        original=original, to_place=Original.Place.OFFICE, parcel__isnull=False
    )
    arrival = last.select_related("parcel").order_by("-sequence").first()
    if arrival is None or arrival.parcel is None:
        return None
    kind = IncidentKind.ARRIVAL_DIFFERS
    with transaction.atomic():
        told = Incident.objects.filter(
            kind=kind.value, parcel=arrival.parcel, original=original, opened_at__gte=judged_at
        ).first()
        return told or open_incident(
            kind=kind, parcel=arrival.parcel, original=original, actor=actor, now=now
        )


def resolve_incident(*, incident: Incident, resolution: str, actor: Actor, now: datetime) -> None:
    """Closes an incident with a sentence that says what came of it (no personal data)."""
    check_may(actor, "incident.report", incident)
    if incident.kind == IncidentKind.MISSING_AT_DESK:
        raise NotNow("incident_of_original", "该异常随原件找到或报失核销而结束，请在原件页登记。")
    words = fitting(resolution, what="处理结果")
    if not words:
        raise Refused("resolution_missing", "请填写处理结果后再关闭异常。")
    with transaction.atomic():
        changed = Incident.objects.filter(pk=incident.pk, state=Incident.State.OPEN).update(
            state=Incident.State.RESOLVED, resolved_at=now, resolution=words
        )
        if not changed:
            raise Refused("stale", "该异常已由他人处理，请刷新页面。")
        events.record(
            kind="incident.resolved", actor=actor, subject=incident, now=now, data={"kind": incident.kind}
        )
    incident.refresh_from_db()


def end_incident(
    *,
    incident: Incident,
    resolution: str,
    case_number: str,
    actor: Actor,
    now: datetime,
    by_loss: bool = True,
) -> None:
    """Closes an incident with what came of it, if nobody did before. Call inside the transaction that brought it about.

    `by_loss`: by those who may write the original off or find it, wherever they stand; else by an end of the parcel.
    """
    changed = Incident.objects.filter(pk=incident.pk, state=Incident.State.OPEN).update(
        state=Incident.State.RESOLVED, resolved_at=now, resolution=resolution
    )
    if changed:
        events.record(
            kind="incident.resolved",
            actor=actor,
            subject=incident,
            now=now,
            case_number=case_number,
            data={"kind": incident.kind, **({"by_loss": True} if by_loss else {})},
        )


def end_told(
    *,
    kind: IncidentKind,
    parcel: Parcel,
    resolution: str,
    actor: Actor,
    now: datetime,
    original: Original | None = None,
) -> None:
    """Closes the open incident of this kind about the parcel, or about one original in it, where there is one.

    Call inside the transaction that brought it about.
    """
    told = Incident.objects.filter(
        kind=kind.value, parcel=parcel, original=original, state=Incident.State.OPEN
    ).first()
    if told is not None:
        number = original.case.number if original else ""
        end_incident(
            incident=told, resolution=resolution, case_number=number, actor=actor, now=now, by_loss=False
        )


def _opened(
    kind: IncidentKind,
    owner: tuple[str, int],
    *,
    parcel: Parcel | None,
    original: Original | None,
    actor: Actor,
    now: datetime,
) -> Incident:
    owner_kind, owner_id = owner
    incident, new = Incident.objects.get_or_create(
        kind=kind.value,
        parcel=parcel,
        original=original,
        state=Incident.State.OPEN,
        defaults={
            "owner_kind": owner_kind,
            "owner_id": owner_id,
            "opened_at": now,
            "due_at": now + due_in(kind),
        },
    )
    if new:
        events.record(
            kind="incident.opened",
            actor=actor,
            subject=incident,
            now=now,
            case_number=original.case.number if original else "",
            data={
                "kind": kind.value,
                "parcel": parcel.number if parcel else "",
                "original": original.pk if original else None,
            },
        )
    return incident


def answers_for(parcel: Parcel) -> tuple[str, int]:
    """Who has to answer for what the courier does: the sender, who holds the contract; an applicant never does."""
    if parcel.sender_kind == Party.APPLICANT:
        return parcel.receiver_kind, parcel.receiver_id
    return parcel.sender_kind, parcel.sender_id
