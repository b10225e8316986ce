"""合作: the agreement table, the address book, what is overdue, the colours, and who is connected with whom."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from config.pages.naming import item_coded, region_named
from registry.actors import Actor
from registry.agreeing import (
    Connection,
    agreement_rows,
    end_agreement,
    export_cooperation,
    facts_in_force,
    set_index,
    set_thresholds,
    sign_agreement,
    update_directory,
    without_index,
)
from registry.models import Agreement, ColourPolicy, Contact, Region, RegionIndex
from registry.permissions import may, visible, yours
from registry.rules.cooperation import matrix
from registry.sheets.forms import day_of, whole_between
from registry.terms import Level
from registry.time import local_day

PAGE_SIZE = 40
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_INDEX = whole_between(0, 100)


@page("directory.see")
def agreements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """一表 and 一录; `late` keeps those whose address book is overdue."""
    return _show(request, actor)


@require_POST
@page("directory.edit")
def agreement_sign(request: HttpRequest, actor: Actor) -> HttpResponse:
    told, now = request.POST, timezone.now()

    def act() -> None:
        last = told.get("effective_to", "").strip()
        sign_agreement(
            region_a=region_named(told.get("region_a", "")),
            region_b=region_named(told.get("region_b", "")),
            signed_on=day_of(told.get("signed_on", "")),
            effective_from=day_of(told.get("effective_from", "") or told.get("signed_on", "")),
            effective_to=day_of(last) if last else None,
            shared_citywide=told.get("shared_citywide") == "1",
            items=[item_coded(code) for code in told.get("items", "").replace("、", " ").split()],
            connection=_connection(request),
            actor=actor,
            now=now,
        )

    return _act(request, actor, act, "协议已登记，请在 3 日内更新联络群、通讯录和合作表。", "sign")


@require_POST
@page("directory.edit")
def agreement_directory(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    agreement, now = _agreement(pk, actor), timezone.now()
    return _act(
        request,
        actor,
        lambda: update_directory(agreement=agreement, connection=_connection(request), actor=actor, now=now),
        "通讯录与合作表已更新。",
        "agreements",
    )


@require_POST
@page("directory.edit")
def agreement_end(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    agreement, now = _agreement(pk, actor), timezone.now()
    return _act(
        request,
        actor,
        lambda: end_agreement(
            agreement=agreement, on=day_of(request.POST.get("on", "")), actor=actor, now=now
        ),
        "已登记终止日期。",
        "agreements",
    )


@require_POST
@page("directory.edit")
def colour_thresholds(request: HttpRequest, actor: Actor) -> HttpResponse:
    told, now = request.POST, timezone.now()
    return _act(
        request,
        actor,
        lambda: set_thresholds(
            population=_INDEX(told.get("population", "")),
            cooperation=_INDEX(told.get("cooperation", "")),
            valid_from=day_of(told.get("valid_from", "")),
            source=told.get("source", ""),
            actor=actor,
            now=now,
        ),
        "分类标准已登记。",
        "colours",
    )


@require_POST
@page("directory.edit")
def region_index(request: HttpRequest, actor: Actor) -> HttpResponse:
    told, now = request.POST, timezone.now()
    return _act(
        request,
        actor,
        lambda: set_index(
            region=region_named(told.get("region", "")),
            population=_INDEX(told.get("population", "")),
            cooperation=_INDEX(told.get("cooperation", "")),
            valid_from=day_of(told.get("valid_from", "")),
            source=told.get("source", ""),
            actor=actor,
            now=now,
        ),
        "指数已登记。",
        "index",
    )


@page("directory.see")
def connections(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who may work with whom across province borders, by an agreement of their own or covered by one."""
    day = local_day(timezone.now())
    facts = facts_in_force(day)
    named = {code for each in facts for code in (each.region_a, each.region_b)}
    cities = {code[:4] for code in named}
    regions = [
        region
        for region in Region.objects.filter(level__in=[Level.CITY.value, Level.COUNTY.value])
        if region.code in named or region.code[:4] in cities
    ]
    home = request.GET.get("province", "") or (regions[0].code[:2] if regions else "")
    rows = [region for region in regions if region.code[:2] == home]
    columns = [region for region in regions if region.code[:2] != home]
    links = matrix([row.code for row in rows], [column.code for column in columns], facts)
    provinces = {region.code[:2] for region in regions}
    context = {
        "rows": list(zip(rows, links, strict=True)),
        "columns": columns,
        "home": home,
        "provinces": [
            (region.code[:2], region.name)
            for region in Region.objects.filter(code__in=[f"{code}0000" for code in sorted(provinces)])
        ],
        "day": day,
    }
    return render(request, "directory/connections.html", context)


@page("directory.see")
def address_book(request: HttpRequest, actor: Actor) -> HttpResponse:
    """一录: whom to ask on either side of a cooperation, and for each item at each office (taizhou-2021 §四(三))."""
    text = request.GET.get("q", "").strip()
    contacts = Contact.objects.select_related("item", "office__region")
    pacts = Agreement.objects.in_force(local_day(timezone.now())).select_related("region_a", "region_b")
    for word in text.split():
        named = Q(item__name__icontains=word) | Q(item__code__icontains=word) | Q(name__icontains=word)
        contacts = contacts.filter(
            named | Q(office__name__icontains=word) | Q(office__region__name__icontains=word)
        )
        pacts = pacts.filter(Q(region_a__name__icontains=word) | Q(region_b__name__icontains=word))
    part = newest_first(contacts, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {"contacts": part.rows, "next": part.next, "pacts": pacts.order_by("region_a", "region_b")}
    return render(request, "directory/book.html", context)


@page("directory.see")
def cooperation_file(request: HttpRequest, actor: Actor) -> HttpResponse:
    response = HttpResponse(export_cooperation(actor=actor, now=timezone.now()), content_type=XLSX)
    response["Content-Disposition"] = 'attachment; filename="cooperation.xlsx"'
    response["Cache-Control"] = "private, no-store"
    return response


def _act(request: HttpRequest, actor: Actor, act: Callable[[], object], said: str, at: str) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        at=at,
        back=f"{reverse('agreements')}#{at}",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


def _show(request: HttpRequest, actor: Actor, *, fault: Fault | None = None) -> HttpResponse:
    today = local_day(timezone.now())
    rows = agreement_rows(Agreement.objects.all(), day=today)
    late = [row for row in rows if row.late_days and row.agreement.directory_updated_on is None]
    context = {
        "rows": late if request.GET.get("late") else rows,
        "late": len(late),
        "may_edit": may(actor, "directory.edit"),
        "policy": ColourPolicy.objects.filter(valid_from__lte=today).order_by("-valid_from").first(),
        "coming": ColourPolicy.objects.filter(valid_from__gt=today).order_by("valid_from").first(),
        "indices": RegionIndex.objects.select_related("region").order_by("region", "-valid_from"),
        "without_index": without_index(today),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "directory/agreements.html", context, status=409 if fault else 200)


def _agreement(pk: int, actor: Actor) -> Agreement:
    return yours(visible(actor, "directory.edit", Agreement.objects.filter(pk=pk)))


def _connection(request: HttpRequest) -> Connection:
    names = ("group_name", "contact_a", "phone_a", "contact_b", "phone_b")
    return Connection(**{name: request.POST.get(name, "").strip() for name in names})
