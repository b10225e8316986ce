"""Sending a parcel: packing, sealing, its waybill, giving it up, and what went wrong with it."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.case_sheet import find_case
from config.pages.frame import Fault, page
from config.pages.packing import Way, leg_choices, open_bags, packable
from config.pages.parcel_ends import ends_of
from config.pages.parcels import find_parcel, render_parcel
from config.pages.repeating import do_once
from ingest.models import Case, Original
from logistics.models import Carrier, Incident, Parcel
from logistics.rules.parcels import IncidentKind
from logistics.services.custody import confirm_delivery, report_lost
from logistics.services.ends import is_sender
from logistics.services.filling import fill_by_scan
from logistics.services.incidents import report_incident, resolve_incident
from logistics.services.ordering import order_waybill
from logistics.services.parcels import (
    add_originals,
    cancel_parcel,
    pack,
    remove_original,
    seal_parcel,
    unseal_parcel,
)
from logistics.services.scales import weight_here
from logistics.services.waybills import cancel_waybill
from registry.actors import Actor
from registry.permissions import NotYours, visible, yours
from registry.sheets.forms import labelled
from storage.errors import Refused


@page("parcel.pack")
def pack_case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Choose what leaves, on which leg and to whom; the parcel is made in one call."""
    case = find_case(number, actor)
    legs = leg_choices(case, actor)
    if request.method == "GET":
        return _render_packing(request, actor, case, legs)
    now = timezone.now()

    def make() -> str:
        return reverse("parcel", args=[_pack(request, actor, case, legs, now).number])

    try:
        return redirect(do_once(request, make))
    except NotYours:
        raise
    except Refused as refused:
        return _render_packing(request, actor, case, legs, fault=Fault.of(refused, "pack"))


def _pack(request: HttpRequest, actor: Actor, case: Case, legs: list[Way], now: datetime) -> Parcel:
    wanted = request.POST.get("leg", "")
    chosen = next((leg for leg in legs if leg.key == wanted), None)
    bag = next((bag for bag in open_bags(legs) if wanted == bag.number), None)
    picked = [int(pk) for pk in request.POST.getlist("original") if pk.isdecimal()]
    originals = list(visible(actor, "original.see", Original.objects.filter(pk__in=picked, case=case)))
    if bag is not None and originals:
        add_originals(parcel=bag, originals=originals, actor=actor, now=now)
        return bag
    if chosen is None or not originals:
        raise Refused("packing_choice", "请选择寄往哪里，并勾选要装入的原件。")
    return pack(
        leg=chosen.leg,
        sender=chosen.sender,
        receiver=chosen.receiver,
        originals=originals,
        actor=actor,
        now=now,
    )


def _render_packing(
    request: HttpRequest, actor: Actor, case: Case, legs: list[Way], fault: Fault | None = None
) -> HttpResponse:
    picked = request.POST.getlist("original")
    bags = open_bags(legs)
    ends = ends_of(bags)
    context = {
        "case": case,
        "legs": legs,
        "bags": [(bag, ends[bag.pk]) for bag in bags],
        "leg": request.POST.get("leg") or (legs[0].key if legs else ""),
        "originals": [
            (original, not fault or str(original.pk) in picked) for original in packable(case, actor)
        ],
        "fault": fault,
    }
    return render(request, "parcel/pack.html", context, status=409 if fault else 200)


