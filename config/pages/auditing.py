"""What an auditor reads: every event, and whether the chains still hold."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from config.pages.event_words import words_of
from config.pages.frame import page
from config.pages.keyset import newest_first
from registry.actors import Actor
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import visible

PAGE_SIZE = 60
BREAKS_SHOWN = 100


@page("audit.read")
def audit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Events newest first, of one stream or one kind when filtered."""
    return _show(request, actor)


@require_POST
@page("audit.verify")
def verify(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Walk every chain and say where one is broken."""
    breaks = []
    for broken in verify_chains():
        breaks.append(broken)
        if len(breaks) == BREAKS_SHOWN:
            break
    return _show(request, actor, verified={"breaks": breaks, "count": Event.objects.count()})


def _show(request: HttpRequest, actor: Actor, verified: dict[str, object] | None = None) -> HttpResponse:
    rows = visible(actor, "audit.read", Event.objects.all())
    stream = request.GET.get("stream", "").strip()
    if stream:
        rows = rows.filter(stream=stream.upper() if stream != "system" else stream)
    if kind := request.GET.get("kind", "").strip():
        rows = rows.filter(kind=kind)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [(event, words_of(event)) for event in part.rows],
        "next": part.next,
        "stream": stream,
        "verified": verified,
    }
    template = "system/_events.html" if request.headers.get("HX-Target") == "list" else "system/audit.html"
    return render(request, template, context)
