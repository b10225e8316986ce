"""Page images for people: a small or a large JPEG made from the stored page, upright; and the page with its text."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from PIL import Image

from config.pages.frame import page
from ingest.models import Page
from ocr.findings import texts_of
from ocr.lines import Box, Line, box_bounds
from ocr.models import Reading
from ocr.services import may_be_settled
from ocr.standing import Mark, Standing
from registry.actors import Actor
from registry.permissions import NotYours, may, visible
from storage.errors import Refused
from storage.services import open_verified

THUMBNAIL = (256, 256)
READABLE = (1600, 1600)
CUT_OUT = (1200, 1200)
AROUND = 0.4
"""How much is shown around a cut-out, of its height."""

_UPRIGHT = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


class TooLarge(Refused):
    """The picture would take more memory than a page view may."""


@page("page.see")
def thumbnail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _jpeg(request, find_page(pk, actor), THUMBNAIL)


@page("page.see")
def image(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _jpeg(request, find_page(pk, actor), READABLE)


@page("page.see")
def page_view(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One page, readable, with the pages beside it in its material."""
    shown = find_page(pk, actor)
    siblings = list(
        Page.objects.filter(case=shown.case_id, material=shown.material_id)
        .order_by("position", "pk")
        .values_list("pk", flat=True)
    )
    place = siblings.index(shown.pk)
    standing = texts_of([shown])[0].standing
    context = {
        "page": shown,
        "reading": Reading.objects.current(shown),
        "lines": _lines(standing),
        "waiting": len(standing.open) if standing else 0,
        "may_correct": may(actor, "page.correct") and may_be_settled(shown),
        "frame": frame_of(shown),
        "case": shown.case,
        "place": place + 1,
        "count": len(siblings),
        "before": siblings[place - 1] if place else None,
        "after": siblings[place + 1] if place + 1 < len(siblings) else None,
    }
    return render(request, "case/page.html", context)


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
        lambda: cut_jpeg(open_verified(shown.stored), box=box, rotation=shown.rotation, size=CUT_OUT),
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


def _lines(standing: Standing | None) -> list[TextLine]:
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
    width, height = shown.width, shown.height
    turns = {
        0: "",
        90: f"translate({height} 0) rotate(90)",
        180: f"translate({width} {height}) rotate(180)",
        270: f"translate(0 {width}) rotate(270)",
    }
    size = (height, width) if shown.rotation in (90, 270) else (width, height)
    return Frame(*size, turns[shown.rotation])


def find_page(pk: int, actor: Actor, act: str = "page.see") -> Page:
    """The page, if the actor may do `act` to it. Raises NotYours."""
    found = (
        visible(actor, act, Page.objects.filter(pk=pk))
        .select_related("stored", "case__item", "material")
        .first()
    )
    if found is None:
        raise NotYours
    return found


def _jpeg(request: HttpRequest, shown: Page, size: tuple[int, int]) -> HttpResponse:
    """The picture, or 304 when the browser still has it: the bytes of a page never change, only its turning."""
    tag = f'"{shown.sha256[:32]}-{shown.rotation}-{size[0]}"'
    return _cached(
        request,
        tag,
        lambda: render_jpeg(open_verified(shown.stored), rotation=shown.rotation, size=size),
    )


def _cached(request: HttpRequest, tag: str, made: Callable[[], bytes]) -> HttpResponse:
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(made(), content_type="image/jpeg")
    response["ETag"] = tag
    response["Cache-Control"] = "private, max-age=3600"
    return response


def render_jpeg(content: bytes, *, rotation: int, size: tuple[int, int]) -> bytes:
    """A JPEG that fits into `size` pixels, turned clockwise by `rotation` degrees, without metadata."""
    with _opened(content) as picture:
        picture.draft("RGB", size)
        picture.thumbnail(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        flat = _on_white(picture)
    return _written(flat, rotation, quality=82 if size == READABLE else 75)


def cut_jpeg(content: bytes, *, box: Box, rotation: int, size: tuple[int, int]) -> bytes:
    """A JPEG of the part of the picture around a box (stored pixels), turned clockwise by `rotation` degrees."""
    left, top, right, bottom = box_bounds(box)
    around = AROUND * min(right - left, bottom - top)
    with _opened(content) as picture:
        wide, tall = picture.size
        part = picture.crop(
            (
                max(int(left - around), 0),
                max(int(top - around), 0),
                min(int(right + around) + 1, wide),
                min(int(bottom + around) + 1, tall),
            )
        )
        flat = _on_white(part)
    flat.thumbnail(size, Image.Resampling.BICUBIC)
    return _written(flat, rotation, quality=85)


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise TooLarge("picture_too_large", "图像尺寸过大，无法在页面上显示；卷宗内可以查看。") from error


def _written(flat: Image.Image, rotation: int, *, quality: int) -> bytes:
    if rotation in _UPRIGHT:
        flat = flat.transpose(_UPRIGHT[rotation])
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
