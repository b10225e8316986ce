"""Doing one act of a page: success is said where the act was, a refusal returns to its cause."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from config.pages.cases import render_case
from config.pages.frame import Fault
from registry.actors import Actor
from registry.permissions import NotYours
from storage.errors import Refused


def act_on_case(
    request: HttpRequest, actor: Actor, number: str, *, at: str, act: Callable[[], object], said: str
) -> HttpResponse:
    """Run `act`; then go back to the place `at` of the case page, or show there why it was refused."""
    try:
        act()
    except NotYours:
        raise
    except Refused as refused:
        return render_case(request, actor, number, fault=Fault.of(refused, at))
    messages.success(request, said, extra_tags=at)
    return redirect(f"{reverse('case', args=[number])}#{at}")


def act_elsewhere(
    request: HttpRequest,
    *,
    act: Callable[[], object],
    said: str,
    back: str,
    refused: Callable[[Fault], HttpResponse],
    at: str = "act",
) -> HttpResponse:
    """The same for pages that are not a case: `refused` shows the page again with the fault."""
    try:
        act()
    except NotYours:
        raise
    except Refused as fault:
        return refused(Fault.of(fault, at))
    messages.success(request, said, extra_tags=at)
    return redirect(back)
