"""交接 by scanning: handing parcels over to the courier, and receiving them against the packing list."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from config.middleware import status_of
from config.pages.frame import Fault, ids_in, page
from config.pages.incoming import passing_on_disk
from config.pages.parcel_ends import ends_of
from config.pages.parcels import find_parcel
from config.pages.placed import placed
from config.pages.policy import with_camera
from config.pages.proofs import proof_in
from logistics.models import Parcel, Waybill
from logistics.rules.parcels import ON_THE_ROAD, ParcelState, WaybillState
from logistics.rules.tracking import COMING_BACK
from logistics.services.arriving import arriving_by_number
from logistics.services.custody import (
    arriving_items,
    elsewhere_items,
    hand_over,
    hand_over_later,
    parcel_by_token,
    receive_parcel,
    take_back,
)
from logistics.services.ends import is_receiver, is_sender
from logistics.services.pictures import NoCode, code_on, seen_by_camera
from logistics.services.weighing import pays_by_weight
from registry.actors import Actor
from registry.permissions import NotYours, visible
from storage.errors import Refused

PHOTO_MAX_BYTES = 30 << 20
FRAME_MAX_BYTES = 2 << 20
"""A picture of a live camera, 1280 pixels wide as JPEG, has a tenth of it."""


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
    return with_camera(render(request, "parcel/hand_over.html", context, status=409 if fault else 200))


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


@page("parcel.hand_over")
def take_back_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the courier brings back: each scan puts one parcel's originals into the sender's hands again."""
    fault = None
    if request.method == "POST":
        now = timezone.now()
        try:
            token = scanned(request)
            back = take_back(token=token, actor=actor, now=now, photo=proof_in(request, now))
        except NotYours:
            fault = Fault("scan", "没有找到这个寄件，或它不是从这里寄出的。")
        except Refused as refused:
            fault = Fault.of(refused, "scan")
        else:
            messages.success(request, f"{back.number} 已收回，原件在本处。", extra_tags="scan")
            return redirect("take_back_parcel")
    coming = returning(actor)
    ends = ends_of(coming)
    context = {
        "rows": [(parcel, ends[parcel.pk]) for parcel in coming],
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    return with_camera(render(request, "parcel/take_back.html", context, status=409 if fault else 200))


def returning(actor: Actor) -> list[Parcel]:
    """Parcels sent from here that the courier says come back, came back, or were refused."""
    coming = Waybill.objects.filter(
        parcel=OuterRef("pk"), state=WaybillState.BOOKED.value, latest_kind__in=sorted(COMING_BACK)
    )
    sent = Parcel.objects.filter(Exists(coming), state__in=[*ON_THE_ROAD, ParcelState.LOST.value])
    rows = visible(actor, "parcel.hand_over", sent).prefetch_related("waybills__carrier")
    return [parcel for parcel in rows.order_by("handed_over_at", "pk") if is_sender(actor, parcel)]


@require_POST
@page("parcel.hand_over", "parcel.receive")
def read_frame(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The code on one picture of the live camera, empty while none is in view. It moves nothing: the form does."""
    frame = request.FILES.get("frame")
    try:
        if not isinstance(frame, UploadedFile) or (frame.size or 0) > FRAME_MAX_BYTES:
            raise NoCode("frame", "摄像头的画面没有传到，请关闭摄像头后再试。")
        with passing_on_disk(frame) as path:
            code = seen_by_camera(picture=path, actor=actor, now=timezone.now())
    except Refused as refused:
        return JsonResponse({"said": refused.message}, status=status_of(refused))
    return JsonResponse({"code": code})


@page("parcel.receive")
def receive_scan(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Scan an arriving parcel to open its packing list: our code, or the courier's on what an applicant sent."""
    fault = None
    if request.method == "POST":
        try:
            text = scanned(request)
            by_number = arriving_by_number(text=text, actor=actor)
            found = by_number or _arriving(parcel_by_token(text).number, actor)
        except NotYours:
            fault = Fault("scan", "没有找到这个寄件，或它不是寄到这里的。")
        except Refused as refused:
            fault = Fault.of(refused, "scan")
        else:
            return redirect("receive", number=found.number)
    return with_camera(
        render(request, "parcel/receive_scan.html", {"fault": fault}, status=409 if fault else 200)
    )


@page("parcel.receive")
def receive(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Tick what is in the envelope; what is missing or extra opens an incident."""
    shown = _arriving(number, actor)
    fault = None
    if request.method == "GET" and shown.state == ParcelState.RECEIVED:
        messages.info(request, "这个寄件已经签收核对过，核对结果见清单。", extra_tags="next")
        return redirect(f"{reverse('parcel', args=[number])}#next")
    if request.method == "POST":
        try:
            now = timezone.now()
            receive_parcel(
                parcel=shown,
                ticked=ids_in(request.POST, "original"),
                damaged=ids_in(request.POST, "damaged"),
                extra=extra_count(request.POST.get("extra", "")),
                weight_g=arrival_weight(request.POST.get("weight", "")),
                photo=proof_in(request, now),
                actor=actor,
                now=now,
            )
        except NotYours:
            raise
        except Refused as refused:
            fault = Fault.of(refused, "receive")
        else:
            messages.success(request, "已签收核对，原件已登记在此处。", extra_tags="next")
            return redirect(f"{reverse('parcel', args=[number])}#next")
    items, elsewhere = arriving_items(shown), elsewhere_items(shown)
    context = {
        "parcel": shown,
        "ends": ends_of([shown])[shown.pk],
        "items": items,
        "packed": len(items) + len(elsewhere),
        "written_off": sum(not item.holds for item in items),
        "elsewhere": placed([item.original for item in elsewhere], actor),
        "ticked": request.POST.getlist("original"),
        "damaged": request.POST.getlist("damaged"),
        "extra": request.POST.get("extra", ""),
        "weigh": pays_by_weight(shown),
        "weight": request.POST.get("weight", ""),
        "fault": fault,
    }
    return render(request, "parcel/receive.html", context, status=409 if fault else 200)


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
    with passing_on_disk(_small_enough(photo)) as path:
        return code_on(photo=path)


def _small_enough(photo: UploadedFile[bytes]) -> UploadedFile[bytes]:
    if (photo.size or 0) > PHOTO_MAX_BYTES:
        raise Refused("photo_too_large", "照片超过 30 MB，请改用较小的照片。")
    return photo


def extra_count(text: str) -> int:
    """How many things lay beside the list; nothing typed is none. Raises Refused."""
    if not (text.strip() or "0").isdecimal():
        raise Refused("extra_count", "清单外的物品请只填件数，如 1；没有就留空。")
    return int(text.strip() or "0")


def arrival_weight(text: str) -> int | None:
    """What the scale showed, in grams; None where nothing was typed. Raises Refused."""
    if not (text.strip() or "0").isdecimal():
        raise Refused("arrival_weight", "重量请只填克数，如 320。")
    return int(text) if text.strip() else None
