"""Printing: the label of a parcel and the slips of a case, also to look at before they are printed."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from config.pages.case_sheet import find_case
from config.pages.frame import page
from config.pages.parcels import find_parcel
from ingest.slips import receipt_of
from logistics.models import Parcel
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.services.labels import Printed, print_carrier_label, print_label, print_sheets
from registry.actors import Actor
from registry.models import Slip
from registry.paper.engine import preview
from registry.paper.kinds import SlipKind
from registry.permissions import visible, yours
from storage.downloads import download
from storage.errors import Refused


@page("label.print")
def label(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The label: PDF and pictures in the browser, for its print dialog; printer programs as a file."""
    shown = find_parcel(number, actor, "label.print")
    size, form = request.GET.get("size", "100x150"), request.GET.get("form", "pdf")
    return _label_file(shown, print_label(parcel=shown, size=size, form=form, actor=actor))


@page("label.print")
def label_sheets(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The labels of everything that waits here for the courier, on A4 for cutting: as many on a sheet as fit."""
    waiting = Parcel.objects.filter(
        state=ParcelState.SEALED.value, waybills__state=WaybillState.BOOKED.value
    ).order_by("sealed_at", "pk")
    parcels = list(visible(actor, "parcel.hand_over", waiting))
    printed = print_sheets(parcels=parcels, size=request.GET.get("size", "100x150"), actor=actor)
    return _file(printed, "labels")


@page("label.print")
def carrier_label(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The carrier's own label with our code beside it, on A4."""
    shown = find_parcel(number, actor, "label.print")
    return _label_file(shown, print_carrier_label(parcel=shown, actor=actor, now=timezone.now()))


def _label_file(parcel: Parcel, printed: Printed) -> HttpResponse:
    return _file(printed, parcel.number)


def _file(printed: Printed, name: str) -> HttpResponse:
    response = HttpResponse(printed.content, content_type=printed.media_type)
    place = "inline" if printed.suffix in ("pdf", "png") else "attachment"
    response["Content-Disposition"] = f'{place}; filename="{name}.{printed.suffix}"'
    response["Cache-Control"] = "private, no-store"
    return response


@page("slip.print")
def slip(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    """An issued slip as PDF, as it was first printed."""
    found = yours(visible(actor, "slip.print", Slip.objects.filter(pk=pk)).select_related("stored"))
    if found.stored is None:
        raise Refused("slip_not_printed", "文书正在生成，请稍后刷新。", can_retry=True)
    return download(found.stored, f"slip-{found.pk}.pdf", inline=True)


@page("slip.print")
def slip_preview(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """An issued slip as HTML; it can be read while its PDF is still in the making."""
    found = yours(visible(actor, "slip.print", Slip.objects.filter(pk=pk)))
    return _shown(preview(found.kind, found.data, issued_at=found.issued_at))


@page("slip.print")
def receipt_preview(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The receipt as it would be issued if the case were submitted now, marked as not issued."""
    case = find_case(number, actor, "slip.print")
    return _shown(preview(SlipKind.RECEIPT, receipt_of(case, received_at=timezone.now())))


def _shown(html: str) -> HttpResponse:
    """Self-contained and without scripts; it holds personal data, so no cache keeps it."""
    response = HttpResponse(html)
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return response