@page("parcel.pack")
def scale_reading(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The field for the weight, with what the scale here shows."""
    scale = weight_here(actor=actor, now=timezone.now())
    return render(request, "parcel/_weight.html", {"scale": scale, "scale_asked": True})


@require_POST
@page("parcel.pack")
def seal(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown, now = own_parcel(number, actor), timezone.now()

    def close() -> None:
        seal_parcel(
            parcel=shown,
            weight_g=_grams(request.POST.get("weight", "")),
            length_mm=_millimetres(request.POST.get("length", "")),
            width_mm=_millimetres(request.POST.get("width", "")),
            height_mm=_millimetres(request.POST.get("height", "")),
            actor=actor,
            now=now,
        )

    return _act(request, actor, number, at="seal", act=close, said="已封装称重，可以下单取得运单号。")


@require_POST
@page("parcel.pack")
def unseal(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown, now = own_parcel(number, actor), timezone.now()
    return _act(
        request,
        actor,
        number,
        at="seal",
        act=lambda: unseal_parcel(parcel=shown, actor=actor, now=now),
        said="已拆封，可以重新装件。",
    )


@require_POST
@page("parcel.pack")
def cancel(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown, now = own_parcel(number, actor), timezone.now()
    return _act(
        request,
        actor,
        number,
        at="cancel",
        act=lambda: cancel_parcel(parcel=shown, actor=actor, now=now),
        said="寄件已取消，原件留在原处。",
    )


@require_POST
@page("parcel.pack")
def fill(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Originals join the list by the code on their case's slip or on a separator sheet."""
    shown, now = own_parcel(number, actor), timezone.now()

    def scan() -> None:
        try:
            fill_by_scan(parcel=shown, token=request.POST.get("code", ""), actor=actor, now=now)
        except NotYours:
            raise Refused("scan_unknown", "没有找到这个二维码对应的办件，或它不属于本单位。") from None

    return _act(request, actor, number, at="contents", act=scan, said="已按扫码装入清单。")


@require_POST
@page("parcel.pack")
def remove(request: HttpRequest, actor: Actor, number: str, pk: int) -> HttpResponse:
    shown, now = own_parcel(number, actor), timezone.now()
    original = yours(visible(actor, "original.see", Original.objects.filter(pk=pk)))
    return _act(
        request,
        actor,
        number,
        at="contents",
        act=lambda: remove_original(parcel=shown, original=original, actor=actor, now=now),
        said="已从清单取出。",
    )


@page("parcel.pack")
def quote(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The parcel's page with the price that one carrier names itself, beside the contract's."""
    own_parcel(number, actor)
    return render_parcel(request, actor, number, ask=request.GET.get("carrier", "")[:40])


@require_POST
@page("parcel.pack")
def book(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Order a waybill on the account of whoever pays; or follow one that was written elsewhere."""
    shown, now = own_parcel(number, actor), timezone.now()

    def order() -> None:
        carrier = Carrier.objects.filter(code=request.POST.get("carrier", ""), active=True).first()
        if carrier is None:
            raise Refused("carrier_choice", "请选择承运商。")
        own_number = request.POST.get("number", "").strip()
        order_waybill(parcel=shown, carrier=carrier, number=own_number, actor=actor, now=now)

    return _act(request, actor, number, at="waybill", act=order, said="已取得运单号，可以打印面单。")


@require_POST
@page("parcel.pack")
def unbook(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown, now = own_parcel(number, actor), timezone.now()
    waybill = yours(shown.waybills.filter(state="booked"))
    return _act(
        request,
        actor,
        number,
        at="waybill",
        act=lambda: cancel_waybill(waybill=waybill, reason="寄件方取消", actor=actor, now=now),
        said="运单已取消。",
    )


@require_POST
@page("parcel.receive")
def confirm(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The applicant has it: said by the sender once the courier reported delivery."""
    shown, now = find_parcel(number, actor), timezone.now()
    return _act(
        request,
        actor,
        number,
        at="next",
        act=lambda: confirm_delivery(parcel=shown, actor=actor, now=now),
        said="已确认申请人收到。",
    )


@require_POST
@page("incident.report")
def lost(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown, now = find_parcel(number, actor), timezone.now()
    return _act(
        request,
        actor,
        number,
        at="incidents",
        act=lambda: report_lost(parcel=shown, actor=actor, now=now),
        said="已报失，原件登记为丢失，请跟进承运商。",
    )


@require_POST
@page("incident.report")
def report(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """What a person saw for themselves, of the parcel or of one original on its list."""
    shown, told = find_parcel(number, actor), request.POST

    def act() -> None:
        chosen = told.get("original", "")
        rows = Original.objects.filter(parcel_items__parcel=shown)
        report_incident(
            kind=labelled(IncidentKind, told.get("kind", "")),
            parcel=shown,
            original=rows.filter(pk=int(chosen)).first() if chosen.isdecimal() else None,
            actor=actor,
            now=timezone.now(),
        )

    return _act(request, actor, number, at="incidents", act=act, said="异常已登记，责任方须在期限内处理。")


@require_POST
@page("incident.report")
def resolve(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    incident = (
        visible(actor, "incident.report", Incident.objects.filter(pk=pk)).select_related("parcel").first()
    )
    if incident is None or incident.parcel is None:  # what vanished from a desk ends with its original
        raise NotYours
    now = timezone.now()
    return _act(
        request,
        actor,
        incident.parcel.number,
        at="incidents",
        act=lambda: resolve_incident(
            incident=incident, resolution=request.POST.get("resolution", ""), actor=actor, now=now
        ),
        said="异常已处理。",
    )


def own_parcel(number: str, actor: Actor) -> Parcel:
    """A parcel that leaves from here. Raises NotYours."""
    found = find_parcel(number, actor, "parcel.pack")
    if not is_sender(actor, found):
        raise NotYours
    return found


def _act(
    request: HttpRequest, actor: Actor, number: str, *, at: str, act: Callable[[], object], said: str
) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        at=at,
        back=f"{reverse('parcel', args=[number])}#{at}",
        refused=lambda fault: render_parcel(request, actor, number, fault=fault),
    )


def _grams(text: str) -> int:
    if not text.strip().isdecimal():
        raise Refused("weight", "请输入称得的重量，单位为克，只填整数。")
    return int(text)


def _millimetres(text: str) -> int:
    """A side in whole centimetres; nothing typed is not measured. Raises Refused."""
    if not (text.strip() or "0").isdecimal():
        raise Refused("side", "长、宽、高请填整厘米数；不量尺寸就留空。")
    return int(text.strip() or "0") * 10
