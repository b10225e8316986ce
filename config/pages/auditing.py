"""What an auditor reads: every event, and whether the chains still hold."""

from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from config.pages.event_words import words_of
from config.pages.frame import page
from config.pages.keyset import newest_first
from dossier.models import AuditAnchor
from dossier.services.anchoring import check_anchors
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
    """Walk every chain, compare it with its anchors, and say where something does not hold."""
    breaks = list(islice(verify_chains(), BREAKS_SHOWN))
    anchors = list(islice(check_anchors(), BREAKS_SHOWN))
    return _show(
        request, actor, verified={"breaks": breaks, "anchors": anchors, "count": Event.objects.count()}
    )


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
        "anchor": AuditAnchor.objects.order_by("-number").first(),
    }
    template = "system/_events.html" if request.headers.get("HX-Target") == "list" else "system/audit.html"
    return render(request, template, context)
