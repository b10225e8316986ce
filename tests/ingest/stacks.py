"""Scanned stacks for tests: real separator sheets and papers between them, as one PDF out of a scanner."""

import io
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw

from ingest.models import Case, Page, Stack, StackPage
from tests.cast import NOW

DPI = 150
A4 = (1240, 1754)


def paper(words: str) -> Image.Image:
    """A written page; the words make it unlike the others."""
    page = Image.new("L", A4, 246)
    draw = ImageDraw.Draw(page)
    for row in range(12):
        draw.text((150, 200 + 90 * row), f"{words} {row}", fill=25, font_size=40)
    return page


def blank(level: int = 246) -> Image.Image:
    """The back of a written page: the front shines through faintly, and there is a speck or two of dust."""
    page = paper("through").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    page = page.point(lambda value: level if value > 200 else level - 18)
    ImageDraw.Draw(page).rectangle((600, 700, 603, 703), fill=60)
    return page


def sheets_of(pdf: bytes) -> list[Image.Image]:
    """The pages of a printed PDF as a scanner would see them."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=DPI / 72).to_pil().convert("L") for page in document]


def spoiled(sheet: Image.Image) -> Image.Image:
    """All three codes smeared; the bars are still there."""
    copy = sheet.copy()
    draw = ImageDraw.Draw(copy)
    for box in ((130, 80, 380, 330), (370, 750, 900, 1270), (860, 1420, 1110, 1680)):
        draw.rectangle(box, fill=150)
    return copy


def scan(path: Path, pages: Sequence[Image.Image]) -> Path:
    """One PDF of JPEG pages."""
    frames = []
    for page in pages:
        out = io.BytesIO()
        page.save(out, "JPEG", quality=80, dpi=(DPI, DPI))
        frames.append(Image.open(out))
    frames[0].save(path, "PDF", resolution=DPI, save_all=True, append_images=frames[1:])
    return path


def waiting_page(case: Case) -> StackPage:
    """A page in the tray of the case's window, whose picture is that of the case's first page."""
    like = Page.objects.filter(case=case).order_by("pk")[0]
    stack = Stack.objects.create(
        window=case.window, sha256="1" * 64, size=1, verdict="accepted", uploaded_at=NOW
    )
    return StackPage.objects.create(
        stack=stack,
        number=1,
        stored=like.stored,
        sha256=like.sha256,
        media_type=like.media_type,
        width=like.width,
        height=like.height,
        dpi=like.dpi,
        source=like.source,
        fate=StackPage.Fate.WAITING,
        why="no_sheet",
    )
