"""寄件: the list, one parcel with its contents and way, packing, sealing, waybill and label."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.case_sheet import find_case
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from config.pages.packing import leg_choices, packable
from config.pages.parcel_ends import ends_of
from ingest.models import Original
from logistics.models import Carrier, Incident, Parcel, ParcelItem, Waybill
from logistics.postage.payment import decide_payment
from logistics.rules.parcels import ON_THE_ROAD, Party, ParcelState, open_acts
from logistics.rules.payers import Decision
from logistics.services.custody import confirm_delivery, report_lost
from logistics.services.ends import is_receiver, is_sender
from logistics.services.incidents import resolve_incident
from logistics.services.ordering import order_waybill
from logistics.services.parcels import cancel_parcel, pack, remove_original, seal_parcel, unseal_parcel
from logistics.services.timeline import timeline
from logistics.services.waybills import cancel_waybill
from registry.actors import Actor
from registry.permissions import NotYours, may, visible
from registry.terms import Role
from registry.time import local_day
from storage.errors import Refused

PAGE_SIZE = 40
WAYS = {"in": "寄来", "out": "寄出"}
PHASES = {
    "open": ("未寄出", [ParcelState.PACKING.value, ParcelState.SEALED.value]),
    "road": ("在途", sorted(ON_THE_ROAD)),
    "ended": (
        "已结束",
        [each.value for each in (ParcelState.RECEIVED, ParcelState.RETURNED, ParcelState.LOST, ParcelState.CANCELLED)],
    ),
}


@dataclass(frozen=True)
class Acts:
    """What this reader may do with the parcel now."""

    sender: bool
    receiver: bool
    open: frozenset[str]
    has_waybill: bool

    @property
    def may_pack(self) -> bool:
        return self.sender and "seal" in self.open

    @property
    def may_unseal(self) -> bool:
        return self.sender and "unseal" in self.open and not self.has_waybill

    @property
    def may_cancel(self) -> bool:
        return self.sender and "cancel" in self.open and not self.has_waybill

    @property
    def may_book(self) -> bool:
        return self.sender and "hand_over" in self.open and not self.has_waybill

    @property
    def may_hand_over(self) -> bool:
        return self.sender and "hand_over" in self.open and self.has_waybill

    @property
    def may_receive(self) -> bool:
        return self.receiver and "receive" in self.open

    @property
    def may_report_lost(self) -> bool:
        return "report_lost" in self.open


@page("parcel.see")
def parcels(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Parcels at either end, newest first; an office looks first at what comes in."""
    way = request.GET.get("way") or ("in" if actor.role == Role.OFFICER else "out")
    phase = request.GET.get("phase") or ("road" if actor.role == Role.OFFICER else "")
    rows = visible(actor, "parcel.see", Parcel.objects.all())
    here = {
        Role.CLERK.value: (Party.WINDOW.value, actor.window_id),
        Role.OFFICER.value: (Party.OFFICE.value, actor.office_id),
    }.get(actor.role, ("", None))
    end = "receiver" if way == "in" else "sender"
    rows = rows.filter(**{f"{end}_kind": here[0], f"{end}_id": here[1]})
    if phase in PHASES:
        rows = rows.filter(state__in=PHASES[phase][1])
    rows = rows.annotate(count=Count("items")).prefetch_related(
        Prefetch("waybills", Waybill.objects.select_related("carrier").order_by("-pk"))
    )
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [(parcel, ends_of(part.rows)[parcel.pk]) for parcel in part.rows],
        "next": part.next,
        "way": way,
        "phase": phase,
        "ways": WAYS.items(),
        "phases": [(value, label) for value, (label, _) in PHASES.items()],
        "title": "待收件" if actor.role == Role.OFFICER else "寄件",
    }
    template = "parcel/_list.html" if request.headers.get("HX-Target") == "list" else "parcel/list.html"
    return render(request, template, context)


