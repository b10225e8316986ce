"""What couriers report, merged into one story per waybill, and what follows for the parcel."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from logistics.couriers.base import Report
from logistics.models import Incident, Parcel, TrackingEvent, Waybill, WebhookDelivery
from logistics.rules.parcels import (
    INCIDENT_OF,
    IncidentKind,
    ParcelState,
    Party,
    WaybillState,
)
from logistics.rules.tracking import FINAL, Scan, Snapshot, TrackingKind, reconcile, standing, whereabouts
from logistics.services.accounts import courier_of
from logistics.services.incidents import open_incident
from logistics.services.parcels import move_state, record_parcel
from logistics.services.subscribing import subscription_of
from registry.actors import SYSTEM, Actor

ASK_AFTER = timedelta(hours=2)
ASK_AGAIN = timedelta(minutes=10)
"""How long a courier that did not answer for a waybill is left alone about it."""
SILENT_AFTER = timedelta(days=3)
MOVING = frozenset(TrackingKind) - {TrackingKind.ORDERED, TrackingKind.CANCELLED, TrackingKind.REVERSAL}


def apply_report(
    *, waybill: Waybill, report: Report, now: datetime, delivery: WebhookDelivery | None = None
) -> int:
    """Merges a report into the waybill and moves the parcel along; how many scans were new.

    Applying a report again, or reports in another order, gives the same story. Call inside a transaction.
    """
    waybill = Waybill.objects.select_for_update().select_related("parcel").get(pk=waybill.pk)
    scans = waybill.scans()
    known = {scan.key for scan in scans}
    fresh = [scan for scan in report.scans if scan.key not in known]
    scans += fresh
    if report.snapshot:
        listed = Snapshot(
            keys=frozenset(scan.key for scan in report.scans), newest=max(scan.at for scan in report.scans)
        )
        leading = waybill.leading()
        if listed.outranks(leading):
            leading = listed
            waybill.leading_keys, waybill.leading_newest = sorted(listed.keys), listed.newest
        corrections = reconcile(scans, leading) if leading else []
        fresh += corrections
        scans += corrections
    TrackingEvent.objects.bulk_create(
        TrackingEvent.of(scan, waybill=waybill, now=now, delivery=delivery) for scan in fresh
    )
    _remember(waybill, report, scans, now)
    if waybill.state == WaybillState.BOOKED:
        _raise_alarms(waybill.parcel, scans, {scan.key for scan in fresh}, now)
        follow_courier(parcel=waybill.parcel, actor=SYSTEM, now=now)
        if fresh:
            record_parcel(
                waybill.parcel,
                "parcel.tracked",
                actor=SYSTEM,
                now=now,
                data={"waybill": waybill.number, "latest": waybill.latest_kind, "new": len(fresh)},
            )
    return len(fresh)


def follow_courier(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """Lets the parcel's state follow what the courier's standing scans say. A person's scan always comes first:
    a parcel that nobody handed over does not travel, and one that was received stays received.
    """
    waybill = parcel.waybills.filter(state=WaybillState.BOOKED).first()
    scans = waybill.scans() if waybill else []
    kind, at = whereabouts(scans) or (None, now)
    if (
        parcel.state == ParcelState.SEALED
        and kind in MOVING
        and not _answered(IncidentKind.UNSCANNED_HANDOVER, parcel, at)
    ):
        open_incident(kind=IncidentKind.UNSCANNED_HANDOVER, parcel=parcel, actor=actor, now=now)
    if parcel.state == ParcelState.HANDED_OVER and kind in MOVING:
        move_state(parcel, "move")
        record_parcel(parcel, "parcel.in_transit", actor=actor, now=now, data={"leg": parcel.leg})
    if parcel.state == ParcelState.IN_TRANSIT and kind == TrackingKind.DELIVERED:
        move_state(parcel, "deliver", delivered_at=at)
        record_parcel(
            parcel,
            "parcel.delivered",
            actor=actor,
            now=now,
            data={"leg": parcel.leg, "receiver": parcel.receiver_kind, "at": at.isoformat()},
        )
    elif parcel.state == ParcelState.DELIVERED and kind == TrackingKind.DELIVERED:
        _keep_delivery_time(parcel, at, actor, now)
    elif parcel.state == ParcelState.DELIVERED:
        move_state(parcel, "undo_delivery", delivered_at=None)
        _reversed(parcel, actor, now)
    elif (
        _confirmed_on_the_couriers_word(parcel)
        and kind != TrackingKind.DELIVERED
        # What still stands may be old; what takes the delivery back is the news.
        and not _answered(
            IncidentKind.DELIVERY_REVERSED, parcel, max((scan.at for scan in scans), default=now)
        )
    ):
        _reversed(parcel, actor, now)


def is_reported_delivered(parcel: Parcel) -> bool:
    """Whether the courier's word stands that it was delivered; also of one that a person took for lost meanwhile."""
    if parcel.state != ParcelState.LOST:
        return parcel.state == ParcelState.DELIVERED
    said = parcel.waybills.filter(state=WaybillState.BOOKED, latest_kind=TrackingKind.DELIVERED)
    return said.exists()


def poll(*, waybill: Waybill, now: datetime) -> int:
    """Asks the courier what it knows: the safety net when pushes stop. How many scans were new.

    That it was asked is kept first, so that a waybill whose courier never answers waits its turn behind the others.
    """
    courier = courier_of(waybill.account)
    Waybill.objects.filter(pk=waybill.pk).update(asked_at=now)
    report = courier.query(subscription_of(waybill))
    with transaction.atomic():
        return apply_report(waybill=waybill, report=report, now=now)


