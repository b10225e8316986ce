"""各部门期限: the counts of red, amber and paused promises office by office, for whoever watches over them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import page
from ingest.services.lights import OfficeLights, office_lights
from registry.actors import Actor
from registry.permissions import may

MOST_ROWS = 200
"""Offices on the page; the sums above them are over all."""


@page("deadline.count")
def deadline_counts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Own offices or window, or everybody's for the administrator and the auditor. Who may see the cases finds them by a
    link; the others see numbers alone.
    """
    text = request.GET.get("q", "").strip()
    rows = [
        row
        for row in office_lights(actor=actor, now=timezone.now())
        if text in row.office.name or text in row.office.region.name
    ]
    context = {
        "rows": rows[:MOST_ROWS],
        "left_out": max(len(rows) - MOST_ROWS, 0),
        "sums": _sums(rows),
        "policies": list(dict.fromkeys(row.policy.words for row in rows)),
        "may_list": may(actor, "case.see"),
    }
    return render(request, "work/lights.html", context)


def _sums(rows: list[OfficeLights]) -> list[tuple[str, int]]:
    return [
        ("超期", sum(row.red for row in rows)),
        ("快到期", sum(row.amber for row in rows)),
        ("暂停计时", sum(row.paused for row in rows)),
        ("在办期限", sum(row.running for row in rows)),
    ]
