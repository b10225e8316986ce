"""Page images for people: a small or a large JPEG made from the stored page, upright; and the page with its text."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.pages.frame import Fault, page
from ingest.inspect import view_of
from ingest.models import Page, StackPage
from ingest.services.placing import may_be_placed
from ocr.findings import texts_of
from ocr.lines import Box, Line, box_bounds
from ocr.models import Reading
from ocr.services import may_be_settled
from ocr.standing import Mark, Standing
from registry.actors import Actor
from registry.permissions import NotYours, may, visible, yours
from storage.models import StoredObject
from storage.scratch import scratch
from storage.services import fetch_to

THUMBNAIL = (256, 256)
READABLE = (1600, 1600)
CUT_OUT = (1200, 1200)
AROUND = 0.4
"""How much is shown around a cut-out, of its height."""


@page("page.see")
def thumbnail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return page_jpeg(request, find_page(pk, actor), THUMBNAIL)


@page("page.see")
def image(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return page_jpeg(request, find_page(pk, actor), READABLE)


@page("page.see")
def page_view(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One page, readable, with the pages beside it in its material."""
    return render_page(request, actor, pk)


def render_page(request: HttpRequest, actor: Actor, pk: int, *, fault: Fault | None = None) -> HttpResponse:
    """The page's own page; with a fault it says so beside the editor."""
    shown = find_page(pk, actor)
    siblings = list(
        Page.objects.filter(case=shown.case_id, material=shown.material_id)
        .order_by("position", "pk")
        .values_list("pk", flat=True)
    )
    place = siblings.index(shown.pk)
    standing = texts_of([shown])[0].standing
    may_place = may(actor, "page.place") and may_be_placed(shown)
    context = {
        "page": shown,
        "reading": Reading.objects.current(shown),
        "lines": text_lines(standing),
        "wanted": {int(number) for number in request.GET.getlist("line") if number.isdecimal()},
        "waiting": len(standing.open) if standing else 0,
        "may_correct": may(actor, "page.correct") and may_be_settled(shown),
        "frame": frame_of(shown),
        "case": shown.case,
        "may_place": may_place,
        "materials": list(shown.case.materials.order_by("position")) if may_place else [],
        "fault": fault,
        "said": list(messages.get_messages(request)),
        "place": place + 1,
        "count": len(siblings),
        "before": siblings[place - 1] if place else None,
        "after": siblings[place + 1] if place + 1 < len(siblings) else None,
    }
    return render(request, "case/page.html", context, status=409 if fault else 200)


@page("page.see")
def cut_out(request: HttpRequest, actor: Actor, pk: int, line: int) -> HttpResponse:
    """The place of one line, upright, with a little around it."""
    shown = find_page(pk, actor)
    standing = texts_of([shown])[0].standing
    if standing is None or line >= len(standing.lines):
        raise NotYours
    box = standing.lines[line].box
    tag = f'"{shown.sha256[:32]}-{shown.rotation}-{"-".join(f"{n:.0f}" for n in box_bounds(box))}"'
    return _cached(
        request,
        tag,
        lambda: _drawn(shown.stored, shown.rotation, CUT_OUT, part=_around(box)),
    )


@dataclass(frozen=True)
class TextLine:
    """One line that stands on the page: its number, the corners of its box in stored pixels, and who looked at it."""

    number: int
    text: str
    corners: str
    uncertain: bool
    mark: Mark | None


@dataclass(frozen=True)
class Frame:
    """The stored picture turned upright: size as shown, and the turn that takes its pixels there."""

    width: int
    height: int
    turn: str


def line_corners(line: Line) -> str:
    """The corners of a line's box as an SVG polygon has them."""
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in line.box)


def text_lines(standing: Standing | None) -> list[TextLine]:
    """Every line that stands on a page, in reading order."""
    if standing is None:
        return []
    waiting = set(standing.open)
    return [
        TextLine(number, line.text, line_corners(line), number in waiting, standing.marks.get(number))
        for number, line in enumerate(standing.lines)
        if line.text
    ]


def frame_of(shown: Page) -> Frame:
    """How the page's stored picture is shown."""
    return turned_frame(shown.width, shown.height, shown.rotation)


def turned_frame(width: int, height: int, rotation: int) -> Frame:
    """How a stored picture of this size is shown when it is turned clockwise by `rotation` degrees."""
    turns = {
        0: "",
        90: f"translate({height} 0) rotate(90)",
        180: f"translate({width} {height}) rotate(180)",
        270: f"translate(0 {width}) rotate(270)",
    }
    size = (height, width) if rotation in (90, 270) else (width, height)
    return Frame(*size, turns[rotation])


def find_page(pk: int, actor: Actor, act: str = "page.see") -> Page:
    """The page, if the actor may do `act` to it. Raises NotYours."""
    return yours(
        visible(actor, act, Page.objects.filter(pk=pk)).select_related("stored", "case__item", "material")
    )


def page_jpeg(request: HttpRequest, shown: Page | StackPage, size: tuple[int, int]) -> HttpResponse:
    """The picture, or 304 when the browser still has it: the bytes of a page never change, only its turning."""
    return stored_jpeg(request, shown.stored, shown.rotation, size)


def stored_jpeg(
    request: HttpRequest, stored: StoredObject, rotation: int, size: tuple[int, int]
) -> HttpResponse:
    """A kept picture turned clockwise by `rotation`, for the screen."""
    tag = f'"{stored.sha256[:32]}-{rotation}-{size[0]}"'
    return _cached(request, tag, lambda: _drawn(stored, rotation, size))


def _cached(request: HttpRequest, tag: str, made: Callable[[], bytes]) -> HttpResponse:
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(made(), content_type="image/jpeg")
    response["ETag"] = tag
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _drawn(
    stored: StoredObject,
    rotation: int,
    size: tuple[int, int],
    *,
    part: tuple[int, int, int, int] | None = None,
) -> bytes:
    """The picture of a page, or of a part of it (left, top, right, bottom in stored pixels), as a JPEG."""
    with scratch("page") as folder:
        kept = folder / "page"
        fetch_to(stored, kept)
        return view_of(kept, rotation=rotation, size=size, part=part)


def _around(box: Box) -> tuple[int, int, int, int]:
    """A box with a little of the page around it."""
    left, top, right, bottom = box_bounds(box)
    around = AROUND * min(right - left, bottom - top)
    return int(left - around), int(top - around), int(right + around) + 1, int(bottom + around) + 1