def overdue(now: datetime, *, after: timedelta = ASK_AFTER) -> QuerySet[Waybill]:
    """Waybills on the road whose courier has told us nothing, not even that nothing changed, for a while.

    Those that were never asked about come first, then the one whose last question is longest ago.
    """
    quiet = Q(heard_at__lt=now - after) | Q(heard_at__isnull=True, booked_at__lt=now - after)
    rested = Q(asked_at__isnull=True) | Q(asked_at__lte=now - ASK_AGAIN)
    return (
        _on_the_road()
        .filter(quiet, rested)
        .order_by(F("asked_at").asc(nulls_first=True), F("heard_at").asc(nulls_first=True), "pk")
    )


def watch_silence(*, now: datetime) -> int:
    """Opens an incident for each parcel on the road that was scanned nowhere for three days; how many are silent.

    Asking the courier in vain does not break the silence: only a scan does. Where a person has looked into it and
    closed the incident, three more days without a scan make the next one.
    """
    of_parcel = Incident.objects.filter(parcel=OuterRef("parcel"), kind=IncidentKind.SILENCE.value)
    looked_into = of_parcel.order_by("-resolved_at").filter(resolved_at__isnull=False)
    silent = (
        _on_the_road()
        .annotate(
            last_seen=Coalesce("latest_at", "parcel__handed_over_at"),
            looked_into_at=Subquery(looked_into.values("resolved_at")[:1]),
            known=Exists(of_parcel.filter(state=Incident.State.OPEN)),
        )
        .filter(
            Q(looked_into_at__isnull=True) | Q(looked_into_at__lt=now - SILENT_AFTER),
            last_seen__lt=now - SILENT_AFTER,
        )
    )
    for waybill in silent.filter(known=False).order_by("pk").iterator():
        with transaction.atomic():
            open_incident(kind=IncidentKind.SILENCE, parcel=waybill.parcel, actor=SYSTEM, now=now)
    return silent.count()


def _on_the_road() -> QuerySet[Waybill]:
    return Waybill.objects.select_related("account__carrier", "parcel", "carrier").filter(
        state=WaybillState.BOOKED,
        ended_at__isnull=True,
        parcel__state__in=[ParcelState.HANDED_OVER.value, ParcelState.IN_TRANSIT.value],
    )


def _remember(waybill: Waybill, report: Report, scans: list[Scan], now: datetime) -> None:
    said = whereabouts(scans)
    waybill.latest_kind, waybill.latest_at = (said[0].value, said[1]) if said else ("", None)
    waybill.heard_at = now
    if report.expected_at and _is_up_to_date(report, scans):
        waybill.expected_at = report.expected_at
    waybill.company = report.company or waybill.company
    over = report.ended and said is not None and said[0] in FINAL
    waybill.ended_at = (waybill.ended_at or now) if over else waybill.ended_at
    if report.resubscribe:
        waybill.subscribed_at = None
    waybill.save(
        update_fields=[
            "latest_kind",
            "latest_at",
            "heard_at",
            "expected_at",
            "company",
            "ended_at",
            "subscribed_at",
            "leading_keys",
            "leading_newest",
        ]
    )


def _is_up_to_date(report: Report, scans: list[Scan]) -> bool:
    """Whether the report lists the newest scan that is known: an older push that comes late brings an older guess."""
    newest = max((scan.at for scan in scans), default=None)
    return newest is None or newest in {scan.at for scan in report.scans}


def _raise_alarms(parcel: Parcel, scans: list[Scan], fresh: set[str], now: datetime) -> None:
    for scan in standing(scans):
        if scan.key in fresh and scan.kind in INCIDENT_OF:
            open_incident(kind=INCIDENT_OF[scan.kind], parcel=parcel, actor=SYSTEM, now=now)


def _keep_delivery_time(parcel: Parcel, at: datetime, actor: Actor, now: datetime) -> None:
    """A first delivery that was undone may be heard of after the second: the standing one gives the time."""
    if parcel.delivered_at == at:
        return
    Parcel.objects.filter(pk=parcel.pk, state=ParcelState.DELIVERED).update(delivered_at=at)
    parcel.delivered_at = at
    record_parcel(parcel, "parcel.delivery_redated", actor=actor, now=now, data={"at": at.isoformat()})


def _answered(kind: IncidentKind, parcel: Parcel, at: datetime) -> bool:
    """Whether a person has the fault before them, or closed it after the scan that tells it: then it is no news."""
    known = Incident.objects.filter(parcel=parcel, kind=kind.value, original=None)
    return known.filter(Q(state=Incident.State.OPEN) | Q(resolved_at__gte=at)).exists()


def _confirmed_on_the_couriers_word(parcel: Parcel) -> bool:
    return parcel.state == ParcelState.RECEIVED and parcel.receiver_kind == Party.APPLICANT


def _reversed(parcel: Parcel, actor: Actor, now: datetime) -> None:
    open_incident(kind=IncidentKind.DELIVERY_REVERSED, parcel=parcel, actor=actor, now=now)
    record_parcel(parcel, "parcel.delivery_reversed", actor=actor, now=now, data={"leg": parcel.leg})
