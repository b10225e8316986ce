"""Endpoints of the logistics room: parcels for programs and the pages."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema, Status
from ninja.pagination import PageNumberPagination, paginate

from ingest.models import Case, Original
from logistics.models import Carrier, Parcel, Waybill
from logistics.rules.parcels import Party, open_acts
from logistics.rules.payers import Leg
from logistics.services import custody, parcels
from logistics.services.ends import thing_at
from logistics.services.ordering import order_waybill
from logistics.services.timeline import timeline
from logistics.services.whereabouts import where_is
from registry.actors import Actor
from registry.auth import session_or_key
from registry.permissions import NotYours, visible

router = Router(tags=["物流"], auth=session_or_key)


class EndIn(Schema):
    """One end: a window or office by id, or `applicant` with the id of the case."""

    kind: Party
    id: int


class PackIn(Schema):
    """A parcel to be packed."""

    leg: Leg
    sender: EndIn
    receiver: EndIn
    originals: list[int] = []


class SealIn(Schema):
    """Grams and outer millimetres."""

    weight_g: int
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0


class BookIn(Schema):
    """Which carrier; payer and term follow from the parcel. With `number` a waybill made elsewhere is registered."""

    carrier: str
    number: str = Field("", max_length=40)


class ScanIn(Schema):
    """The text that the scanner read."""

    token: str = Field(max_length=200)


class ReceiveIn(Schema):
    """Ids of the originals that were in the envelope, and how many things were not on the list."""

    ticked: list[int]
    extra: int = 0


class ItemOut(Schema):
    """One row of the packing list."""

    original: int = Field(alias="original_id")
    name: str = Field(alias="original.name")
    finding: str


class WaybillOut(Schema):
    """A waybill."""

    number: str
    reference: str
    state: str
    carrier: str = Field(alias="carrier.code")
    term: str
    latest: str = Field(alias="latest_kind")


class ParcelOut(Schema):
    """A parcel as lists show it."""

    number: str
    leg: str
    state: str
    sender_kind: str
    sender_id: int
    receiver_kind: str
    receiver_id: int
    weight_g: int | None
    created_at: datetime
    handed_over_at: datetime | None
    delivered_at: datetime | None
    received_at: datetime | None


class ParcelDetail(ParcelOut):
    """A parcel with its list, its waybills and what may be done now."""

    items: list[ItemOut]
    waybills: list[WaybillOut]
    open_acts: list[str]

    @staticmethod
    def resolve_items(parcel: Parcel) -> list[Any]:
        return list(parcel.items.select_related("original"))

    @staticmethod
    def resolve_waybills(parcel: Parcel) -> list[Waybill]:
        return list(parcel.waybills.select_related("carrier").order_by("pk"))

    @staticmethod
    def resolve_open_acts(parcel: Parcel) -> list[str]:
        return list(open_acts(parcel.state))


class EntryOut(Schema):
    """One line of the story."""

    at: datetime
    kind: str
    label: str
    source: str
    words: str
    place: str
    void: bool


class TimelineOut(Schema):
    """The story of a parcel."""

    entries: list[EntryOut]
    latest: str
    latest_label: str
    expected_at: datetime | None


class WhereaboutsOut(Schema):
    """Where an original is."""

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


@router.get("/parcels", response=list[ParcelOut])
@paginate(PageNumberPagination, page_size=50)
def list_parcels(request: HttpRequest, state: str = "") -> QuerySet[Parcel]:
    """Parcels at either end of which you stand, newest first."""
    rows = visible(_actor(request), "parcel.see", Parcel.objects.order_by("-pk"))
    return rows.filter(state=state) if state else rows


@router.post("/parcels", response={201: ParcelDetail})
def pack(request: HttpRequest, wish: PackIn) -> Status[Parcel]:
    """Packs a parcel."""
    actor = _actor(request)
    originals = list(visible(actor, "original.see", Original.objects.filter(pk__in=wish.originals)))
    if len(originals) != len(set(wish.originals)):
        raise NotYours
    parcel = parcels.pack(
        leg=wish.leg,
        sender=_end(actor, wish.sender),
        receiver=_end(actor, wish.receiver),
        originals=originals,
        actor=actor,
        now=timezone.now(),
    )
    return Status(201, parcel)


@router.get("/parcels/{number}", response=ParcelDetail)
def show_parcel(request: HttpRequest, number: str) -> Parcel:
    """One parcel."""
    return _parcel(_actor(request), number)


@router.get("/parcels/{number}/timeline", response=TimelineOut)
def show_timeline(request: HttpRequest, number: str) -> Any:
    """The story of a parcel."""
    actor = _actor(request)
    return timeline(parcel=_parcel(actor, number), actor=actor)


@router.post("/parcels/{number}/seal", response=ParcelDetail)
def seal(request: HttpRequest, number: str, wish: SealIn) -> Parcel:
    """Closes and weighs a parcel."""
    actor = _actor(request)
    parcel = _parcel(actor, number)
    parcels.seal_parcel(
        parcel=parcel,
        weight_g=wish.weight_g,
        length_mm=wish.length_mm,
        width_mm=wish.width_mm,
        height_mm=wish.height_mm,
        actor=actor,
        now=timezone.now(),
    )
    return parcel


@router.post("/parcels/{number}/waybill", response=WaybillOut)
def book(request: HttpRequest, number: str, wish: BookIn) -> Waybill:
    """Orders a waybill on the account of whoever pays, or registers one. Asking twice gives the same waybill."""
    actor = _actor(request)
    parcel = _parcel(actor, number)
    carrier = Carrier.objects.filter(code=wish.carrier, active=True).first()
    if carrier is None:
        raise NotYours
    return order_waybill(parcel=parcel, carrier=carrier, number=wish.number, actor=actor, now=timezone.now())


@router.post("/handovers", response=ParcelDetail)
def hand_over(request: HttpRequest, scan: ScanIn) -> Parcel:
    """Hands a parcel to the courier by the scan of its QR code."""
    return custody.hand_over(token=scan.token, actor=_actor(request), now=timezone.now())


@router.post("/parcels/{number}/receipt", response=ParcelDetail)
def receive(request: HttpRequest, number: str, wish: ReceiveIn) -> Parcel:
    """Ticks the packing list of an arrived parcel."""
    actor = _actor(request)
    parcel = _parcel(actor, number)
    custody.receive_parcel(
        parcel=parcel, ticked=wish.ticked, extra=wish.extra, actor=actor, now=timezone.now()
    )
    return parcel


@router.get("/originals/{original_id}/whereabouts", response=WhereaboutsOut)
def whereabouts(request: HttpRequest, original_id: int) -> Any:
    """Where an original is now, and who answered for it."""
    return where_is(original_id=original_id, actor=_actor(request))


def _actor(request: HttpRequest) -> Actor:
    actor: object = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise NotYours
    return actor


def _parcel(actor: Actor, number: str) -> Parcel:
    parcel = visible(actor, "parcel.see", Parcel.objects.filter(number=number)).first()
    if parcel is None:
        raise NotYours
    return parcel


def _end(actor: Actor, wish: EndIn) -> Any:
    if wish.kind == Party.APPLICANT:
        case = visible(actor, "case.see", Case.objects.filter(pk=wish.id)).first()
        if case is None:
            raise NotYours
        return case
    try:
        return thing_at(wish.kind, wish.id)
    except ObjectDoesNotExist:
        raise NotYours from None
