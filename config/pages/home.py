"""The way in: each role's first place, and finding a case, a waybill or a scanned code from any page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from config.pages.frame import page
from config.pages.places import places_of
from ingest.models import Case
from logistics.models import Parcel
from logistics.services.custody import parcel_by_token
from ocr.searching import search_pages
from registry.actors import Actor
from registry.masking import mask_name
from registry.permissions import NotYours, may, visible
from registry.tokens import ForeignCode
from storage.encryption import blind_index
from storage.errors import Refused

RECENT = 1000
SHOWN = 40


@page()
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Go where this role works."""
    places = places_of(actor.role)
    return redirect(places[0].url) if places else render(request, "work/nowhere.html")


@require_POST
@page("case.see")
def search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Go straight to the one thing found; otherwise list the cases, or say what to try.

    By POST, because what people type here may be a name or an identity number, which belongs in no address.
    """
    text = request.POST.get("text", "").strip()
    try:
        address = _exact(text, actor)
    except NotYours:
        address = ""
    except Refused as refused:
        return render(request, "work/found.html", {"fault": refused, "cases": []})
    if address:
        return redirect(address)
    cases = _by_applicant(text, actor) if len(text) >= 1 else []
    hits = search_pages(text=text, actor=actor)
    if len(cases) == 1 and not hits.found:
        return redirect("case", number=cases[0].number)
    rows = [(case, mask_name(case.applicant_name)) for case in cases]
    return render(request, "work/found.html", {"cases": rows, "hits": hits, "empty": not text})


def _exact(text: str, actor: Actor) -> str:
    """The address of the parcel of a scanned code, of a case number, parcel number or waybill; empty when none is."""
    if may(actor, "parcel.see"):
        try:
            parcel = parcel_by_token(text)
        except ForeignCode:
            pass
        else:
            if visible(actor, "parcel.see", Parcel.objects.filter(pk=parcel.pk)).exists():
                return reverse("parcel", args=[parcel.number])
            raise NotYours
        parcels = visible(actor, "parcel.see", Parcel.objects.all())
        found = (
            parcels.filter(number=text.upper()).first()
            or parcels.filter(waybills__number=text.upper()).first()
            or parcels.filter(told_number=text.upper()).exclude(told_number="").first()
        )
        if found and text:
            return reverse("parcel", args=[found.number])
    case = visible(actor, "case.see", Case.objects.filter(number=text.upper())).first()
    return reverse("case", args=[case.number]) if case else ""


def _by_applicant(text: str, actor: Actor) -> list[Case]:
    """Cases whose applicant has this identity number or phone, or this in the name (among the recent ones)."""
    cases = visible(actor, "case.see", Case.objects.select_related("item")).order_by("-pk")
    digest = blind_index(text)
    exact = list(cases.filter(applicant_id_index=digest)[:SHOWN]) or list(
        cases.filter(applicant_phone_index=digest)[:SHOWN]
    )
    if exact:
        return exact
    return [case for case in cases[:RECENT] if text in case.applicant_name][:SHOWN]
