"""邮资政策: the versions in force, a new one tried on past months before it is taken in, and exceptions."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from ingest.models import Case
from logistics.models import PostageException, PostagePolicy
from logistics.postage.services import (
    add_policy,
    ask_exception,
    decide_on_exception,
    end_policy,
    try_policy,
)
from logistics.rules.payers import PUTIAN, Bearer, Leg, PaymentTerm, Policy
from logistics.rules.policies import WhatIf, policy_from_data
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, visible, yours
from registry.time import local_day
from storage.errors import Refused

_SHOWN = 50


@page("policy.edit")
def policies(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Versions, the form for a new one, and what it would have changed."""
    if request.method == "POST" and request.POST.get("act") == "try":
        return _try(request, actor)
    if request.method == "POST":
        return _add(request, actor)
    return _show(request, actor)


def _add(request: HttpRequest, actor: Actor) -> HttpResponse:
    return act_elsewhere(
        request,
        act=lambda: add_policy(
            policy=_policy(request), centre=_centre(actor), actor=actor, now=timezone.now()
        ),
        said="新版本已登记。",
        at="policy",
        back=f"{reverse('policies')}#policy",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


def _try(request: HttpRequest, actor: Actor) -> HttpResponse:
    try:
        tried = try_policy(
            policy=_policy(request),
            centre=_centre(actor),
            first=request.POST.get("first", ""),
            last=request.POST.get("last", ""),
            actor=actor,
        )
    except NotYours:
        raise
    except Refused as refused:
        return _show(request, actor, fault=Fault.of(refused, "policy"))
    return _show(request, actor, tried=tried)


@require_POST
@page("policy.edit")
def policy_end(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found = yours(visible(actor, "policy.edit", PostagePolicy.objects.filter(pk=pk)))
    now = timezone.now()

    def end() -> None:
        end_policy(policy=found, on=_day(request.POST.get("on", "")), actor=actor, now=now)

    return act_elsewhere(
        request,
        act=end,
        said="已登记终止日期。",
        at="policy",
        back=f"{reverse('policies')}#policy",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


@require_POST
@page("exception.ask")
def ask(request: HttpRequest, actor: Actor) -> HttpResponse:
    now = timezone.now()
    unknown = Refused("case_unknown", "没有找到与本中心有关的这个办件，请核对办件编号。")

    def act() -> None:
        case = Case.objects.filter(number=request.POST.get("case", "").strip()).first()
        centre = _centre(actor)
        leg = request.POST.get("leg", "")
        if case is None or centre is None or leg not in Leg.values():
            raise unknown
        try:
            ask_exception(
                case=case,
                leg=Leg(leg),
                centre=centre,
                reason=request.POST.get("reason", ""),
                actor=actor,
                now=now,
            )
        except NotYours as fault:
            # The same sentence as for no case at all, so that nobody learns which cases others have.
            raise unknown from fault

    return act_elsewhere(
        request,
        act=act,
        said="已提出，等待另一位财务人员批准。",
        at="exceptions",
        back=f"{reverse('policies')}#exceptions",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


@require_POST
@page("exception.approve")
def decide(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    rows = visible(actor, "exception.approve", PostageException.objects.filter(pk=pk))
    found, now = yours(rows.select_related("case")), timezone.now()
    approve = request.POST.get("act") == "approve"
    return act_elsewhere(
        request,
        act=lambda: decide_on_exception(exception=found, approve=approve, actor=actor, now=now),
        said="已批准。" if approve else "已记为不同意。",
        at="exceptions",
        back=f"{reverse('policies')}#exceptions",
        refused=lambda fault: _show(request, actor, fault=fault),
    )


def _show(
    request: HttpRequest, actor: Actor, *, fault: Fault | None = None, tried: WhatIf | None = None
) -> HttpResponse:
    centre = _centre(actor)
    today = local_day(timezone.now())
    own = PostagePolicy.objects.filter(centre=centre).order_by("-valid_from")
    general = PostagePolicy.objects.filter(centre__isnull=True).order_by("-valid_from")
    rows = list(own) if centre is None else [*own, *general]
    asked = visible(actor, "policy.edit", PostageException.objects.select_related("case")).order_by("-pk")
    kept = request.POST if fault or tried else {}
    context = {
        "versions": [(row, row.as_policy(), row.centre_id == (centre and centre.pk)) for row in rows],
        "putian": PUTIAN,
        "centre": centre,
        "today": today,
        "legs": [_choice(leg, kept) for leg in Leg],
        "bearers": Bearer.choices(),
        "terms": PaymentTerm.choices(),
        "kept": kept,
        "tried": tried,
        "changed": tried.changed[:_SHOWN] if tried else (),
        "payers": _payers(tried) if tried else (),
        "exceptions": list(asked[:_SHOWN]),
        "me": actor.id,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "finance/policies.html", context, status=409 if fault else 200)


def _choice(leg: Leg, kept: Any) -> dict[str, str]:
    """One row of the form: as typed, else as putian §五(七) has it."""
    rule = next(rule for rule in PUTIAN.rules if rule.leg == leg)
    return {
        "leg": leg.value,
        "label": leg.label,
        "bearer": kept.get(f"bearer-{leg.value}", rule.bearer.value),
        "term": kept.get(f"term-{leg.value}", rule.term.value),
    }


def _payers(tried: WhatIf) -> list[dict[str, Any]]:
    names = dict(ServiceCentre.objects.values_list("pk", "name"))
    return [
        {
            "name": names[payer] if payer else "申请人",
            "before": tried.before.get(payer, 0),
            "after": tried.after.get(payer, 0),
            "difference": tried.after.get(payer, 0) - tried.before.get(payer, 0),
        }
        for payer in sorted({*tried.before, *tried.after}, key=lambda payer: payer or 0)
    ]


def _policy(request: HttpRequest) -> Policy:
    told = request.POST
    rules = [
        {
            "code": leg.value,
            "leg": leg.value,
            "bearer": told.get(f"bearer-{leg.value}", ""),
            "term": told.get(f"term-{leg.value}", ""),
        }
        for leg in Leg
    ]
    if not told.get("code", "").strip() or not told.get("source", "").strip():
        raise Refused("policy_incomplete", "请填写版本代码和依据。")
    return policy_from_data(
        {
            "code": told["code"].strip(),
            "source": told["source"].strip(),
            "valid_from": _day(told.get("valid_from", "")).isoformat(),
            "rules": rules,
            "outside_term": told.get("outside_term", PaymentTerm.SENDER_MONTHLY.value),
        }
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise Refused("bad_date", "请填写日期，如“2026-01-01”。") from fault


def _centre(actor: Actor) -> ServiceCentre | None:
    """Finance keeps the own centre's policy, an administrator the general one."""
    return ServiceCentre.objects.filter(pk=actor.centre_id).first() if actor.centre_id else None
