"""未归类: scanned stacks are split here, and the pages that found no home wait with a picture and a one-click home."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.case_sheet import find_case
from config.pages.frame import Fault, page
from config.pages.images import READABLE, THUMBNAIL, page_jpeg
from config.pages.incoming import paper_on_disk
from config.pages.uploads import chosen
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
from registry.permissions import NotYours, visible, yours
from registry.time import to_the_minute
from registry.tokens import Purpose, check
from storage.errors import Refused

MOST_WAITING = 120
MOST_CASES = 40
LATEST = 5
_HOME = re.compile(r"([0-9A-Za-z]+)\s*·\s*(\d+)")


@dataclass(frozen=True)
class Run:
    """Waiting pages that lie one behind the other in a stack for the same reason, and where they may belong."""

    stack: Stack
    why: str
    pages: list[StackPage]
    home: Material | None


@dataclass(frozen=True)
class Part:
    """What one screen shows of many pages: from which place on (from 0), and how many there are."""

    pages: list[StackPage]
    count: int
    begin: int

    @property
    def next(self) -> int | None:
        behind = self.begin + len(self.pages)
        return behind if behind < self.count else None

    @property
    def before(self) -> int | None:
        return max(0, self.begin - MOST_WAITING) if self.begin else None

    @property
    def first(self) -> int:
        return self.begin + 1

    @property
    def last(self) -> int:
        return self.begin + len(self.pages)


@page("page.place")
def tray(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a home, run by run; and what was set aside."""
    return _render(request, actor)


@require_POST
@page("page.place")
def upload_stack(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take in scanned stacks. The script sends one at a time and gets its line of the tray back."""
    piecewise, began = request.headers.get("X-Requested-With") == "tray", timezone.now()
    window = yours(Window.objects.filter(pk=actor.window_id or 0))
    try:
        if arrived := request.POST.get("arrived"):
            now = timezone.now()
            arrival = find(key=arrived, actor=actor, now=now)
            received = [finish_stack(arrival=arrival, window=window, actor=actor, now=now)]
        else:
            received = [_receive(file, window, actor) for file in chosen(request)]
    except NotYours:
        raise
    except Refused as refused:
        if piecewise:
            return render(request, "case/_refused_file.html", {"fault": refused}, status=409)
        return _render(request, actor, fault=Fault.of(refused, "unsorted"))
    if piecewise:
        return render(
            request, "work/_stack_file.html", {"stack": received[0], "words": _said(received[0], began)}
        )
    for stack in received:
        messages.success(request, f"{stack.original_name}：{_said(stack, began)}", extra_tags="unsorted")
    return redirect("unsorted")


def _said(stack: Stack, began: datetime) -> str:
    """What became of a stack, and that it is none of now when it came before."""
    if stack.uploaded_at >= began:
        return words_of(stack)
    return f"已于 {to_the_minute(stack.uploaded_at)} 扫描上传过，没有重复收入。{words_of(stack)}"


def _receive(file: UploadedFile[bytes], window: Window, actor: Actor) -> Stack:
    with paper_on_disk(file) as path:
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
    return _act(request, actor, put_aside, "页已搁置，没有删除，可以随时放回。")


@require_POST
@page("page.place")
def back(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Put pages that were set aside into the tray again."""
    return _act(request, actor, take_back, "页已放回。")


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


def _act(request: HttpRequest, actor: Actor, act: Callable[..., int], said: str) -> HttpResponse:
    """What `act` does to the ticked pages; a refusal is said on the tray."""
    try:
        count = act(pages=_ticked(request, actor), actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        return _render(request, actor, fault=Fault.of(refused, "unsorted"))
    messages.success(request, f"{count} {said}", extra_tags="unsorted")
    return redirect("unsorted")


def _render(request: HttpRequest, actor: Actor, *, fault: Fault | None = None) -> HttpResponse:
    mine = visible(actor, "page.place", StackPage.objects.select_related("stack"))
    waiting = _part(request, "from", mine.filter(fate=StackPage.Fate.WAITING).order_by("stack_id", "number"))
    aside = _part(request, "aside", mine.filter(fate=StackPage.Fate.ASIDE).order_by("-stack_id", "number"))
    context = {
        "runs": _runs(waiting.pages),
        "waiting": waiting,
        "aside": aside,
        "rows": _open_rows(actor) if waiting.pages else [],
        "stacks": _latest(actor),
        "fault": replace(fault, page=reverse("unsorted")) if fault else None,
        "home": request.POST.get("home", ""),
        "ticked": request.POST.getlist("page"),
        "said": list(messages.get_messages(request)),
    }
    return render(request, "work/unsorted.html", context, status=409 if fault else 200)


def _part(request: HttpRequest, name: str, pages: QuerySet[StackPage]) -> Part:
    """As many pages as one screen bears, from the place that the address names; the last ones behind their end."""
    count, wanted = pages.count(), request.GET.get(name, "")
    begin = int(wanted) if wanted.isdecimal() else 0
    if begin >= count:
        begin = max(0, count - 1) // MOST_WAITING * MOST_WAITING
    return Part(list(pages[begin : begin + MOST_WAITING]), count, begin)


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
    stacks = visible(actor, "page.place", Stack.objects.all())
    return [(stack, words_of(stack)) for stack in stacks.order_by("-uploaded_at", "-pk")[:LATEST]]


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
    return yours(visible(actor, "page.place", StackPage.objects.filter(pk=pk)).select_related("stored"))
