"""Where is this original now, since when, and who answered for it: one query."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from ingest.models import Original
from logistics.models import CustodyEvent, Parcel, Waybill
from logistics.rules.tracking import TrackingKind
from logistics.services.moving import WITH_A_PARCEL
from registry.actors import Actor
from registry.masking import mask_name
from registry.models import Office, Window
from registry.permissions import NotYours, visible


@dataclass(frozen=True)
class Whereabouts:
    """`place` is one of Original.Place; `at_name` the window, office or parcel, for what vanished from a desk the desk
    that had it last; `by` who proved it, empty at intake.

    `handover_number` is the list under which it left, `collector` whoever signed that list, masked.
    """

    original_id: int
    name: str
    place: str
    place_label: str
    at_name: str
    since: datetime
    by: str
    proof: str
    parcel_number: str
    waybill_number: str
    courier_says: str
    handover_number: str
    collector: str


def where_is(*, original_id: int, actor: Actor) -> Whereabouts:
    """The one place of an original. Raises NotYours."""
    rows = visible(actor, "original.see", Original.objects.filter(pk=original_id))
    last = CustodyEvent.objects.filter(original=OuterRef("pk")).order_by("-sequence")
    parcels = Parcel.objects.filter(pk=OuterRef("place_id"))
    vanished = CustodyEvent.objects.filter(original=OuterRef("pk"), to_place=Original.Place.MISSING).order_by(
        "-sequence"
    )
    waybills = Waybill.objects.filter(parcel=OuterRef("place_id"), state="booked").order_by("-pk")
    found = rows.annotate(
        by=_text(last.values("by_label")[:1]),
        proof=_text(last.values("proof")[:1]),
        handover_number=_text(last.values("handover__number")[:1]),
        collector=Subquery(last.values("handover__collector")[:1]),
        window_name=_text(Window.objects.filter(pk=OuterRef("place_id")).values("name")[:1]),
        office_name=_text(Office.objects.filter(pk=OuterRef("place_id")).values("name")[:1]),
        parcel_number=_text(parcels.values("number")[:1]),
        told_number=_text(parcels.values("told_number")[:1]),
        waybill_number=_text(waybills.values("number")[:1]),
        courier_says=_text(waybills.values("latest_kind")[:1]),
        last_place=_text(vanished.values("from_place")[:1]),
        last_id=Subquery(vanished.values("from_id")[:1]),
        last_window=_text(Window.objects.filter(pk=OuterRef("last_id")).values("name")[:1]),
        last_office=_text(Office.objects.filter(pk=OuterRef("last_id")).values("name")[:1]),
    ).first()
    if found is None:  # not by `yours`, which would forget the columns that were added to the row
        raise NotYours
    travelling = found.place in WITH_A_PARCEL
    return Whereabouts(
        original_id=found.pk,
        name=found.name,
        place=found.place,
        place_label=Original.Place(found.place).label,
        at_name=_name_of(found, last_place=found.last_place),
        since=found.moved_at,
        by=found.by,
        proof=CustodyEvent.Proof(found.proof).label if found.proof else "",
        parcel_number=found.parcel_number if travelling else "",
        waybill_number=(found.waybill_number or found.told_number) if travelling else "",
        courier_says=TrackingKind(found.courier_says).label if travelling and found.courier_says else "",
        handover_number=found.handover_number,
        collector=mask_name(found.collector) if found.collector else "",
    )


def _name_of(found: Original, *, last_place: str) -> str:
    from_a_desk = found.place == Original.Place.GONE and not found.place_id
    desk = "last_window" if last_place == Original.Place.WINDOW else "last_office"
    names = {
        Original.Place.WINDOW: "window_name",
        Original.Place.OFFICE: "office_name",
        Original.Place.ARCHIVE: "office_name",
        Original.Place.PARCEL: "parcel_number",
        Original.Place.LOST: "parcel_number",
        Original.Place.MISSING: desk,
        Original.Place.GONE: desk if from_a_desk else "parcel_number",
    }
    attribute = names.get(Original.Place(found.place))
    return str(getattr(found, attribute)) if attribute else ""


def _text(subquery: object) -> Coalesce:
    return Coalesce(Subquery(subquery, output_field=CharField()), Value(""))  # type: ignore[arg-type]
