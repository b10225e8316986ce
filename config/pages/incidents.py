"""异常: what somebody has to answer for, by when, and who; what is overdue stands on top."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.pages.frame import page
from config.pages.keyset import newest_first
from config.pages.placed import places_named
from logistics.models import Incident
from logistics.rules.parcels import Party
from registry.actors import Actor
from registry.permissions import visible

PAGE_SIZE = 40
MOST = 200
"""Open incidents on one page; whoever has more works from the top."""


@dataclass(frozen=True)
class Line:
    """One incident, who has to answer, and where it is dealt with."""

    incident: Incident
    owner: str
    late: bool
    url: str


@page("incident.report")
def incidents(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Open ones by their due time, the reader's own unless all that concern the reader are asked for; or ended ones."""
    ended, everybody = request.GET.get("state") == "resolved", request.GET.get("whose") == "all"
    rows = visible(actor, "incident.report", Incident.objects.select_related("parcel", "original__case"))
    if not everybody:
        rows = rows.filter(_owned_by(actor))
    if ended:
        part = newest_first(
            rows.filter(state=Incident.State.RESOLVED), after=request.GET.get("after", ""), size=PAGE_SIZE
        )
        found, following = part.rows, part.next
    else:
        found = list(rows.filter(state=Incident.State.OPEN).order_by("due_at", "pk")[: MOST + 1])
        following = ""
    context = {
        "rows": _lines(found[:MOST]),
        "next": following,
        "more": len(found) > MOST,
        "most": MOST,
        "ended": ended,
        "everybody": everybody,
    }
    return render(request, "work/incidents.html", context)


def _owned_by(actor: Actor) -> Q:
    window = Q(owner_kind=Party.WINDOW.value, owner_id=actor.window_id or 0)
    return window | Q(owner_kind=Party.OFFICE.value, owner_id=actor.office_id or 0)


def _lines(rows: list[Incident]) -> list[Line]:
    names, now = places_named((row.owner_kind, row.owner_id) for row in rows), timezone.now()
    return [
        Line(
            incident=row,
            owner=names[(row.owner_kind, row.owner_id)],
            late=row.state == Incident.State.OPEN and row.due_at < now,
            url=_where(row),
        )
        for row in rows
    ]


def _where(row: Incident) -> str:
    if row.parcel is not None:
        return f"{reverse('parcel', args=[row.parcel.number])}#incidents"
    return f"{reverse('original', args=[row.original_id])}#act"
