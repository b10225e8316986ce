"""Printing: the label of a parcel and the slips of a case."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from config.pages.finance import download
from config.pages.frame import page
from config.pages.parcels import find_parcel
from logistics.services.labels import print_label
from registry.actors import Actor
from registry.models import Slip
from registry.permissions import NotYours, visible
from storage.errors import Refused


@page("label.print")
def label(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The label as PDF in the browser, for its print dialog."""
    shown = find_parcel(number, actor, "label.print")
    size = request.GET.get("size", "100x150")
    content = print_label(parcel=shown, size=size, actor=actor)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{shown.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@page("slip.print")
def slip(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    """An issued slip as PDF, as it was first printed."""
    found = visible(actor, "slip.print", Slip.objects.filter(pk=pk)).select_related("stored").first()
    if found is None:
        raise NotYours
    if found.stored is None:
        raise Refused("slip_not_printed", "文书正在生成，请稍后刷新。", can_retry=True)
    return download(found.stored, f"slip-{found.pk}.pdf", inline=True)
