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
from logistics.rules.losses import LONGEST
from logistics.rules.parcels import Party, open_acts
from logistics.rules.payers import Leg
from logistics.services import custody, parcels
from logistics.services.endings import archive_original
from logistics.services.ends import thing_at
from logistics.services.losses import find_lost, report_missing
from logistics.services.ordering import order_waybill
from logistics.services.scales import tell_weight
from logistics.services.timeline import timeline
from logistics.services.whereabouts import where_is
from registry.actors import Actor
from registry.auth import actor_of, session_or_key
from registry.permissions import NotYours, visible, yours

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


class WeightIn(Schema):
    """Grams, once the scale is at rest."""

    weight_g: int


class WeightOut(Schema):
    """What is kept of it until the next reading."""

    weight_g: int
    at: datetime


class ScanIn(Schema):
    """The text that the scanner read."""

    token: str = Field(max_length=200)


class ReceiveIn(Schema):
    """Ids of the originals that were in the envelope, those of them that are damaged, and how many things were not listed.

    `weight_g`: of what an applicant sent, where a centre pays for it.
    """

    ticked: list[int]
    extra: int = 0
    damaged: list[int] = []
    weight_g: int | None = None


class FoundIn(Schema):
    """How it was found, in words without numbers of persons."""

    words: str = Field(max_length=LONGEST)


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
    rows = visible(actor_of(request), "parcel.see", Parcel.objects.order_by("-pk"))
    return rows.filter(state=state) if state else rows


@router.post("/parcels", response={201: ParcelDetail})
def pack(request: HttpRequest, wish: PackIn) -> Status[Parcel]:
    """Packs a parcel."""
    actor = actor_of(request)
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
    return _parcel(actor_of(request), number)


@router.get("/parcels/{number}/timeline", response=TimelineOut)
def show_timeline(request: HttpRequest, number: str) -> Any:
    """The story of a parcel."""
    actor = actor_of(request)
    return timeline(parcel=_parcel(actor, number), actor=actor)


@router.post("/parcels/{number}/seal", response=ParcelDetail)
def seal(request: HttpRequest, number: str, wish: SealIn) -> Parcel:
    """Closes and weighs a parcel."""
    actor = actor_of(request)
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
    actor = actor_of(request)
    parcel = _parcel(actor, number)
    carrier = yours(Carrier.objects.filter(code=wish.carrier, active=True))
    return order_waybill(parcel=parcel, carrier=carrier, number=wish.number, actor=actor, now=timezone.now())


@router.post("/scale", response=WeightOut)
def weigh(request: HttpRequest, shown: WeightIn) -> Any:
    """What the scale of your key's window or office shows at rest; the page on which a bag is sealed reads it."""
    return tell_weight(weight_g=shown.weight_g, actor=actor_of(request), now=timezone.now())


@router.post("/handovers", response=ParcelDetail)
def hand_over(request: HttpRequest, scan: ScanIn) -> Parcel:
    """Hands a parcel to the courier by the scan of its QR code."""
    return custody.hand_over(token=scan.token, actor=actor_of(request), now=timezone.now())


@router.post("/parcels/{number}/receipt", response=ParcelDetail)
def receive(request: HttpRequest, number: str, wish: ReceiveIn) -> Parcel:
    """Ticks the packing list of an arrived parcel."""
    actor = actor_of(request)
    parcel = _parcel(actor, number)
    custody.receive_parcel(
        parcel=parcel,
        ticked=wish.ticked,
        damaged=wish.damaged,
        extra=wish.extra,
        weight_g=wish.weight_g,
        actor=actor,
        now=timezone.now(),
    )
    return parcel


@router.post("/returns", response=ParcelDetail)
def take_back(request: HttpRequest, scan: ScanIn) -> Parcel:
    """Takes a returned parcel back by the scan of its QR code: its originals are with the sender again."""
    return custody.take_back(token=scan.token, actor=actor_of(request), now=timezone.now())


@router.post("/parcels/{number}/originals/{original_id}/found", response=WhereaboutsOut)
def found(request: HttpRequest, number: str, original_id: int) -> Any:
    """A missing original of this parcel turned up at your end."""
    actor = actor_of(request)
    item = yours(_parcel(actor, number).items.filter(original_id=original_id))
    custody.find_missing(item=item, actor=actor, now=timezone.now())
    return where_is(original_id=original_id, actor=actor)


@router.post("/originals/{original_id}/archive", response=WhereaboutsOut)
def archive(request: HttpRequest, original_id: int) -> Any:
    """The office keeps an original for good."""
    actor = actor_of(request)
    original = _original(actor, original_id, "original.see")
    archive_original(original=original, actor=actor, now=timezone.now())
    return where_is(original_id=original_id, actor=actor)


@router.post("/originals/{original_id}/missing", response=WhereaboutsOut)
def missing(request: HttpRequest, original_id: int) -> Any:
    """It does not lie on your desk, or in your archive, where it should: it is looked for, and your desk has to answer."""
    actor = actor_of(request)
    original = _original(actor, original_id, "incident.report")
    report_missing(original=original, actor=actor, now=timezone.now())
    return where_is(original_id=original_id, actor=actor)


@router.post("/originals/{original_id}/found", response=WhereaboutsOut)
def found_again(request: HttpRequest, original_id: int, told: FoundIn) -> Any:
    """What is looked for, or was written off, lies with you after all. What a parcel lacked is found at the parcel."""
    actor = actor_of(request)
    original = _original(actor, original_id, "original.write_off")
    find_lost(original=original, words=told.words, actor=actor, now=timezone.now())
    return where_is(original_id=original_id, actor=actor)


@router.get("/originals/{original_id}/whereabouts", response=WhereaboutsOut)
def whereabouts(request: HttpRequest, original_id: int) -> Any:
    """Where an original is now, and who answered for it."""
    return where_is(original_id=original_id, actor=actor_of(request))


def _parcel(actor: Actor, number: str) -> Parcel:
    return yours(visible(actor, "parcel.see", Parcel.objects.filter(number=number)))


def _original(actor: Actor, pk: int, act: str) -> Original:
    rows = visible(actor, act, Original.objects.filter(pk=pk))
    return yours(rows.select_related("case", "handling"))


def _end(actor: Actor, wish: EndIn) -> Any:
    if wish.kind == Party.APPLICANT:
        return yours(visible(actor, "case.see", Case.objects.filter(pk=wish.id)))
    try:
        return thing_at(wish.kind, wish.id)
    except ObjectDoesNotExist:
        raise NotYours from None
