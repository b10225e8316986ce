"""寄件: the list, one parcel with its contents and way, packing, sealing, waybill and label."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from config.pages.parcel_ends import ends_of
from logistics.models import Carrier, Incident, Parcel, ParcelItem, Waybill
from logistics.postage.services import decide_payment, hint_of, offers
from logistics.rules.parcels import ON_THE_ROAD, REPORTED_BY_HAND, IncidentKind, ParcelState, Party, open_acts
from logistics.rules.payers import Decision
from logistics.rules.tracking import COMING_BACK
from logistics.services.ends import is_receiver, is_sender
from logistics.services.listed import list_of
from logistics.services.scales import weight_here
from logistics.services.timeline import timeline
from logistics.services.tracking import is_reported_delivered
from registry.actors import Actor
from registry.models import Slip
from registry.permissions import may, visible, yours
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
        [
            each.value
            for each in (ParcelState.RECEIVED, ParcelState.RETURNED, ParcelState.LOST, ParcelState.CANCELLED)
        ],
    ),
}


@dataclass(frozen=True)
class Acts:
    """What this reader may do with the parcel now."""

    sender: bool
    receiver: bool
    open: frozenset[str]
    has_waybill: bool
    from_applicant: bool

    @property
    def may_call_off(self) -> bool:
        return self.receiver and self.from_applicant and "call_off" in self.open

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
    def may_take_back(self) -> bool:
        return self.sender and "take_back" in self.open

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
        "title": "寄件" if way != "in" else "待收件" if actor.role == Role.OFFICER else "寄来的件",
    }
    template = "parcel/_list.html" if request.headers.get("HX-Target") == "list" else "parcel/list.html"
    return render(request, template, context)


@page("parcel.see")
def parcel(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    return render_parcel(request, actor, number)


def render_parcel(
    request: HttpRequest, actor: Actor, number: str, *, fault: Fault | None = None, ask: str = ""
) -> HttpResponse:
    """The parcel's page, with a fault beside the act that was refused; the carrier `ask` is asked for its price."""
    shown = find_parcel(number, actor)
    waybill = shown.waybills.select_related("carrier", "account").order_by("-pk").first()
    living = waybill is not None and waybill.state in ("requested", "booked", "cancelling")
    acts = Acts(
        sender=may(actor, "parcel.pack") and is_sender(actor, shown),
        receiver=may(actor, "parcel.receive") and is_receiver(actor, shown),
        open=frozenset(open_acts(shown.state)),
        has_waybill=living,
        from_applicant=shown.is_from_applicant,
    )
    items = list(
        ParcelItem.objects.filter(parcel=shown).select_related("original__case__item").order_by("pk")
    )
    context: dict[str, Any] = {
        "parcel": shown,
        "ends": ends_of([shown])[shown.pk],
        "items": items,
        "waybill": waybill,
        "handover": list_of(shown),
        "story": timeline(parcel=shown, actor=actor),
        "acts": acts,
        "incidents": list(Incident.objects.filter(parcel=shown).select_related("original").order_by("-pk")),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
        "to_applicant": shown.receiver_kind == Party.APPLICANT,
        "delivered": is_reported_delivered(shown),
        "hint": hint_of(shown),
        "may_report": may(actor, "incident.report") and shown.handed_over_at is not None,
        "reported": [(kind.value, kind.label) for kind in IncidentKind if kind in REPORTED_BY_HAND],
        "slips": _slips(shown, actor),
        "coming_back": waybill is not None and waybill.latest_kind in COMING_BACK,
    }
    if acts.may_pack and fault is None:
        context["scale"] = weight_here(actor=actor, now=timezone.now())
    if acts.may_book or acts.may_pack:
        context["decision"], context["no_payer"] = _decision(shown, timezone.now())
        context["carriers"] = list(Carrier.objects.filter(active=True).order_by("name"))
    if acts.may_book and context["decision"]:
        context["offers"] = offers(parcel=shown, actor=actor, now=timezone.now(), ask=ask)
    return render(request, "parcel/parcel.html", context, status=409 if fault else 200)


def find_parcel(number: str, actor: Actor, act: str = "parcel.see") -> Parcel:
    """The parcel, if the actor may do `act` to it. Raises NotYours."""
    return yours(visible(actor, act, Parcel.objects.filter(number=number)))


def _slips(shown: Parcel, actor: Actor) -> list[Slip]:
    """Packing list and proof of delivery; of what was made anew after the bag was opened only the newest."""
    about = Slip.objects.filter(subject_type=shown._meta.label_lower, subject_id=str(shown.pk))
    newest = {slip.kind: slip for slip in visible(actor, "slip.print", about).order_by("revision", "pk")}
    return sorted(newest.values(), key=lambda slip: slip.pk)


def _decision(shown: Parcel, now: datetime) -> tuple[Decision | None, str]:
    """Who would pay, or why nobody can be named yet."""
    try:
        return decide_payment(parcel=shown, on=local_day(now)), ""
    except Refused as refused:
        return None, refused.message
