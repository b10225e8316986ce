"""资费: contracts in and out as workbooks, and what a parcel would cost."""

from datetime import date

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from config.pages.incoming import table_on_disk
from logistics.models import Carrier, TariffContract
from logistics.postage.services import (
    TariffImport,
    end_tariff,
    export_tariff,
    import_tariff,
    quote_price,
)
from logistics.rules.tariffs import Consignment, Quote
from registry.actors import Actor
from registry.models import Region, ServiceCentre
from registry.permissions import NotYours, visible, yours
from registry.time import local_day
from storage.errors import Refused

FILE_MAX_BYTES = 8 << 20
FAULTS_SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@page("tariff.edit")
def tariffs(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The contracts of the own centre, a place to take one in, and a quote (in the address, so it can be sent on)."""
    if request.method == "POST":
        return _take_in(request, actor)
    if "weight" in request.GET:
        return _quote(request, actor)
    return _show(request, actor)


def _take_in(request: HttpRequest, actor: Actor) -> HttpResponse:
    try:
        made = _import(request, actor)
    except NotYours:
        raise
    except Refused as refused:
        return _show(request, actor, fault=Fault.of(refused, "import"))
    return _show(request, actor, made=made)


def _import(request: HttpRequest, actor: Actor) -> TariffImport:
    carrier = Carrier.objects.filter(code=request.POST.get("carrier", "")).first()
    file = request.FILES.get("file")
    if carrier is None or not isinstance(file, UploadedFile):
        raise Refused("tariff_choice", "请选择承运商和资费文件。")
    too_large = Refused("tariff_too_large", "资费文件超过 8 MB，请核对是否选错了文件。")
    with table_on_disk(file, most_bytes=FILE_MAX_BYTES, too_large=too_large) as path:
        return import_tariff(
            path=path,
            carrier=carrier,
            centre=_centre(actor),
            dry_run=request.POST.get("act") != "import",
            actor=actor,
            now=timezone.now(),
        )


def _quote(request: HttpRequest, actor: Actor) -> HttpResponse:
    told = request.GET
    try:
        contract, quoted = quote_price(
            carrier=_carrier(told.get("carrier", "")),
            centre=_centre(actor),
            consignment=Consignment(
                origin=_region(told.get("origin", "")),
                destination=_region(told.get("destination", "")),
                weight_g=_whole(told.get("weight", "")),
                sides_mm=(
                    _whole(told.get("length") or "0"),
                    _whole(told.get("width") or "0"),
                    _whole(told.get("height") or "0"),
                ),
                extras=frozenset(told.getlist("extra")),
            ),
            on=local_day(timezone.now()),
            actor=actor,
        )
    except NotYours:
        raise
    except Refused as refused:
        return _show(request, actor, fault=Fault.of(refused, "quote"))
    return _show(request, actor, quoted=(contract, quoted))


@require_POST
@page("tariff.edit")
def tariff_end(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found, now = _contract(pk, actor), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: end_tariff(contract=found, on=_day(request.POST.get("on", "")), actor=actor, now=now),
        said="已登记终止日期。",
        at="contracts",
        back=f"{reverse('tariffs')}#contracts",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


@page("tariff.edit")
def tariff_file(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The contract as the workbook that can be changed and taken in again."""
    response = HttpResponse(export_tariff(contract=_contract(pk, actor), actor=actor), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="tariff-{pk}.xlsx"'
    response["Cache-Control"] = "private, no-store"
    return response


def _show(
    request: HttpRequest,
    actor: Actor,
    *,
    fault: Fault | None = None,
    made: TariffImport | None = None,
    quoted: tuple[TariffContract, Quote] | None = None,
) -> HttpResponse:
    rows = visible(actor, "tariff.edit", TariffContract.objects.select_related("carrier"))
    context = {
        "rows": list(rows.prefetch_related("zones").order_by("carrier__name", "product", "-valid_from")),
        "carriers": list(Carrier.objects.filter(active=True).order_by("name")),
        "carrier": request.POST.get("carrier") or request.GET.get("carrier", ""),
        "made": made,
        "faults": made.faults[:FAULTS_SHOWN] if made else (),
        "quoted": quoted,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    refused = fault or (made and made.faults)
    return render(request, "finance/tariffs.html", context, status=409 if refused else 200)


def _contract(pk: int, actor: Actor) -> TariffContract:
    rows = visible(actor, "tariff.edit", TariffContract.objects.filter(pk=pk))
    return yours(rows.select_related("carrier"))


def _centre(actor: Actor) -> ServiceCentre:
    return yours(ServiceCentre.objects.filter(pk=actor.centre_id or 0))


def _carrier(code: str) -> Carrier:
    carrier = Carrier.objects.filter(code=code).first()
    if carrier is None:
        raise Refused("quote_carrier", "请选择承运商。")
    return carrier


def _region(text: str) -> str:
    """A region by code or name."""
    found = list(Region.objects.filter(code=text.strip())[:1]) or list(
        Region.objects.filter(name=text.strip())[:2]
    )
    if len(found) != 1:
        raise Refused("quote_region", f"没有找到唯一的地区“{text[:20]}”，请填写区划代码。")
    return str(found[0].code)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 1_000_000:
        raise Refused("quote_number", "重量（克）和边长（毫米）应为整数。")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise Refused("bad_date", "请填写日期，如“2026-01-01”。") from fault
