"""一册 and 一集: reading the handbook, its editions as PDF, and the editor's desk with drafts and proposed examples."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.case_sheet import find_case
from config.pages.frame import Fault, Typed, page
from ingest.models import Example, HandbookEdition, HandbookEntry
from ingest.services.examples import ExampleWords, decide_example, propose_example
from ingest.services.handbook import (
    edition_pdf,
    publish_edition,
    read_handbook,
    review_entry,
    standing,
)
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import may, visible, yours
from registry.rules.handbook import EntryState, ExampleState
from registry.time import local_day
from storage.errors import Refused

SHOWN = 60


@page("handbook.read")
def handbook(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The newest edition, or the one that is chosen, and what holds the words that are looked for."""
    text = request.GET.get("q", "").strip()
    context = {
        "shelf": read_handbook(key=request.GET.get("edition", ""), text=text, actor=actor),
        "editions": list(HandbookEdition.objects.select_related("slip")),
        "text": text,
        "may_edit": may(actor, "handbook.edit"),
    }
    return render(request, "work/handbook.html", context)


@page("handbook.read")
def handbook_file(request: HttpRequest, actor: Actor) -> HttpResponse:
    edition, content = edition_pdf(key=request.GET.get("edition", ""), actor=actor)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="handbook-{edition.key}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@page("handbook.edit")
def handbook_desk(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _desk(request, actor)


@require_POST
@page("handbook.edit")
def review(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    entry = yours(visible(actor, "handbook.edit", HandbookEntry.objects.filter(pk=pk)))
    return act_elsewhere(
        request,
        act=lambda: review_entry(
            entry=entry,
            question=request.POST.get("question", ""),
            answer=request.POST.get("answer", ""),
            decision=request.POST.get("decision", ""),
            actor=actor,
            now=timezone.now(),
        ),
        said="已保存。",
        at="entries",
        back=f"{reverse('handbook_desk')}#entries",
        refused=lambda fault: _desk(request, actor, fault=replace(fault, at=f"entry-{pk}")),
    )


@require_POST
@page("handbook.edit")
def publish(request: HttpRequest, actor: Actor) -> HttpResponse:
    def act() -> None:
        centre = ServiceCentre.objects.filter(code=request.POST.get("centre", "")).first()
        if centre is None:
            raise Refused("edition_centre", "请选择编制单位。")
        publish_edition(centre=centre, actor=actor, now=timezone.now())

    return act_elsewhere(
        request,
        act=act,
        said="新版手册已出版，PDF 稍后生成。",
        at="publish",
        back=f"{reverse('handbook_desk')}#publish",
        refused=lambda fault: _desk(request, actor, fault=fault),
    )


@page("example.propose")
def example(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Telling a closed case as an example."""
    case = find_case(number, actor, "example.propose")
    if request.method != "POST":
        return _example(request, actor, number)
    told = request.POST
    return act_elsewhere(
        request,
        act=lambda: propose_example(
            case=case,
            words=ExampleWords(
                **{name: told.get(name, "") for name in ("title", "situation", "solution", "effect")}
            ),
            actor=actor,
            now=timezone.now(),
        ),
        said="案例已提交审定。",
        at="example",
        back=reverse("example", args=[number]),
        refused=lambda fault: _example(request, actor, number, fault=fault),
    )


@require_POST
@page("handbook.edit")
def decide(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found = yours(visible(actor, "handbook.edit", Example.objects.filter(pk=pk)))
    return act_elsewhere(
        request,
        act=lambda: decide_example(
            example=found,
            approved=request.POST.get("decision") == "approve",
            reason=request.POST.get("reason", ""),
            actor=actor,
            now=timezone.now(),
        ),
        said="案例已审定。",
        at="examples",
        back=f"{reverse('handbook_desk')}#examples",
        refused=lambda fault: _desk(request, actor, fault=fault),
    )


def _desk(request: HttpRequest, actor: Actor, *, fault: Fault | None = None) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in EntryState.values() else EntryState.DRAFT.value
    entries = HandbookEntry.objects.filter(state=state).select_related("item", "problem").order_by("-pk")
    context = {
        "standing": standing(local_day(timezone.now())),
        "state": state,
        "states": EntryState.choices(),
        "entries": list(entries[:SHOWN]),
        "examples": list(
            Example.objects.filter(state=ExampleState.PROPOSED)
            .select_related("case__item")
            .order_by("pk")[:SHOWN]
        ),
        "centres": list(ServiceCentre.objects.order_by("code")),
        "editions": list(HandbookEdition.objects.select_related("slip")),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "work/handbook_desk.html", context, status=409 if fault else 200)


def _example(request: HttpRequest, actor: Actor, number: str, *, fault: Fault | None = None) -> HttpResponse:
    case = find_case(number, actor, "example.propose")
    context = {
        "case": case,
        "example": Example.objects.filter(case=case).first(),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "case/example.html", context, status=409 if fault else 200)
