"""Endpoints of the lists for the collector: gathered by scans, read by list or by parcel, signed once."""

import json
from datetime import datetime
from typing import Annotated, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema
from ninja.pagination import PageNumberPagination, paginate

from logistics.models import Carrier, HandoverLine, HandoverList, Parcel
from logistics.rules.parcels import NotNow
from logistics.services.handovers import (
    drop_list,
    list_parcel,
    open_list,
    print_list,
    sign_on_paper,
    sign_on_screen,
    slip_of,
    take_off,
)
from logistics.services.listed import list_of
from registry.actors import Actor
from registry.auth import actor_of, session_or_key
from registry.masking import mask_name
from registry.paper.issue import slip_pdf
from registry.permissions import NotYours, visible, yours

router = Router(tags=["交接清单"], auth=session_or_key)
Coordinate = Annotated[int, Field(ge=0, le=1000)]


class ListIn(Schema):
    """The carrier whose collector comes."""

    carrier: str = Field(max_length=40)


class ListedIn(Schema):
    """The text that the scanner read off a label."""

    token: str = Field(max_length=200)


class SignatureIn(Schema):
    """What the collector signed. `version` is that of the list that was shown; a list that changed since is refused.

    On the screen `strokes` are the lines drawn on a pad of 1000 by 400, each [x, y, x, y, …]. On paper the list has to
    be printed as it stands, and no strokes are given.
    """

    signing: Literal["screen", "paper"]
    collector: str = Field(max_length=40)
    version: int = Field(ge=0)
    strokes: list[list[Coordinate]] = Field([], max_length=500)


class LineOut(Schema):
    """One parcel on the list, as it was when it was scanned."""

    position: int
    parcel: str = Field(alias="parcel.number")
    waybill_number: str
    originals: int
    weight_g: int
    scanned_at: datetime


class ListOut(Schema):
    """A list without its lines. `collector` is masked; `signing` is empty until somebody signed."""

    number: str
    carrier: str = Field(alias="carrier.code")
    state: str
    version: int
    opened_at: datetime
    opened_by: str
    signing: str
    collector: str
    signed_at: datetime | None
    signed_before: str

    @staticmethod
    def resolve_collector(shown: HandoverList) -> str:
        return mask_name(shown.collector) if shown.collector else ""


class ListDetail(ListOut):
    """A list with its lines. `slip` is the number of the paper that shows it as it stands, empty when there is none."""

    lines: list[LineOut]
    slip: str

    @staticmethod
    def resolve_lines(shown: HandoverList) -> list[HandoverLine]:
        return list(shown.lines.filter(stands=True).select_related("parcel").order_by("position"))

    @staticmethod
    def resolve_slip(shown: HandoverList) -> str:
        slip = slip_of(shown)
        return slip.number if slip else ""


@router.get("/handover-lists", response=list[ListOut])
@paginate(PageNumberPagination, page_size=50)
def lists(request: HttpRequest, state: str = "", carrier: str = "") -> QuerySet[HandoverList]:
    """The lists of your window or office, newest first."""
    rows = _visible(actor_of(request)).order_by("-pk")
    rows = rows.filter(state=state) if state else rows
    return rows.filter(carrier__code=carrier) if carrier else rows


@router.post("/handover-lists", response=ListDetail)
def gather(request: HttpRequest, wish: ListIn) -> HandoverList:
    """The list that is being gathered for this carrier; a new one when there is none. Asking twice gives the same."""
    actor = actor_of(request)
    carrier = yours(Carrier.objects.filter(code=wish.carrier, active=True))
    return open_list(carrier=carrier, actor=actor, now=timezone.now())


@router.get("/handover-lists/{number}", response=ListDetail)
def show_list(request: HttpRequest, number: str) -> HandoverList:
    """One list with its parcels and who signed."""
    return _list(actor_of(request), number)


@router.get("/parcels/{number}/handover-list", response=ListDetail)
def list_of_parcel(request: HttpRequest, number: str) -> HandoverList:
    """The list under which this parcel leaves or left; 404 when it stands on none, or not on one of yours."""
    actor = actor_of(request)
    parcel = visible(actor, "parcel.see", Parcel.objects.filter(number=number)).first()
    found = list_of(parcel) if parcel is not None else None
    if found is None:
        raise NotYours
    return _list(actor, found.number)


@router.post("/handover-lists/{number}/parcels", response=ListDetail)
def list_scanned(request: HttpRequest, number: str, scan: ListedIn) -> HandoverList:
    """Puts a sealed parcel with a waybill of this carrier on the list. The same scan again changes nothing."""
    actor = actor_of(request)
    shown = _list(actor, number)
    list_parcel(handover=shown, token=scan.token, actor=actor, now=timezone.now())
    return shown


@router.delete("/handover-lists/{number}/parcels/{parcel}", response=ListDetail)
def unlist(request: HttpRequest, number: str, parcel: str) -> HandoverList:
    """Takes a parcel off an unsigned list; it stays here."""
    actor = actor_of(request)
    shown = _list(actor, number)
    gone = yours(visible(actor, "parcel.hand_over", Parcel.objects.filter(number=parcel)))
    take_off(handover=shown, parcel=gone, actor=actor, now=timezone.now())
    return shown


@router.post("/handover-lists/{number}/print", response=ListDetail)
def print_as_it_stands(request: HttpRequest, number: str) -> HandoverList:
    """Issues the paper for both signatures; unchanged, the same paper."""
    actor = actor_of(request)
    shown = _list(actor, number)
    print_list(handover=shown, actor=actor, now=timezone.now())
    return shown


@router.get("/handover-lists/{number}/list.pdf", response=None)
def paper(request: HttpRequest, number: str) -> HttpResponse:
    """The printed list, or the one with the signature from the screen, as a PDF; 409 before it was printed."""
    slip = slip_of(_list(actor_of(request), number))
    if slip is None:
        raise NotNow("handover_not_printed", "清单还没有打印，或打印后又有改动，请重新打印。")
    return HttpResponse(slip_pdf(slip), content_type="application/pdf")


@router.post("/handover-lists/{number}/signature", response=ListDetail)
def sign(request: HttpRequest, number: str, signed: SignatureIn) -> HandoverList:
    """The collector signed: every parcel on the list leaves, or none does. Signed again, it stays as it was signed."""
    actor, now = actor_of(request), timezone.now()
    shown = _list(actor, number)
    if signed.signing == "paper":
        sign_on_paper(
            handover=shown, collector=signed.collector, version=signed.version, actor=actor, now=now
        )
    else:
        sign_on_screen(
            handover=shown,
            collector=signed.collector,
            drawn=json.dumps(signed.strokes),
            version=signed.version,
            actor=actor,
            now=now,
        )
    return shown


@router.post("/handover-lists/{number}/drop", response=ListDetail)
def drop(request: HttpRequest, number: str) -> HandoverList:
    """Gives an unsigned list up; its parcels stay here."""
    actor = actor_of(request)
    shown = _list(actor, number)
    drop_list(handover=shown, actor=actor, now=timezone.now())
    return shown


def _visible(actor: Actor) -> QuerySet[HandoverList]:
    return visible(actor, "parcel.hand_over", HandoverList.objects.select_related("carrier"))


def _list(actor: Actor, number: str) -> HandoverList:
    return yours(_visible(actor).filter(number=number))
