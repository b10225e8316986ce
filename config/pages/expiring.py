"""到期: agreements, grants and items that run out, what holds for what is under way, and going on with them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from ingest.services.expiring import Concerned, ending_soon
from registry.actors import Actor
from registry.expiring import expiry_rules, set_expiry_policy
from registry.granting import renew_grant
from registry.models import ExpiryPolicy, Grant
from registry.permissions import visible, yours
from registry.rules.expiry import FURTHEST, OVER
from registry.sheets.forms import day_of, whole_between
from registry.terms import Right
from registry.time import local_day

MOST = 40
"""Rows of the desk; the soonest are done first, then the next come up."""
_DAYS = whole_between(0, FURTHEST)


@page("grant.edit")
def expiring(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The desk of whoever gives grants and signs agreements."""
    return _show(request)


@require_POST
@page("grant.edit")
def grant_renew(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    grant = yours(visible(actor, "grant.edit", Grant.objects.filter(pk=pk)))
    told, now = request.POST, timezone.now()

    def act() -> None:
        last = told.get("effective_to", "").strip()
        renew_grant(
            grant=grant,
            effective_to=day_of(last) if last else None,
            reason=told.get("reason", ""),
            actor=actor,
            now=now,
        )

    return act_elsewhere(
        request,
        act=act,
        said="已续授，前后两项授权首尾相接。",
        at="desk",
        back=f"{reverse('expiring')}#desk",
        refused=lambda fault: _show(request, fault),
    )


@require_POST
@page("grant.edit")
def expiry_rule(request: HttpRequest, actor: Actor) -> HttpResponse:
    """How long ahead it is said from a day on; what it replaces stays on record."""
    told, now = request.POST, timezone.now()

    def act() -> None:
        set_expiry_policy(
            days_ahead=[_DAYS(word) for word in told.get("days_ahead", "").replace("、", " ").split()],
            valid_from=day_of(told.get("valid_from", "")),
            source=told.get("source", ""),
            actor=actor,
            now=now,
        )

    return act_elsewhere(
        request,
        act=act,
        said="到期提醒规则已登记。",
        at="rules",
        back=f"{reverse('expiring')}#rules",
        refused=lambda fault: _show(request, fault),
    )


def _show(request: HttpRequest, fault: Fault | None = None) -> HttpResponse:
    today = local_day(timezone.now())
    found, in_all = ending_soon(today, most=MOST)
    context = {
        "rows": [
            (each, each.ending.kind, _right(each), (each.ending.last_day - today).days) for each in found
        ],
        "left_out": in_all - len(found),
        "over": OVER,
        "rules": expiry_rules(today),
        "policies": ExpiryPolicy.objects.order_by("-valid_from"),
        "today": today,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "directory/expiring.html", context, status=409 if fault else 200)


def _right(each: Concerned) -> str:
    """The right that runs out, in words; empty for what is no grant."""
    subject = each.ending.subject
    return Right(subject.right).label if isinstance(subject, Grant) else ""
