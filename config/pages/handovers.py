"""交接清单: gathering parcels for a carrier's collector, the signature on screen or paper, and what is added later."""

from collections.abc import Callable

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.custody import scanned
from config.pages.frame import Fault, Typed, page
from config.pages.images import READABLE, stored_jpeg
from config.pages.incoming import paper_on_disk
from config.pages.keyset import newest_first
from config.pages.parcels import find_parcel
from config.pages.policy import with_camera
from logistics.models import Carrier, HandoverEntry, HandoverLine, HandoverList, Waybill
from logistics.rules.handovers import PAD_HEIGHT, PAD_WIDTH, EntryKind, HandoverState, Signing
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.services.handover_entries import attach_sheet, correct_list
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
from registry.actors import Actor
from registry.paper.issue import slip_pdf
from registry.permissions import NotYours, visible, yours
from storage.downloads import download
from storage.errors import Refused

PAGE_SIZE = 40


@page("parcel.hand_over")
def handovers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The lists of this window or office, newest first; by POST a list is opened for a carrier."""
    fault = None
    if request.method == "POST":
        carrier = Carrier.objects.filter(code=request.POST.get("carrier", ""), active=True).first()
        if carrier is not None:
            return redirect(
                "handover", number=open_list(carrier=carrier, actor=actor, now=timezone.now()).number
            )
        fault = Fault("open", "请选择来揽收的承运商。")
    rows = visible(actor, "parcel.hand_over", HandoverList.objects.select_related("carrier"))
    rows = rows.annotate(
        count=Count("lines", filter=Q(lines__stands=True)),
        weight=Sum("lines__weight_g", filter=Q(lines__stands=True)),
    )
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": part.rows,
        "next": part.next,
        "carriers": list(Carrier.objects.filter(active=True).order_by("name")),
        "fault": fault,
    }
    return render(request, "parcel/handovers.html", context, status=409 if fault else 200)


@page("parcel.hand_over")
def handover(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """One list: scanning parcels onto it, and how it was signed. By POST a code is scanned."""
    shown = find_list(number, actor)
    if request.method != "POST":
        return _shown(request, shown)
    try:
        line = list_parcel(handover=shown, token=scanned(request), actor=actor, now=timezone.now())
    except NotYours:
        return _shown(request, shown, Fault("scan", "没有找到这个寄件，或它不是从这里寄出的。"))
    except Refused as refused:
        return _shown(request, shown, Fault.of(refused, "scan"))
    count = shown.lines.filter(stands=True, position__lte=line.position).count()
    messages.success(request, f"第 {count} 件：{line.parcel.number} 已列入。", extra_tags="scan")
    return redirect("handover", number=number)


@require_POST
@page("parcel.hand_over")
def take_off_handover(request: HttpRequest, actor: Actor, number: str, parcel: str) -> HttpResponse:
    shown, gone = find_list(number, actor), find_parcel(parcel, actor, "parcel.hand_over")
    return _act(
        request,
        actor,
        shown,
        at="lines",
        act=lambda: take_off(handover=shown, parcel=gone, actor=actor, now=timezone.now()),
        said=f"{gone.number} 已从清单移除，仍在这里。",
    )


@require_POST
@page("parcel.hand_over")
def drop_handover(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown = find_list(number, actor)
    return _act(
        request,
        actor,
        shown,
        at="lines",
        act=lambda: drop_list(handover=shown, actor=actor, now=timezone.now()),
        said="清单已作废，各件仍在这里。",
    )


@require_POST
@page("parcel.hand_over")
def sign_handover(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The collector's signature: drawn on the screen, or given on the printed list."""
    shown, now = find_list(number, actor), timezone.now()
    collector = request.POST.get("collector", "")
    seen = request.POST.get("version", "")
    version = int(seen) if seen.isdecimal() else -1

    def sign() -> None:
        if request.POST.get("signing") == Signing.PAPER:
            sign_on_paper(handover=shown, collector=collector, version=version, actor=actor, now=now)
        else:
            sign_on_screen(
                handover=shown,
                collector=collector,
                drawn=request.POST.get("drawn", ""),
                version=version,
                actor=actor,
                now=now,
            )

    return _act(request, actor, shown, at="sign", act=sign, said="已签收，清单内各件已交给承运商。")


