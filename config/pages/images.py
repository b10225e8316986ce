"""Page images for people: a small or a large JPEG made from the stored page, upright; and the page with its text."""

import io
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from PIL import Image

from config.pages.frame import page
from ingest.models import Page
from ocr.models import Reading
from registry.actors import Actor
from registry.permissions import NotYours, visible
from storage.errors import Refused
from storage.services import open_verified

THUMBNAIL = (256, 256)
READABLE = (1600, 1600)
_UPRIGHT = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


class TooLarge(Refused):
    """The picture would take more memory than a page view may."""


@page("page.see")
def thumbnail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _jpeg(request, _page(pk, actor), THUMBNAIL)


@page("page.see")
def image(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _jpeg(request, _page(pk, actor), READABLE)


@page("page.see")
def page_view(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One page, readable, with the pages beside it in its material."""
    shown = _page(pk, actor)
    siblings = list(
        Page.objects.filter(case=shown.case_id, material=shown.material_id)
        .order_by("position", "pk")
        .values_list("pk", flat=True)
    )
    place = siblings.index(shown.pk)
    reading = Reading.objects.current(shown)
    context = {
        "page": shown,
        "reading": reading,
        "lines": _lines(reading),
        "frame": _frame(shown),
        "case": shown.case,
        "place": place + 1,
        "count": len(siblings),
        "before": siblings[place - 1] if place else None,
        "after": siblings[place + 1] if place + 1 < len(siblings) else None,
    }
    return render(request, "case/page.html", context)


@dataclass(frozen=True)
class TextLine:
    """One line that was read, and the corners of its box in the stored picture's pixels."""

    text: str
    corners: str
    uncertain: bool


@dataclass(frozen=True)
class Frame:
    """The stored picture turned upright: size as shown, and the turn that takes its pixels there."""

    width: int
    height: int
    turn: str


def _lines(reading: Reading | None) -> list[TextLine]:
    if reading is None:
        return []
    return [
        TextLine(line.text, " ".join(f"{x:.0f},{y:.0f}" for x, y in line.box), line.uncertain)
        for line in reading.text_lines()
    ]


def _frame(shown: Page) -> Frame:
    width, height = shown.width, shown.height
    turns = {
        0: "",
        90: f"translate({height} 0) rotate(90)",
        180: f"translate({width} {height}) rotate(180)",
        270: f"translate(0 {width}) rotate(270)",
    }
    size = (height, width) if shown.rotation in (90, 270) else (width, height)
    return Frame(*size, turns[shown.rotation])


def _page(pk: int, actor: Actor) -> Page:
    found = (
        visible(actor, "page.see", Page.objects.filter(pk=pk))
        .select_related("stored", "case__item", "material")
        .first()
    )
    if found is None:
        raise NotYours
    return found


def _jpeg(request: HttpRequest, shown: Page, size: tuple[int, int]) -> HttpResponse:
    """The picture, or 304 when the browser still has it: the bytes of a page never change, only its turning."""
    tag = f'"{shown.sha256[:32]}-{shown.rotation}-{size[0]}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(
            render_jpeg(open_verified(shown.stored), rotation=shown.rotation, size=size),
            content_type="image/jpeg",
        )
    response["ETag"] = tag
    response["Cache-Control"] = "private, max-age=3600"
    return response


def render_jpeg(content: bytes, *, rotation: int, size: tuple[int, int]) -> bytes:
    """A JPEG that fits into `size` pixels, turned clockwise by `rotation` degrees, without metadata."""
    try:
        opened = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise TooLarge("picture_too_large", "图像尺寸过大，无法在页面上显示；卷宗内可以查看。") from error
    with opened as picture:
        picture.draft("RGB", size)
        picture.thumbnail(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        flat = _on_white(picture)
    if rotation in _UPRIGHT:
        flat = flat.transpose(_UPRIGHT[rotation])
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=82 if size == READABLE else 75)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
