"""授权 as the administrator keeps it: who was given which right, giving one, taking one back with its reason."""

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
from config.pages.naming import item_coded, office_named, region_named, window_named
from registry.actors import Actor
from registry.granting import give_grant, in_force, revoke_grant
from registry.models import Grant
from registry.permissions import visible, yours
from registry.sheets.forms import day_of
from registry.terms import Right
from registry.time import local_day

PAGE_SIZE = 40


@page("grant.edit")
def grants(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        return _give(request, actor)
    return _show(request, actor)


@require_POST
@page("grant.edit")
def grant_revoke(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    rows = visible(actor, "grant.edit", Grant.objects.filter(pk=pk))
    found, now = yours(rows.select_related("office", "window", "item")), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: revoke_grant(grant=found, reason=request.POST.get("reason", ""), actor=actor, now=now),
        said="已撤销，立即生效；此前依此授权办理的事项仍然有效。",
        at="grants",
        back=f"{reverse('grants')}#grants",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


def _give(request: HttpRequest, actor: Actor) -> HttpResponse:
    told, now = request.POST, timezone.now()

    def act() -> None:
        window, region, item = (told.get(name, "").strip() for name in ("window", "region", "item"))
        last = told.get("effective_to", "").strip()
        give_grant(
            office=office_named(told.get("office", "")),
            rights=[Right(value) for value in told.getlist("right") if value in Right.values()],
            window=window_named(window) if window else None,
            region=region_named(region) if region else None,
            item=item_coded(item) if item else None,
            effective_from=day_of(told.get("effective_from", "")),
            effective_to=day_of(last) if last else None,
            reason=told.get("reason", ""),
            actor=actor,
            now=now,
        )

    return act_elsewhere(
        request,
        act=act,
        said="已授权。",
        at="give",
        back=f"{reverse('grants')}#give",
        refused=lambda fault: _show(request, actor, fault=Fault("give", fault.message, fault.code)),
    )


def _show(request: HttpRequest, actor: Actor, *, fault: Fault | None = None) -> HttpResponse:
    now = timezone.now()
    rows = visible(actor, "grant.edit", Grant.objects.select_related("office", "window", "region", "item"))
    if request.GET.get("state", "open") == "open":
        rows = rows.filter(pk__in=Grant.objects.in_force(day=local_day(now), now=now))
    if (right := request.GET.get("right", "")) in Right.values():
        rows = rows.filter(right=right)
    if text := request.GET.get("q", "").strip():
        rows = rows.filter(
            Q(office__name__icontains=text)
            | Q(office__code__icontains=text)
            | Q(window__name__icontains=text)
            | Q(region__name__icontains=text)
            | Q(item__name__icontains=text)
        )
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [(grant, Right(grant.right).label, in_force(grant, now)) for grant in part.rows],
        "next": part.next,
        "rights": Right.choices(),
        "chosen": request.POST.getlist("right") if fault else [],
        "today": local_day(now),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "directory/grants.html", context, status=409 if fault else 200)
