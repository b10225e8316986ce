"""Looking at what was read: the queue of doubted lines, one line beside its image, and what does not agree in a case."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_on_case
from config.pages.case_sheet import find_case
from config.pages.frame import Fault, page
from config.pages.images import find_page, frame_of, text_lines
from ingest.models import Handling, Page
from ingest.rules import CaseState, HandlingState
from ocr.fields import Check, Field
from ocr.findings import findings_of, texts_of, waiting_in
from ocr.models import Reading, Review
from ocr.services import ask_again, choose, follow_suggestions, keep_as_image, may_be_settled, settle
from ocr.standing import Standing
from registry.actors import Actor
from registry.permissions import NotYours, may, visible
from registry.time import local_day
from storage.errors import Refused

PAGE_SIZE = 40
FAILURES = {
    "picture_too_large": "图像尺寸过大，超出识别的上限。",
    "picture_unreadable": "图像打不开或不完整。",
    "picture_empty": "图像没有内容。",
    "ocr_engine_failed": "识别引擎没有在限定时间内读完。",
    "worker_lost": "识别几次都中途中断，系统已停止尝试。",
    "storage_unavailable": "识别时读不到这一页的存储文件，系统已停止尝试。",
}
"""Why a page has no text, by the code that its reading keeps."""

OTHER_FAILURE = "识别时出错。"


@dataclass(frozen=True)
class Doubt:
    """Why a person should look at a line, in words, with readings that are offered beside the first."""

    words: str
    offers: tuple[str, ...]


@page("page.correct")
def reviews(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Pages with doubted lines, or that could not be read, in cases still at the window (or in one case); oldest first."""
    after, number = request.GET.get("after", ""), request.GET.get("case", "")
    case = find_case(number, actor, "page.correct") if number else None
    found = _waiting(actor).order_by("page_id")
    if case is not None:
        found = found.filter(page__case=case)
    if after.isdecimal():
        found = found.filter(page_id__gt=int(after))
    whole = found.select_related("page__case__item", "page__material", "reading")
    rows = list(whole.defer("reading__lines", "reading__fields")[: PAGE_SIZE + 1])
    context = {
        "case": case,
        "rows": rows[:PAGE_SIZE],
        "next": rows[PAGE_SIZE - 1].page_id if len(rows) > PAGE_SIZE else None,
        "after": after,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "work/reviews.html", context)


