"""The case page, and showing the applicant's data in full."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.case_sheet import find_case, read_sheet
from config.pages.frame import Fault, Typed, page
from config.pages.result_rows import results_of
from config.pages.together import together
from dossier.services.public_checking import Checked
from dossier.verify.verdict import Verdict
from ingest.services.intake import Applicant
from ingest.services.revealing import reveal_applicant
from registry.actors import Actor


@page("case.see")
def case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    return render_case(request, actor, number)


@require_POST
@page("case.see")
def reveal(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The applicant in full, once; the look is recorded. Not kept by any cache."""
    shown = reveal_applicant(case=find_case(number, actor), actor=actor, now=timezone.now())
    if request.headers.get("HX-Request"):
        response = render(request, "case/_applicant.html", {"applicant": shown})
    else:
        response = render_case(request, actor, number, applicant=shown)
    response["Cache-Control"] = "no-store"
    return response


def render_case(
    request: HttpRequest,
    actor: Actor,
    number: str,
    *,
    fault: Fault | None = None,
    applicant: Applicant | None = None,
    verdict: tuple[int, Verdict] | None = None,
    in_hand: tuple[int, Checked] | None = None,
) -> HttpResponse:
    """The case page; with a fault it says so beside the act that was refused and keeps what was typed."""
    sheet = read_sheet(number, actor)
    context: dict[str, Any] = {
        "sheet": sheet,
        **together(sheet.case, actor),
        "results": results_of(sheet.case, sheet.part.handling, actor),
        "fault": replace(fault, page=reverse("case", args=[number])) if fault else None,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "ticked": request.POST.getlist("page") if fault else [],
        "said": list(messages.get_messages(request)),
        "applicant": applicant,
        "verdict": verdict,
        "in_hand": in_hand,
    }
    return render(request, "case/case.html", context, status=409 if fault else 200)
