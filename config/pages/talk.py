"""沟通: the talks of a window or an office, the newest first, and one talk about one case."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.chips import case_chip
from config.pages.frame import Fault, Typed, page
from config.pages.keyset import newest_first
from ingest.models import Case, Message
from ingest.services.talking import (
    find_talk,
    read_talk,
    retract_message,
    reveal_message,
    threads_of,
    write_message,
)
from registry.actors import Actor
from registry.permissions import NotYours, visible, yours
from registry.rules.talk import LONGEST, Phase, Side
from storage.errors import Refused

PAGE_SIZE = 40


@page("thread.see")
def talks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every talk of this place; `unread` keeps those with something this person has not read."""
    rows = threads_of(actor=actor, unread_only=bool(request.GET.get("unread")))
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE, key="last_message")
    context = {
        "rows": [
            (
                thread,
                thread.last_message > thread.read_to,  # type: ignore[attr-defined]
                Side(thread.last_side),
                case_chip(thread.case.state),
            )
            for thread in part.rows
        ],
        "next": part.next,
    }
    return render(request, "work/talks.html", context)


@page("thread.see")
def talk(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    return _show(request, actor, find_talk(number=number, actor=actor))


@require_POST
@page("thread.write")
def write(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    case = find_talk(number=number, actor=actor)
    return act_elsewhere(
        request,
        act=lambda: write_message(
            case=case,
            text=request.POST.get("text", ""),
            keep_numbers=request.POST.get("keep") == "1",
            actor=actor,
            now=timezone.now(),
        ),
        said="已留言，对方打开“消息”就能看到。",
        at="write",
        back=f"{reverse('talk', args=[number])}#write",
        refused=lambda fault: _show(request, actor, case, fault=fault),
    )


@require_POST
@page("thread.write")
def retract(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    message = _message(pk, actor, "thread.write")
    case = message.thread.case
    return act_elsewhere(
        request,
        act=lambda: retract_message(message=message, actor=actor, now=timezone.now()),
        said="留言已撤回。",
        at="lines",
        back=f"{reverse('talk', args=[case.number])}#lines",
        refused=lambda fault: _show(request, actor, case, fault=fault),
    )


@require_POST
@page("thread.see")
def reveal_numbers(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One message with its numbers, once; the look is recorded. Not kept by any cache."""
    message = _message(pk, actor, "thread.see")
    case = message.thread.case
    try:
        words = reveal_message(message=message, actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        there = reverse("talk", args=[case.number])
        return _show(request, actor, case, fault=Fault.of(refused, "lines", page=there))
    response = _show(request, actor, case, shown=(message.pk, words))
    response["Cache-Control"] = "no-store"
    return response


def _show(
    request: HttpRequest,
    actor: Actor,
    case: Case,
    *,
    fault: Fault | None = None,
    shown: tuple[int, str] | None = None,
) -> HttpResponse:
    reaches_case = visible(actor, "case.see", Case.objects.filter(pk=case.pk)).exists()
    context = {
        "case": case,
        "chip": case_chip(case.state),
        "reaches_case": reaches_case,
        "offices": [
            part.office for part in case.handlings.select_related("office").order_by("-is_lead", "pk")
        ],
        "talk": read_talk(case=case, actor=actor),
        "phases": {phase.value: phase.label for phase in Phase},
        "longest": LONGEST,
        "shown": shown,
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "case/talk.html", context, status=409 if fault else 200)


def _message(pk: int, actor: Actor, act: str) -> Message:
    return yours(visible(actor, act, Message.objects.filter(pk=pk)).select_related("thread__case"))