@require_POST
@page("parcel.hand_over")
def print_handover(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The list as a PDF for both signatures; the same lines give the same paper."""
    shown = find_list(number, actor)
    try:
        slip = print_list(handover=shown, actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        return _shown(request, shown, Fault.of(refused, "sign"))
    response = HttpResponse(slip_pdf(slip), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{shown.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@page("parcel.hand_over")
def attach_handover(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """A scan or photo of the signed sheet."""
    shown = find_list(number, actor)

    def attach() -> None:
        sheet = request.FILES.get("sheet")
        if not isinstance(sheet, UploadedFile):
            raise Refused("sheet_missing", "请选择签字件的扫描件或照片。")
        with paper_on_disk(sheet) as path:
            attach_sheet(handover=shown, path=path, actor=actor, now=timezone.now())

    return _act(request, actor, shown, at="entries", act=attach, said="签字件已附上。")


@require_POST
@page("parcel.hand_over")
def correct_handover(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown = find_list(number, actor)
    words = request.POST.get("words", "")
    return _act(
        request,
        actor,
        shown,
        at="entries",
        act=lambda: correct_list(handover=shown, words=words, actor=actor, now=timezone.now()),
        said="更正已登记，原清单不变。",
    )


@page("parcel.hand_over")
def handover_signature(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """What the collector drew on the screen."""
    shown = find_list(number, actor)
    if shown.signature is None:
        raise Refused("not_signed_on_screen", "这份清单不是在屏幕上签名的。")
    return download(shown.signature, f"{shown.number}.png", inline=True)


@page("parcel.hand_over")
def handover_sheet(request: HttpRequest, actor: Actor, number: str, entry: int) -> HttpResponse:
    """A page of the signed sheet, drawn for the screen."""
    entries = HandoverEntry.objects.filter(handover=find_list(number, actor), pk=entry)
    found = entries.select_related("stored").first()
    if found is None or found.stored is None:
        raise NotYours
    return stored_jpeg(request, found.stored, found.rotation, READABLE)


def find_list(number: str, actor: Actor) -> HandoverList:
    """The list, if it was made at this reader's window or office. Raises NotYours."""
    rows = visible(actor, "parcel.hand_over", HandoverList.objects.filter(number=number))
    return yours(rows.select_related("carrier", "signature"))


def _act(
    request: HttpRequest,
    actor: Actor,
    shown: HandoverList,
    *,
    at: str,
    act: Callable[[], object],
    said: str,
) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        back=f"{reverse('handover', args=[shown.number])}#{at}",
        refused=lambda fault: _shown(request, find_list(shown.number, actor), fault),
        at=at,
    )


def _shown(request: HttpRequest, shown: HandoverList, fault: Fault | None = None) -> HttpResponse:
    lines = list(shown.lines.filter(stands=True).select_related("parcel").order_by("position"))
    entries = list(shown.entries.all())
    context = {
        "handover": shown,
        "lines": lines,
        "originals": sum(line.originals for line in lines),
        "weight": sum(line.weight_g for line in lines),
        "waiting": _waiting(shown) if shown.state == HandoverState.OPEN else [],
        "printed": slip_of(shown),
        "entries": entries,
        "sheets": [entry for entry in entries if entry.kind == EntryKind.SHEET],
        "open": shown.state == HandoverState.OPEN,
        "signed": shown.state == HandoverState.SIGNED,
        "pad": (PAD_WIDTH, PAD_HEIGHT),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return with_camera(render(request, "parcel/handover.html", context, status=409 if fault else 200))


def _waiting(shown: HandoverList) -> list[Waybill]:
    """Parcels with a waybill of this carrier that lie here and were not scanned: they stay out of the list."""
    listed = HandoverLine.objects.filter(parcel=OuterRef("parcel"), stands=True)
    waybills = Waybill.objects.filter(
        ~Exists(listed),
        state=WaybillState.BOOKED.value,
        carrier=shown.carrier,
        parcel__state=ParcelState.SEALED.value,
        parcel__sender_kind=shown.sender_kind,
        parcel__sender_id=shown.sender_id,
    )
    return list(waybills.select_related("parcel").order_by("parcel__sealed_at", "pk"))
