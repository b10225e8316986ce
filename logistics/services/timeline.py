"""A parcel's story for a page: our own scans and the courier's, oldest first, with what was taken back."""

from dataclasses import dataclass
from datetime import datetime

from logistics.models import Parcel, Waybill
from logistics.rules.tracking import TrackingKind, reversals
from registry.actors import Actor
from registry.permissions import check_may


@dataclass(frozen=True)
class Entry:
    """One line. `source`: parcel (our own scan) or carrier. `void`: the carrier took it back later."""

    at: datetime
    kind: str
    label: str
    source: str
    words: str = ""
    place: str = ""
    void: bool = False
    received_at: datetime | None = None


@dataclass(frozen=True)
class Timeline:
    """The lines, what the courier says now, and when it expects to arrive."""

    entries: tuple[Entry, ...]
    latest: str
    latest_label: str
    expected_at: datetime | None


def timeline(*, parcel: Parcel, actor: Actor) -> Timeline:
    """The story of a parcel; two queries beside the permission. Raises NotYours."""
    check_may(actor, "parcel.see", parcel)
    waybills = list(parcel.waybills.prefetch_related("events").order_by("pk"))
    entries = [*_own(parcel)]
    for waybill in waybills:
        entries.extend(_carriers(waybill))
    last = waybills[-1] if waybills else None
    latest = last.latest_kind if last else ""
    return Timeline(
        entries=tuple(sorted(entries, key=lambda entry: entry.at)),
        latest=latest,
        latest_label=TrackingKind(latest).label if latest else "",
        expected_at=last.expected_at if last else None,
    )


def _own(parcel: Parcel) -> list[Entry]:
    ours = [
        ("packed", "开始装件", parcel.created_at),
        ("sealed", "封装称重", parcel.sealed_at),
        ("handed_over", "扫码交寄", parcel.handed_over_at),
    ]
    told = [("handed_over", "申请人登记寄出", parcel.handed_over_at if parcel.told_number else None)]
    before = told if parcel.is_from_applicant else ours
    marks = [*before, ("received", "收件核对", parcel.received_at)]
    return [
        Entry(at=at, kind=kind, label=label, source="parcel") for kind, label, at in marks if at is not None
    ]


def _carriers(waybill: Waybill) -> list[Entry]:
    void = reversals(waybill.scans())
    return [
        Entry(
            at=event.at,
            kind=event.kind,
            label=TrackingKind(event.kind).label,
            source="carrier",
            words=event.words,
            place=event.place,
            void=event.key in void,
            received_at=event.received_at,
        )
        for event in waybill.events.all()
    ]
