"""未归类: scanned stacks are split here, and the pages that found no home wait with a picture and a one-click home."""

import re
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.case_sheet import find_case
from config.pages.frame import Fault, page
from config.pages.images import READABLE, THUMBNAIL, page_jpeg
from config.pages.uploads import on_disk, sized
from ingest.models import Case, Material, Stack, StackPage
from ingest.piecewise import find, finish_stack
from ingest.rules import CaseState
from ingest.sorting import WHY
from ingest.stack_words import words_of
from ingest.stacks import (
    place_pages,
    print_separators,
    put_aside,
    receive_stack,
    suggest_homes,
    take_back,
)
from registry.actors import Actor
from registry.models import Window
from registry.permissions import NotYours, visible
from registry.tokens import Purpose, check
from storage.errors import Refused

MOST_WAITING = 120
MOST_CASES = 40
_HOME = re.compile(r"([0-9A-Za-z]+)\s*·\s*(\d+)")


@dataclass(frozen=True)
class Run:
    """Waiting pages that lie one behind the other in a stack for the same reason, and where they may belong."""

    stack: Stack
    why: str
    pages: list[StackPage]
    home: Material | None


@page("page.place")
def tray(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a home, run by run; and what was set aside."""
    return _render(request, actor)


@require_POST
@page("page.place")
def upload_stack(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take in scanned stacks. The script sends one at a time and gets its line of the tray back."""
    piecewise = request.headers.get("X-Requested-With") == "tray"
    window = Window.objects.filter(pk=actor.window_id or 0).first()
    if window is None:
        raise NotYours
    try:
        if arrived := request.POST.get("arrived"):
            now = timezone.now()
            arrival = find(key=arrived, actor=actor, now=now)
            received = [finish_stack(arrival=arrival, window=window, actor=actor, now=now)]
        else:
            received = [_receive(file, window, actor) for file in request.FILES.getlist("files")]
    except NotYours:
        raise
    except Refused as refused:
        if piecewise:
            return render(request, "case/_refused_file.html", {"fault": refused}, status=409)
        return _render(request, actor, fault=Fault.of(refused, "unsorted"))
    if piecewise:
        if not received:
            return HttpResponse(status=400)
        return render(
            request, "work/_stack_file.html", {"stack": received[0], "words": words_of(received[0])}
        )
    for stack in received:
        messages.success(request, f"{stack.original_name}：{words_of(stack)}", extra_tags="unsorted")
    return redirect("unsorted")


def _receive(file: UploadedFile[bytes], window: Window, actor: Actor) -> Stack:
    with on_disk(sized(file)) as path:
        return receive_stack(
            window=window, path=path, original_name=file.name or "", actor=actor, now=timezone.now()
        )


@require_POST
@page("page.place")
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Bring the ticked pages home: to the row that was offered, or to the one that was chosen or scanned."""
    try:
        material = _material(request, actor)
        placed = place_pages(
            pages=_ticked(request, actor), material=material, actor=actor, now=timezone.now()
        )
    except NotYours:
        raise
    except Refused as refused:
        return _render(request, actor, fault=Fault.of(refused, "unsorted"))
    messages.success(
        request, f"{len(placed)} 页已归入 {material.case.number}“{material.name}”。", extra_tags="unsorted"
    )
    return redirect("unsorted")


@require_POST
@page("page.place")
def aside(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take the ticked pages out of the tray; they stay below it."""
    count = put_aside(pages=_ticked(request, actor), actor=actor, now=timezone.now())
    messages.success(request, f"{count} 页已搁置，没有删除，可以随时放回。", extra_tags="unsorted")
    return redirect("unsorted")


@require_POST
@page("page.place")
def back(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Put pages that were set aside into the tray again."""
    count = take_back(pages=_ticked(request, actor), actor=actor, now=timezone.now())
    messages.success(request, f"{count} 页已放回。", extra_tags="unsorted")
    return redirect("unsorted")


@page("page.place")
def thumbnail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return page_jpeg(request, _page(pk, actor), THUMBNAIL)


@page("page.place")
def image(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return page_jpeg(request, _page(pk, actor), READABLE)


@require_POST
@page("case.upload")
def separators(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The case's separator sheets, for the print dialog."""
    content = print_separators(case=find_case(number, actor, "case.upload"), actor=actor, now=timezone.now())
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{number}-separators.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def _render(request: HttpRequest, actor: Actor, *, fault: Fault | None = None) -> HttpResponse:
    mine = visible(actor, "page.place", StackPage.objects.select_related("stack"))
    waiting = list(
        mine.filter(fate=StackPage.Fate.WAITING).order_by("stack_id", "number")[: MOST_WAITING + 1]
    )
    shown = waiting[:MOST_WAITING]
    context = {
        "runs": _runs(shown),
        "more": len(waiting) > MOST_WAITING,
        "aside": list(mine.filter(fate=StackPage.Fate.ASIDE).order_by("-stack_id", "number")[:MOST_WAITING]),
        "rows": _open_rows(actor) if shown else [],
        "stacks": _latest(actor),
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "work/unsorted.html", context, status=409 if fault else 200)


def _runs(pages: list[StackPage]) -> list[Run]:
    numbered = [(page.stack_id, page.why, page.number - place, page) for place, page in enumerate(pages)]
    runs = [[page for *_, page in group] for _, group in groupby(numbered, key=lambda row: row[:3])]
    homes = suggest_homes(run[0] for run in runs)
    return [
        Run(
            stack=run[0].stack,
            why=WHY.get(run[0].why, "放回的页面"),
            pages=run,
            home=homes.get(run[0].pk),
        )
        for run in runs
    ]


def _open_rows(actor: Actor) -> list[Material]:
    """Rows of the checklists that pages may be brought to, those of the newest cases first."""
    cases = visible(actor, "page.place", Material.objects.all())
    newest = (
        Case.objects.filter(Q(state__in=[CaseState.DRAFT, CaseState.SUPPLEMENT]), materials__in=cases)
        .distinct()
        .order_by("-pk")
        .values_list("pk", flat=True)[:MOST_CASES]
    )
    rows = cases.filter(case__in=list(newest)).select_related("case")
    return list(rows.order_by("-case_id", "position"))


def _latest(actor: Actor) -> list[tuple[Stack, str]]:
    stacks = visible(actor, "page.place", Stack.objects.annotate(count=Count("pages")))
    return [(stack, words_of(stack)) for stack in stacks.order_by("-uploaded_at", "-pk")[:5]]


def _ticked(request: HttpRequest, actor: Actor) -> list[StackPage]:
    wanted = {int(pk) for pk in request.POST.getlist("page") if pk.isdecimal()}
    if not wanted:
        raise Refused("nothing_ticked", "请先勾选要处理的页面。")
    found = visible(actor, "page.place", StackPage.objects.filter(pk__in=wanted)).select_related("stack")
    if len(found) != len(wanted):
        raise NotYours
    return list(found.order_by("stack_id", "number"))


def _material(request: HttpRequest, actor: Actor) -> Material:
    """The row of the button that was pressed; else the one that was typed, chosen from the list, or scanned."""
    rows = visible(actor, "page.place", Material.objects.select_related("case"))
    offered, typed = request.POST.get("material", ""), request.POST.get("home", "").strip()
    if offered:
        found = rows.filter(pk=int(offered)).first() if offered.isdecimal() else None
    elif (named := _HOME.match(typed)) is not None:
        found = rows.filter(case__number=named.group(1), position=int(named.group(2))).first()
    elif typed:
        found = rows.filter(token=check(typed, purpose=Purpose.MATERIAL).identifier).first()
    else:
        raise Refused("no_home", "请选择要归入的办件和材料，或扫描它的分隔页。")
    if found is None:
        raise Refused("unknown_home", "没有找到这份材料，请从列表中选择，或扫描它的分隔页。")
    return found


def _page(pk: int, actor: Actor) -> StackPage:
    found = visible(actor, "page.place", StackPage.objects.filter(pk=pk)).select_related("stored").first()
    if found is None:
        raise NotYours
    return found
