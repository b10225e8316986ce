"""办理进度 for applicants, without an account: by case number and phone tail, or by the code on a slip."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.frame import Fault
from config.pages.progress_sheet import progress_of, stage_of
from ingest.models import Case
from ingest.services.enquiring import glance, look_up, look_up_by_slip, ticket_of
from ingest.services.rating import ask_of
from ingest.services.results import fetch_by_slip
from registry.callers import caller_address
from registry.permissions import NotYours
from storage.downloads import download
from storage.errors import Refused

STATUS = {
    "progress_no_match": 404,
    "progress_code": 404,
    "progress_locked": 429,
    "progress_too_many": 429,
}


def progress(request: HttpRequest) -> HttpResponse:
    """Asked by form and answered by POST: number and tail stand in no address, history or log."""
    number = request.POST.get("number", "")[:60]
    if request.method != "POST":
        return _answer(request, {})
    return _told(
        request,
        {"number": number},
        lambda: look_up(
            number=number,
            tail=request.POST.get("tail", "").strip(),
            caller=caller_address(request),
            now=timezone.now(),
        ),
    )


def progress_by_slip(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a slip's code: the stage at once, the rest for who knows the tail."""
    if request.method != "POST":
        try:
            case = glance(token=token, caller=caller_address(request), now=timezone.now())
        except Refused as refused:
            return answer_refused(request, {}, refused)
        return _answer(request, {"by_slip": True, "stage": stage_of(case)})
    return _told(
        request,
        {"by_slip": True, "token": token},
        lambda: look_up_by_slip(
            token=token,
            tail=request.POST.get("tail", "").strip(),
            caller=caller_address(request),
            now=timezone.now(),
        ),
    )


@require_POST
def progress_result(request: HttpRequest, token: str, pk: int) -> HttpResponseBase:
    """One electronic result for who holds the slip and knows the whole phone number, which no slip shows."""
    try:
        file = fetch_by_slip(
            token=token,
            phone=request.POST.get("phone", ""),
            pk=pk,
            caller=caller_address(request),
            now=timezone.now(),
        )
    except NotYours:
        raise
    except Refused as refused:
        return answer_refused(request, {"by_slip": True}, refused)
    return download(file.stored, f"result-{file.pk}.pdf")


def _told(request: HttpRequest, typed: dict[str, object], find: Callable[[], Case]) -> HttpResponse:
    try:
        case = find()
    except Refused as refused:
        return answer_refused(request, typed, refused)
    return answer_case(request, case, typed, now=timezone.now())


def answer_case(
    request: HttpRequest, case: Case, told: dict[str, object], *, now: datetime, status: int = 200
) -> HttpResponse:
    """The case to whoever proved to know its tail; `told` is what an act of this page has to say."""
    ask, shown = ask_of(case, now=now), progress_of(case, now=now)
    ticket = ticket_of(case, now=now) if shown.papers else ""
    rate = ask.token_text if ask else ""
    return _answer(request, {"progress": shown, "rate": rate, "ticket": ticket, **told}, status=status)


def answer_refused(request: HttpRequest, typed: dict[str, object], refused: Refused) -> HttpResponse:
    status = STATUS.get(refused.code, 409)
    return _answer(request, {**typed, "fault": Fault.of(refused, "progress")}, status=status)


def _answer(request: HttpRequest, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    response = render(request, "progress.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
