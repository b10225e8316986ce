"""办理进度 for applicants, without an account: by case number and phone tail, or by the code on a slip."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import Fault
from config.pages.progress_sheet import progress_of, stage_of
from ingest.models import Case
from ingest.services.enquiring import glance, look_up, look_up_by_slip
from ingest.services.rating import ask_of
from registry.callers import caller_address
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
            return _refused(request, {}, refused)
        return _answer(request, {"by_slip": True, "stage": stage_of(case)})
    return _told(
        request,
        {"by_slip": True},
        lambda: look_up_by_slip(
            token=token,
            tail=request.POST.get("tail", "").strip(),
            caller=caller_address(request),
            now=timezone.now(),
        ),
    )


def _told(request: HttpRequest, typed: dict[str, object], find: Callable[[], Case]) -> HttpResponse:
    try:
        case = find()
    except Refused as refused:
        return _refused(request, typed, refused)
    ask = ask_of(case, now=timezone.now())
    return _answer(request, {"progress": progress_of(case), "rate": ask.token_text if ask else ""})


def _refused(request: HttpRequest, typed: dict[str, object], refused: Refused) -> HttpResponse:
    status = STATUS.get(refused.code, 409)
    return _answer(request, {**typed, "fault": Fault.of(refused, "progress")}, status=status)


def _answer(request: HttpRequest, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    response = render(request, "progress.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
