"""Doing one act of a page: success is said where the act was, a refusal returns to its cause, a repetition has no effect."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from config.pages.cases import render_case
from config.pages.frame import Fault
from config.pages.repeating import do_once
from registry.actors import Actor
from registry.permissions import NotYours
from storage.errors import Refused

_WHERE_IT_IS_DONE: Mapping[str, str] = {
    "identity_open": "identity",
    "points_open": "points",
    "points_against": "points",
}
"""Places of the case page by the code of the refusal that what stands there takes away."""


def act_on_case(
    request: HttpRequest, actor: Actor, number: str, *, at: str, act: Callable[[], object], said: str
) -> HttpResponse:
    """Run `act`; then go back to the place `at` of the case page, or show there why it was refused.

    What waits for something else to be done is refused beside the form that does it.
    """
    back = f"{reverse('case', args=[number])}#{at}"
    return act_elsewhere(
        request,
        act=act,
        said=said,
        back=back,
        refused=lambda fault: render_case(
            request, actor, number, fault=replace(fault, at=_WHERE_IT_IS_DONE.get(fault.code, fault.at))
        ),
        at=at,
    )


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

    def acted() -> str:
        act()
        return back

    try:
        led_to = do_once(request, acted)
    except NotYours:
        raise
    except Refused as fault:
        return refused(Fault.of(fault, at, page=urlsplit(back).path))
    messages.success(request, said, extra_tags=at)
    return redirect(led_to)
