"""办事指南: what anybody may read of an item, without a login, on screen and on paper."""

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from ingest.services.lawful import item_facts
from ingest.services.tallying import satisfaction_with
from registry.braking import Brake, TooOften
from registry.callers import caller_address
from registry.catalogue.entries import entries_of
from registry.catalogue.services import compare
from registry.models import ItemOffice, ServiceItem
from registry.paper.points import PointsSheet, points_pdf
from registry.rules import allowed_modes
from registry.rules.catalogue import paper_in_words
from registry.terms import Delivery
from registry.time import local_day

SHOWN = 60
PRINTING = Brake("guide-pdf", from_one=20, from_all=600)
"""A sheet is made for whoever asks, which takes a while: braked as everything that strangers may set off."""


def guides(request: HttpRequest) -> HttpResponse:
    """Every item of today by name, code, region or department."""
    text = request.GET.get("q", "").strip()
    items = ServiceItem.objects.in_force(local_day(timezone.now())).filter(negative=False)
    for word in text.split():
        items = items.filter(
            Q(name__icontains=word)
            | Q(code__icontains=word)
            | Q(region__name__icontains=word)
            | Q(lead_department__icontains=word)
        )
    found = list(items.select_related("region").order_by("region", "code")[: SHOWN + 1])
    context = {"rows": found[:SHOWN], "more": len(found) > SHOWN, "text": text}
    return render(request, "guide/list.html", context)


def guide(request: HttpRequest, code: str) -> HttpResponse:
    """One item: 标准统一、材料明晰、流程一致的办事指南 (taizhou-2021 §四(三)). `version` shows an older or a coming one."""
    versions = _versions(code)
    shown = _chosen(versions, request.GET.get("version", "")) or _today(versions)
    entry = entries_of([shown])[shown.code]
    offices = list(
        ItemOffice.objects.filter(item=shown)
        .select_related("office__region", "office__centre")
        .order_by("pk")
    )
    contacts = {row.office: row for row in entry.offices}
    context = {
        "item": shown,
        "entry": entry,
        "papers": [(paper, paper_in_words(paper)) for paper in entry.papers],
        "offices": [(row.office, contacts[row.office.code]) for row in offices],
        "modes": allowed_modes(item_facts(shown), offices=1),
        "deliveries": list(Delivery),
        "versions": versions,
        "today": local_day(timezone.now()),
        "grades": satisfaction_with(shown.code, local_day(timezone.now())),
    }
    return render(request, "guide/guide.html", context)


def guide_points(request: HttpRequest, code: str) -> HttpResponse:
    """PDF审批导图下载 (putian §五(二)): papers and review points of an item as a sheet to print and tick."""
    versions = _versions(code)
    shown = _chosen(versions, request.GET.get("version", "")) or _today(versions)
    try:
        PRINTING.count(caller=caller_address(request), now=timezone.now())
    except TooOften as fault:
        return render(request, "refused.html", {"fault": fault}, status=429)
    entry = entries_of([shown])[shown.code]
    content = points_pdf(
        PointsSheet(
            name=shown.name,
            code=shown.code,
            version=shown.version,
            effective_from=shown.effective_from,
            source=shown.source,
            papers=[(paper.name, paper_in_words(paper)) for paper in entry.papers],
            points=entry.points,
        )
    )
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="points-{shown.pk}.pdf"'
    response["Cache-Control"] = "public, max-age=3600"
    return response


def guide_versions(request: HttpRequest, code: str) -> HttpResponse:
    """What two versions say differently; without a choice the newest and the one before."""
    versions = _versions(code)
    new = _chosen(versions, request.GET.get("new", "")) or versions[0]
    old = _chosen(versions, request.GET.get("old", "")) or versions[min(1, len(versions) - 1)]
    context = {"versions": versions, "old": old, "new": new, "rows": compare(old=old, new=new)}
    return render(request, "guide/versions.html", context)


def _versions(code: str) -> list[ServiceItem]:
    found = list(ServiceItem.objects.filter(code=code).select_related("region").order_by("-version"))
    if not found:
        raise Http404
    return found


def _chosen(versions: list[ServiceItem], number: str) -> ServiceItem | None:
    return next((item for item in versions if str(item.version) == number), None)


def _today(versions: list[ServiceItem]) -> ServiceItem:
    today = local_day(timezone.now())
    open_now = (
        item
        for item in versions
        if item.effective_from <= today and (item.effective_to is None or item.effective_to >= today)
    )
    return next(open_now, versions[0])
