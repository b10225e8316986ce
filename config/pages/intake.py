"""Taking in a new case: item, deciding offices, mode and applicant, each refusal beside its cause."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from config.pages.forms import ApplicantForm
from config.pages.frame import Fault, page
from config.pages.repeating import do_once
from ingest.models import Case
from ingest.services.intake import create_case
from ingest.services.lawful import check_lawful, item_facts
from registry.actors import Actor
from registry.models import Office, ServiceItem, Window
from registry.permissions import NotYours, yours
from registry.rules import allowed_modes, check_mode
from registry.terms import Mode
from registry.time import local_day
from storage.errors import Refused

ITEMS_SHOWN = 30
OFTEN_SHOWN = 5
OFTEN = 2
LOOKED_BACK = 200
"""An item stands first when it was taken in at least twice among the newest cases of the window."""


@dataclass(frozen=True)
class Choice:
    """Something that may be chosen, or the sentence of the rule that forbids it."""

    value: str
    label: str
    note: str = ""
    refusal: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Rules:
    """Which offices and modes are open for this item at this window."""

    item: ServiceItem
    several: bool
    offices: list[Choice]
    modes: list[Choice]


@page("case.create")
def new_case(request: HttpRequest, actor: Actor) -> HttpResponse:
    window = yours(Window.objects.select_related("region").filter(pk=actor.window_id or 0))
    if request.method == "POST":
        return _create(request, actor, window)
    item = _item(request.GET)
    if item is None:
        return _show_items(request, window)
    rules = _rules(item, window, request.GET, timezone.now())
    if request.headers.get("HX-Target") == "rules":
        return render(request, "case/_rules.html", {"rules": rules})
    return render(request, "case/new.html", {"rules": rules, "form": ApplicantForm()})


def _create(request: HttpRequest, actor: Actor, window: Window) -> HttpResponse:
    """Make the case; with a fault show the page again with everything that was typed."""
    now = timezone.now()
    item = _item(request.POST)
    if item is None:
        return _show_items(request, window)
    form, fault = ApplicantForm(request.POST), None
    offices = list(Office.objects.filter(items__item=item, pk__in=_numbers(request.POST.getlist("office"))))
    mode = request.POST.get("mode", "")
    if not offices:
        fault = Fault("offices", "请选择审批部门。")
    elif mode not in Mode.values():
        fault = Fault("modes", "请选择办理模式。")
    elif form.is_valid():

        def make() -> str:
            case = create_case(
                item=item,
                window=window,
                offices=offices,
                mode=mode,
                applicant=form.applicant(),
                delivery=form.cleaned_data["delivery"],
                agent_consent=form.cleaned_data["agent_consent"],
                actor=actor,
                now=now,
            )
            return reverse("case", args=[case.number])

        try:
            return redirect(do_once(request, make))
        except NotYours:
            raise
        except Refused as refused:
            fault = Fault.of(refused, "modes" if refused.code == "mode" else "offices")
    context = {"rules": _rules(item, window, request.POST, now), "form": form, "fault": fault}
    return render(request, "case/new.html", context, status=409 if fault else 422)


def _show_items(request: HttpRequest, window: Window) -> HttpResponse:
    """Items in force, those first that this window takes in all day."""
    text = request.GET.get("q", "").strip()
    items = ServiceItem.objects.in_force(local_day(timezone.now())).select_related("region")
    for word in text.split():
        items = items.filter(
            Q(name__icontains=word) | Q(code__icontains=word) | Q(region__name__icontains=word)
        )
    often = _taken_in_often(window)
    first = sorted(items.filter(code__in=often), key=lambda item: often.index(item.code))
    found = first + list(items.exclude(code__in=often).order_by("region", "code")[: ITEMS_SHOWN + 1])
    context = {
        "items": found[:ITEMS_SHOWN],
        "more": len(found) > ITEMS_SHOWN,
        "text": text,
        "often": often,
    }
    template = "case/_items.html" if request.headers.get("HX-Target") == "items" else "case/items.html"
    return render(request, template, context)


def _taken_in_often(window: Window) -> list[str]:
    """Codes of the items that this window takes in most, by its newest cases."""
    newest = Case.objects.filter(window=window).order_by("-pk")[:LOOKED_BACK]
    codes = Counter(newest.values_list("item__code", flat=True))
    return [code for code, count in codes.most_common(OFTEN_SHOWN) if count >= OFTEN]


def _rules(item: ServiceItem, window: Window, chosen: QueryDict, now: datetime) -> Rules:
    offices = list(Office.objects.filter(items__item=item).select_related("region").order_by("items__pk"))
    picked = [office for office in offices if office.pk in _numbers(chosen.getlist("office"))] or offices[:1]
    facts, count = item_facts(item), max(len(picked), 1)
    open_modes = allowed_modes(facts, offices=count)
    mode = chosen.get("mode", "")
    if mode not in open_modes:
        # Another office may have closed the way that was chosen before.
        mode = open_modes[0] if open_modes else ""
    several = len(offices) > 1 and Mode.JOINT in allowed_modes(facts, offices=2)
    return Rules(
        item=item,
        several=several,
        offices=[
            Choice(
                str(office.pk),
                office.name,
                note=office.region.name,
                refusal=_why_not(item, window, office, open_modes, count, now),
                chosen=office in picked,
            )
            for office in offices
        ],
        modes=[
            Choice(each.value, each.label, refusal=_mode_refusal(item, each, count), chosen=each == mode)
            for each in Mode
            if each != Mode.ONLINE
        ],
    )


def _why_not(
    item: ServiceItem, window: Window, office: Office, modes: tuple[Mode, ...], count: int, now: datetime
) -> str:
    """The rule that keeps this window from taking in the item for that office, whatever the mode."""
    if not modes:
        return ""
    try:
        check_lawful(item=item, window=window, office=office, mode=modes[0], offices=count, now=now)
    except Refused as refused:
        return refused.message
    return ""


def _mode_refusal(item: ServiceItem, mode: Mode, count: int) -> str:
    try:
        check_mode(item_facts(item), mode, offices=count)
    except Refused as refused:
        return refused.message
    return ""


def _item(values: QueryDict) -> ServiceItem | None:
    number = values.get("item", "")
    if not number.isdecimal():
        return None
    return ServiceItem.objects.select_related("region").filter(pk=int(number)).first()


def _numbers(values: list[str]) -> set[int]:
    return {int(value) for value in values if value.isdecimal()}
