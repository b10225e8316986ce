"""交接 by scanning: handing parcels over to the courier, and receiving them against the packing list."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from config.pages.frame import Fault, page
from config.pages.parcel_ends import ends_of
from config.pages.parcels import find_parcel
from config.pages.uploads import on_disk
from ingest.inspect import inspect_file
from logistics.models import Parcel, ParcelItem
from logistics.rules.parcels import ParcelState
from logistics.services.custody import hand_over, hand_over_later, parcel_by_token, receive_parcel
from logistics.services.ends import is_receiver
from registry.actors import Actor
from registry.permissions import NotYours, visible
from storage.errors import Refused
from storage.scratch import scratch

PHOTO_MAX_BYTES = 30 << 20
QR = "QRCode"


class NoCode(Refused):
    """No code of ours on the photo."""


@page("parcel.hand_over")
def hand_over_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Scan labels one after another as the courier takes the parcels; each scan moves one parcel."""
    fault, moved = None, None
    if request.method == "POST":
        try:
            moved = hand_over(token=scanned(request), actor=actor, now=timezone.now())
        except NotYours:
            fault = Fault("scan", "没有找到这个寄件，或它不是从这里寄出的。")
        except Refused as refused:
            fault = Fault.of(refused, "scan")
        else:
            messages.success(request, f"{moved.number} 已交寄。", extra_tags="scan")
            return redirect("hand_over")
    waiting = list(
        visible(actor, "parcel.hand_over", Parcel.objects.filter(state=ParcelState.SEALED))
        .prefetch_related("waybills__carrier")
        .order_by("sealed_at", "pk")
    )
    ends = ends_of(waiting)
    context = {
        "rows": [(parcel, ends[parcel.pk]) for parcel in waiting],
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "parcel/hand_over.html", context, status=409 if fault else 200)


@require_POST
@page("parcel.hand_over")
def hand_over_later_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One scan that the page kept while the network was away: whether it counts, and what to say of it."""
    scanned_at = parse_datetime(request.POST.get("at", "")[:40])
    try:
        if scanned_at is None or scanned_at.tzinfo is None:
            raise NoCode("scan_time", "离线扫码没有时间，请重新扫码。")
        moved = hand_over_later(
            token=scanned(request), scanned_at=scanned_at, actor=actor, now=timezone.now()
        )
    except NotYours:
        return JsonResponse({"said": "没有找到这个寄件，或它不是从这里寄出的。"}, status=409)
    except Refused as refused:
        return JsonResponse({"said": refused.message}, status=503 if refused.can_retry else 409)
    messages.success(request, f"{moved.number} 已交寄（离线时扫码）。", extra_tags="scan")
    return JsonResponse({"said": f"{moved.number} 已交寄。"})


@page("parcel.receive")
def receive_scan(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Scan an arriving parcel to open its packing list."""
    fault = None
    if request.method == "POST":
        try:
            found = _arriving(parcel_by_token(scanned(request)).number, actor)
        except NotYours:
            fault = Fault("scan", "没有找到这个寄件，或它不是寄到这里的。")
        except Refused as refused:
            fault = Fault.of(refused, "scan")
        else:
            return redirect("receive", number=found.number)
    return render(request, "parcel/receive_scan.html", {"fault": fault}, status=409 if fault else 200)


@page("parcel.receive")
def receive(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Tick what is in the envelope; what is missing or extra opens an incident."""
    shown = _arriving(number, actor)
    fault = None
    if request.method == "POST":
        try:
            receive_parcel(
                parcel=shown,
                ticked=_ids(request, "original"),
                damaged=_ids(request, "damaged"),
                extra=_count(request.POST.get("extra", "")),
                actor=actor,
                now=timezone.now(),
            )
        except NotYours:
            raise
        except Refused as refused:
            fault = Fault.of(refused, "receive")
        else:
            messages.success(request, "已签收核对，原件已登记在此处。", extra_tags="next")
            return redirect(f"{reverse('parcel', args=[number])}#next")
    items = ParcelItem.objects.filter(parcel=shown, holds=True).select_related("original__case__item")
    context = {
        "parcel": shown,
        "ends": ends_of([shown])[shown.pk],
        "items": list(items.order_by("pk")),
        "ticked": request.POST.getlist("original"),
        "damaged": request.POST.getlist("damaged"),
        "extra": request.POST.get("extra", ""),
        "fault": fault,
    }
    return render(request, "parcel/receive.html", context, status=409 if fault else 200)


def _ids(request: HttpRequest, name: str) -> list[int]:
    return [int(pk) for pk in request.POST.getlist(name) if pk.isdecimal()]


def _arriving(number: str, actor: Actor) -> Parcel:
    """A parcel that this reader is the receiver of. Raises NotYours."""
    found = find_parcel(number, actor, "parcel.receive")
    if not is_receiver(actor, found):
        raise NotYours
    return found


def scanned(request: HttpRequest) -> str:
    """What the wedge scanner typed, or the code read off an uploaded photo."""
    photo = request.FILES.get("photo")
    if isinstance(photo, UploadedFile):
        return _code_on(photo)
    text = request.POST.get("code", "").strip()
    if not text:
        raise NoCode("no_code", "请扫描面单上的二维码，或上传一张面单照片。")
    return text


def _code_on(photo: UploadedFile[bytes]) -> str:
    """The code on a stranger's photo, read in a limited child; the photo itself is kept nowhere."""
    if (photo.size or 0) > PHOTO_MAX_BYTES:
        raise NoCode("photo_too_large", "照片超过 30 MB，请改用较小的照片。")
    with on_disk(photo) as path, scratch("photo") as folder:
        found = inspect_file(path, folder, codes=True, most_pages=1)
    if found.refused:
        raise NoCode("photo_unreadable", f"照片打不开：{found.reason}")
    text = next((code.text for page in found.pages for code in page.codes if code.format == QR), None)
    if text is None:
        raise NoCode("no_code", "照片上没有读到二维码，请靠近一些、避开反光后重拍。")
    return text


def _count(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0