@page("parcel.see")
def parcel(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    return render_parcel(request, actor, number)


def render_parcel(
    request: HttpRequest, actor: Actor, number: str, *, fault: Fault | None = None
) -> HttpResponse:
    """The parcel's page, with a fault beside the act that was refused."""
    shown = find_parcel(number, actor)
    waybill = shown.waybills.select_related("carrier", "account").order_by("-pk").first()
    living = waybill is not None and waybill.state in ("requested", "booked", "cancelling")
    acts = Acts(
        sender=may(actor, "parcel.pack") and is_sender(actor, shown),
        receiver=may(actor, "parcel.receive") and is_receiver(actor, shown),
        open=frozenset(open_acts(shown.state)),
        has_waybill=living,
    )
    items = list(ParcelItem.objects.filter(parcel=shown).select_related("original__case__item").order_by("pk"))
    context: dict[str, Any] = {
        "parcel": shown,
        "ends": ends_of([shown])[shown.pk],
        "items": items,
        "waybill": waybill,
        "story": timeline(parcel=shown, actor=actor),
        "acts": acts,
        "incidents": list(Incident.objects.filter(parcel=shown).select_related("original").order_by("-pk")),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
        "to_applicant": shown.receiver_kind == Party.APPLICANT,
        "delivered": shown.state == ParcelState.DELIVERED,
    }
    if acts.may_book or acts.may_pack:
        context["decision"], context["no_payer"] = _decision(shown, timezone.now())
        context["carriers"] = list(Carrier.objects.filter(active=True).order_by("name"))
    return render(request, "parcel/parcel.html", context, status=409 if fault else 200)


@page("parcel.pack")
def pack_case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Choose what leaves, on which leg and to whom; the parcel is made in one call."""
    case = find_case(number, actor)
    legs = leg_choices(case, actor)
    if request.method == "GET":
        return _render_packing(request, actor, case, legs)
    chosen = next((leg for leg in legs if leg.key == request.POST.get("leg")), None)
    picked = [int(pk) for pk in request.POST.getlist("original") if pk.isdecimal()]
    originals = list(visible(actor, "original.see", Original.objects.filter(pk__in=picked, case=case)))
    now = timezone.now()
    try:
        if chosen is None or not originals:
            raise Refused("packing_choice", "请选择寄往哪里，并勾选要装入的原件。")
        made = pack(
            leg=chosen.leg,
            sender=chosen.sender,
            receiver=chosen.receiver,
            originals=originals,
            actor=actor,
            now=now,
        )
    except NotYours:
        raise
    except Refused as refused:
        return _render_packing(request, actor, case, legs, fault=Fault.of(refused, "pack"))
    return redirect("parcel", number=made.number)


def _render_packing(
    request: HttpRequest, actor: Actor, case: Any, legs: list[Any], fault: Fault | None = None
) -> HttpResponse:
    picked = request.POST.getlist("original")
    context = {
        "case": case,
        "legs": legs,
        "leg": request.POST.get("leg") or (legs[0].key if legs else ""),
        "originals": [
            (original, not fault or str(original.pk) in picked) for original in packable(case, actor)
        ],
        "fault": fault,
    }
    return render(request, "parcel/pack.html", context, status=409 if fault else 200)


@require_POST
@page("parcel.pack")
def seal(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown, now = find_parcel(number, actor), timezone.now()

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
    shown, now = find_parcel(number, actor), timezone.now()
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
    shown, now = find_parcel(number, actor), timezone.now()
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
def remove(request: HttpRequest, actor: Actor, number: str, pk: int) -> HttpResponse:
    shown, now = find_parcel(number, actor), timezone.now()
    original = visible(actor, "original.see", Original.objects.filter(pk=pk)).first()
    if original is None:
        raise NotYours
    return _act(
        request,
        actor,
        number,
        at="contents",
        act=lambda: remove_original(parcel=shown, original=original, actor=actor, now=now),
        said="已从清单取出。",
    )


@require_POST
@page("parcel.pack")
def book(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Order a waybill on the account of whoever pays; or follow one that was written elsewhere."""
    shown, now = find_parcel(number, actor), timezone.now()

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
    shown, now = find_parcel(number, actor), timezone.now()
    waybill = shown.waybills.filter(state="booked").first()
    if waybill is None:
        raise NotYours
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
def resolve(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    incident = visible(actor, "incident.report", Incident.objects.filter(pk=pk)).select_related("parcel").first()
    if incident is None:
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


def find_parcel(number: str, actor: Actor, act: str = "parcel.see") -> Parcel:
    """The parcel, if the actor may do `act` to it. Raises NotYours."""
    found = visible(actor, act, Parcel.objects.filter(number=number)).first()
    if found is None:
        raise NotYours
    return found


def _act(request: HttpRequest, actor: Actor, number: str, *, at: str, act: Any, said: str) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        at=at,
        back=f"{reverse('parcel', args=[number])}#{at}",
        refused=lambda fault: render_parcel(request, actor, number, fault=fault),
    )


def _decision(shown: Parcel, now: datetime) -> tuple[Decision | None, str]:
    """Who would pay, or why nobody can be named yet."""
    try:
        return decide_payment(parcel=shown, on=local_day(now)), ""
    except Refused as refused:
        return None, refused.message


def _grams(text: str) -> int:
    if not text.strip().isdecimal():
        raise Refused("weight", "请输入称得的重量，单位为克，只填整数。")
    return int(text)


def _millimetres(text: str) -> int:
    return int(text) * 10 if text.strip().isdecimal() else 0