@page("page.correct")
def review(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One line of a page beside its image: the one asked for, else the first that waits."""
    wanted = request.GET.get("line", "")
    return _render(request, find_page(pk, actor, "page.correct"), int(wanted) if wanted.isdecimal() else None)


@require_POST
@page("page.correct")
def settle_line(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Keep what stands there, then show the next that waits: on this page, in this case, then in the queue."""
    shown = find_page(pk, actor, "page.correct")
    number = request.POST.get("line", "")
    line = int(number) if number.isdecimal() else -1
    text = request.POST.get("offer") or request.POST.get("text", "")
    try:
        reading = _reading(shown, request.POST.get("reading", ""))
        settle(page=shown, reading=reading, line=line, text=text, actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        return _render(request, shown, line, fault=Fault.of(refused, "line"), typed=text)
    return redirect(_next(shown, actor, request))


@require_POST
@page("page.correct")
def leave_as_image(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Say that a page without text goes into the dossier as a picture, then show the next that waits."""
    shown = find_page(pk, actor, "page.correct")
    try:
        reading = _reading(shown, request.POST.get("reading", ""))
        keep_as_image(page=shown, reading=reading, actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        return _render(request, shown, None, fault=Fault.of(refused, "line"))
    return redirect(_next(shown, actor, request))


@require_POST
@page("page.correct")
def read_page_again(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Have the page read by another engine, or once more by the same; the work is done apart."""
    shown = find_page(pk, actor, "page.correct")
    return _act(
        request,
        shown,
        lambda: ask_again(page=shown, engine=request.POST.get("engine", ""), actor=actor, now=timezone.now()),
        "已交后台重新识别，几秒后刷新本页。",
    )


@require_POST
@page("page.correct")
def choose_reading(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Let another reading of the page count."""
    shown = find_page(pk, actor, "page.correct")
    key = request.POST.get("reading", "")
    return _act(
        request,
        shown,
        lambda: choose(page=shown, reading=_reading(shown, key), actor=actor, now=timezone.now()),
        "已改用这次识别的结果。",
    )


@require_POST
@page("case.upload")
def follow(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Lay the ticked pages where their text points to."""
    keys = [int(key) for key in request.POST.getlist("page") if key.isdecimal()]
    case = find_case(number, actor, "case.upload")
    return act_on_case(
        request,
        actor,
        number,
        at="suggested",
        act=lambda: follow_suggestions(case=case, pages=keys, actor=actor, now=timezone.now()),
        said="已按建议归入材料。",
    )


@page("page.see")
def findings(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """What does not agree on the pages of a case, each beside its image."""
    case = find_case(number, actor, "page.see")
    context = {
        "case": case,
        "findings": findings_of(case, local_day(timezone.now())),
        "waiting": waiting_in(case),
        "may_correct": may(actor, "page.correct"),
    }
    return render(request, "case/findings.html", context)


def _waiting(actor: Actor) -> QuerySet[Review]:
    at_the_window = Q(page__case__state__in=[CaseState.DRAFT, CaseState.SUPPLEMENT]) | Exists(
        Handling.objects.filter(case=OuterRef("page__case"), state=HandlingState.SUPPLEMENT)
    )
    waiting = Review.objects.filter(at_the_window, open__gt=0, page__set_aside=False)
    return visible(actor, "page.correct", waiting)


def _reading(shown: Page, key: str) -> Reading:
    found = Reading.objects.filter(page=shown, pk=int(key)).first() if key.isdecimal() else None
    if found is None:
        raise Refused("no_reading", "没有这次识别结果，请刷新页面后再试。")
    return found


def _next(shown: Page, actor: Actor, request: HttpRequest) -> str:
    waiting = _waiting(actor)
    same_case = waiting.filter(page__case=shown.case_id)
    found = waiting.filter(page=shown).first() or same_case.order_by("page_id").first()
    if found is not None:
        return reverse("review", args=[found.page_id])
    messages.success(request, "这个办件的识别结果已核对完。", extra_tags="reviews")
    return reverse("reviews")


def _act(request: HttpRequest, shown: Page, act: Callable[[], object], said: str) -> HttpResponse:
    """Do it and go back to the page, or show there why it was refused."""
    try:
        act()
    except NotYours:
        raise
    except Refused as refused:
        return _render(request, shown, None, fault=Fault.of(refused, "readings"))
    messages.success(request, said, extra_tags="readings")
    return redirect("review", pk=shown.pk)


def _render(
    request: HttpRequest,
    shown: Page,
    wanted: int | None,
    *,
    fault: Fault | None = None,
    typed: str | None = None,
) -> HttpResponse:
    reading = Reading.objects.current(shown)
    standing = texts_of([shown])[0].standing
    waiting = standing.open if standing else ()
    number = wanted if wanted is not None else next(iter(waiting), None)
    if standing is None or number is None or not 0 <= number < len(standing.lines):
        number = None
    line = standing.lines[number] if standing and number is not None else None
    later = [other for other in waiting if number is not None and other > number] or [
        other for other in waiting if other != number
    ]
    context = {
        "page": shown,
        "case": shown.case,
        "frame": frame_of(shown),
        "reading": reading,
        "readings": list(
            Reading.objects.filter(page=shown).defer("lines", "fields").order_by("-read_at", "-pk")
        ),
        "number": number,
        "line": line,
        "lines": text_lines(standing),
        "failure": FAILURES.get(reading.failure, OTHER_FAILURE) if reading else "",
        "kept": Review.objects.filter(page=shown, image_at__isnull=False).first(),
        "mark": standing.marks.get(number) if standing and number is not None else None,
        "doubt": _doubt(standing, number) if standing and number is not None else None,
        "waiting": len(waiting),
        "later": later[0] if later else None,
        "closed": not may_be_settled(shown),
        "fault": fault,
        "typed_text": typed if typed is not None else (line.text if line else ""),
        "said": list(messages.get_messages(request)),
    }
    return render(request, "case/review.html", context, status=409 if fault else 200)


def _doubt(standing: Standing, number: int) -> Doubt:
    line = standing.lines[number]
    words, offers = [], list[str]()
    for field in (field for field in standing.fields if field.line == number):
        if field.certain:
            continue
        words.append(f"{field.kind.label}{_trouble(field)}")
        values = [field.second.value] if field.second else []
        values += [field.suggestion] if field.suggestion else []
        offers += [
            line.text[: field.start] + value + line.text[field.end :]
            for value in values
            if value and value != field.value
        ]
    if not words and number not in standing.marks:
        words = ["竖排文字，识别不可靠" if line.vertical else f"识别把握 {line.confidence:.0%}"]
    return Doubt("；".join(words), tuple(dict.fromkeys(offers)))


def _trouble(field: Field) -> str:
    if field.check == Check.FAILED:
        return "校验未通过"
    if field.second is not None:
        return "两次识别不同"
    return f"把握 {field.confidence:.0%}"
