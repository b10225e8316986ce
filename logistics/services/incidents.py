"""异常: opening what a person has to look at, and closing it with a result."""

from datetime import datetime

from django.db import transaction

from ingest.models import Original
from logistics.models import CustodyEvent, Incident, Parcel
from logistics.rules.parcels import IncidentKind, Party, due_in
from registry import events
from registry.actors import Actor
from registry.permissions import check_may
from storage.errors import Refused


def open_incident(
    *, kind: IncidentKind, parcel: Parcel, actor: Actor, now: datetime, original: Original | None = None
) -> Incident:
    """The open incident of this kind, made when there is none. Call inside the transaction that found the fault."""
    owner_kind, owner_id = _owner(kind, parcel)
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
            data={"kind": kind.value, "parcel": parcel.number, "original": original.pk if original else None},
        )
    return incident


def report_incident(
    *, kind: IncidentKind, parcel: Parcel, actor: Actor, now: datetime, original: Original | None = None
) -> Incident:
    """What a clerk or officer reports by hand."""
    check_may(actor, "incident.report", parcel)
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
    words = resolution.strip()
    if not words:
        raise Refused("resolution_missing", "请填写处理结果后再关闭异常。")
    with transaction.atomic():
        changed = Incident.objects.filter(pk=incident.pk, state=Incident.State.OPEN).update(
            state=Incident.State.RESOLVED, resolved_at=now, resolution=words[:200]
        )
        if not changed:
            raise Refused("stale", "该异常已由他人处理，请刷新页面。")
        events.record(
            kind="incident.resolved", actor=actor, subject=incident, now=now, data={"kind": incident.kind}
        )
    incident.refresh_from_db()


def _owner(kind: IncidentKind, parcel: Parcel) -> tuple[str, int]:
    """Who has to answer: the sender, who holds the contract; an applicant never does."""
    if parcel.sender_kind == Party.APPLICANT:
        return parcel.receiver_kind, parcel.receiver_id
    return parcel.sender_kind, parcel.sender_id
