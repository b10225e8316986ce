"""结算: a month is prepared by one finance officer and approved by another; then it stands with its files."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.finance import LINES_SHOWN, PAGE_SIZE
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from logistics.models import Carrier, Settlement, SettlementLine, SettlementProposal
from logistics.postage.services import (
    approve_settlement,
    draft_month,
    prepare_month,
    return_settlement,
    settlement_json,
)
from logistics.postage.settlement_files import CASE, ITEM, OFFICE, totals_by
from logistics.rules.settling import ProposalState
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, visible, yours
from registry.time import local_day
from storage.downloads import download
from storage.errors import Refused


@page("settlement.see")
def settlements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The settled months of the own centre, those that wait for a second person, and preparing the next."""
    if request.method == "POST":
        return _prepare(request, actor)
    return _show_settlements(request, actor)


def _prepare(request: HttpRequest, actor: Actor) -> HttpResponse:
    carrier = Carrier.objects.filter(code=request.POST.get("carrier", "")).first()
    centre = ServiceCentre.objects.filter(pk=actor.centre_id or 0).first()
    if carrier is None or centre is None:
        return _show_settlements(request, actor, fault=Fault("prepare", "请选择承运商。"))
    try:
        made = prepare_month(
            centre=centre,
            carrier=carrier,
            month=request.POST.get("month", ""),
            actor=actor,
            now=timezone.now(),
        )
    except NotYours:
        raise
    except Refused as refused:
        return _show_settlements(request, actor, fault=Fault.of(refused, "prepare"))
    return redirect("proposal", pk=made.pk)


def _show_settlements(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    rows = visible(actor, "settlement.see", Settlement.objects.select_related("carrier", "workbook", "paper"))
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    waiting = visible(actor, "settlement.see", SettlementProposal.objects.select_related("carrier"))
    context = {
        "rows": part.rows,
        "next": part.next,
        "waiting": list(waiting.filter(state=ProposalState.PREPARED.value).order_by("month", "pk")),
        "me": actor.id,
        "carriers": list(Carrier.objects.filter(active=True).order_by("name")),
        "month": request.POST.get("month") or f"{local_day(timezone.now()):%Y-%m}",
        "carrier": request.POST.get("carrier", ""),
        "fault": fault,
    }
    return render(request, "finance/settlements.html", context, status=409 if fault else 200)


@page("settlement.see")
def proposal(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _show_proposal(request, actor, pk)


def _show_proposal(request: HttpRequest, actor: Actor, pk: int, fault: Fault | None = None) -> HttpResponse:
    """A prepared month as it would be frozen, for the second person to look at."""
    shown = _proposal(pk, actor)
    waits = shown.state == ProposalState.PREPARED
    draft = draft_month(centre=shown.centre, carrier=shown.carrier, month=shown.month) if waits else None
    context = {
        "proposal": shown,
        "draft": draft,
        "offices": sorted(draft.offices.values(), key=lambda office: office.name) if draft else (),
        "changed": draft is not None and draft.digest != shown.digest,
        "mine": shown.prepared_by_id == actor.id,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "finance/proposal.html", context, status=409 if fault else 200)


@require_POST
@page("settlement.approve")
def approve(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    try:
        made = approve_settlement(proposal=_proposal(pk, actor), actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        return _show_proposal(request, actor, pk, Fault.of(refused, "approve"))
    return redirect("settlement", number=made.number)


@require_POST
@page("settlement.approve")
def send_back(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    shown, now = _proposal(pk, actor), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: return_settlement(
            proposal=shown, reason=request.POST.get("reason", ""), actor=actor, now=now
        ),
        said="已退回，可以重新编制。",
        at="approve",
        back=reverse("proposal", args=[pk]),
        refused=lambda fault: _show_proposal(request, actor, pk, fault),
    )


@page("settlement.see")
def settlement(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    shown = _settlement(number, actor)
    groups = [
        (group.title, group.none, totals_by(shown, group)[: 2 * LINES_SHOWN])
        for group in (OFFICE, ITEM, CASE)
    ]
    lines = SettlementLine.objects.filter(settlement=shown).order_by("position")
    context = {"settlement": shown, "groups": groups, "lines": list(lines[: 2 * LINES_SHOWN])}
    return render(request, "finance/settlement.html", context)


@page("settlement.see")
def settlement_file(request: HttpRequest, actor: Actor, number: str, form: str) -> HttpResponseBase:
    """The workbook, the signed PDF, or the same for programs."""
    shown = _settlement(number, actor)
    if form == "json":
        response = JsonResponse(settlement_json(shown), json_dumps_params={"ensure_ascii": False})
        response["Content-Disposition"] = f'attachment; filename="{shown.number}.json"'
        response["Cache-Control"] = "private, no-store"
        return response
    stored = {"xlsx": shown.workbook, "pdf": shown.paper}.get(form)
    if stored is None:
        raise Refused("file_not_ready", "文件还在生成，请稍后再下载。", can_retry=True)
    return download(stored, f"{shown.number}.{form}")


def _settlement(number: str, actor: Actor) -> Settlement:
    rows = visible(actor, "settlement.see", Settlement.objects.filter(number=number))
    return yours(rows.select_related("carrier", "centre", "workbook", "paper"))


def _proposal(pk: int, actor: Actor) -> SettlementProposal:
    rows = visible(actor, "settlement.see", SettlementProposal.objects.filter(pk=pk))
    return yours(rows.select_related("carrier", "centre", "settlement"))
