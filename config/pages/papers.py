"""全程网办 at the office: taking in an applicant's envelope of which nobody had told, and saying that one will not come."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere, act_on_case
from config.pages.case_sheet import find_case
from config.pages.custody import arrival_weight, extra_count
from config.pages.frame import Fault, Typed, ids_in, page
from config.pages.parcels import find_parcel
from config.pages.proofs import proof_in
from ingest.models import Case
from logistics.models import Carrier
from logistics.services.announcing import CourierWord, call_off
from logistics.services.arriving import receive_unannounced, receives_papers
from logistics.services.papers_owed import papers_owed
from registry.actors import Actor
from registry.permissions import NotYours


@page("parcel.receive")
def receive_papers(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Tick what came in an applicant's envelope that nobody had announced."""
    case = find_case(number, actor)
    if not receives_papers(case, actor):
        raise NotYours
    if request.method != "POST":
        return _shown(request, case)
    now = timezone.now()
    return act_elsewhere(
        request,
        act=lambda: receive_unannounced(
            case=case,
            ticked=ids_in(request.POST, "original"),
            damaged=ids_in(request.POST, "damaged"),
            extra=extra_count(request.POST.get("extra", "")),
            weight_g=arrival_weight(request.POST.get("weight", "")),
            told=_told(request),
            photo=proof_in(request, now),
            actor=actor,
            now=now,
        ),
        said="已签收核对，原件已登记在此处。",
        back=f"{reverse('case', args=[number])}#originals",
        refused=lambda fault: _shown(request, case, fault),
        at="originals",
    )


@require_POST
@page("parcel.receive")
def call_off_parcel(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """What an applicant had announced will not come: they have it still, or have it back."""
    shown = find_parcel(number, actor, "parcel.receive")
    if not shown.is_from_applicant:
        raise NotYours
    case = Case.objects.get(pk=shown.sender_id)
    return act_on_case(
        request,
        actor,
        case.number,
        at="originals",
        act=lambda: call_off(parcel=shown, actor=actor, now=timezone.now()),
        said="已登记不会到件，材料仍等申请人寄来。",
    )


def _told(request: HttpRequest) -> CourierWord | None:
    """Courier and number from the envelope's label, where they were typed."""
    number = request.POST.get("number", "").strip()
    carrier = Carrier.objects.filter(code=request.POST.get("carrier", ""), active=True).first()
    return CourierWord(number, carrier, "其他" if carrier is None else "") if number else None


def _shown(request: HttpRequest, case: Case, fault: Fault | None = None) -> HttpResponse:
    context = {
        "case": case,
        "papers": papers_owed(case=case, now=timezone.now(), arriving=True),
        "ticked": request.POST.getlist("original"),
        "damaged": request.POST.getlist("damaged"),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
    }
    return render(request, "case/papers.html", context, status=409 if fault else 200)
