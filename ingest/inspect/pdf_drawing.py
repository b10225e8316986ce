"""Drawing PDF pages with PDFium: gray, colour or bilevel as the page needs, and its own text lines."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops

from ingest.inspect import pdf_text
from ingest.inspect.findings import TextLine
from ingest.inspect.limits import MAX_RENDER_PIXELS, MAX_SIDE, RENDER_DPI
from ingest.inspect.pdf_scan import PageScan
from ingest.inspect.unacceptable import Unacceptable

_POINTS_PER_INCH = 72.0
_GLANCE_DPI = 72
_GLANCE_PIXELS = 1_500_000
_TINT = 12  # levels between the channels: less is not a colour a reader would see
_SAME_RATIO = 0.02


@dataclass(frozen=True)
class Drawn:
    """A page as a picture (mode 1, L or RGB, upright), its dots per inch and its visible text."""

    picture: Image.Image
    dpi: int
    text: tuple[TextLine, ...]
    notes: tuple[str, ...]


class Drawing:
    """An open PDF that draws its pages."""

    def __init__(self, pdf: pypdfium2.PdfDocument) -> None:
        self._pdf = pdf

    def draw(self, index: int, scan: PageScan) -> Drawn:
        """Draw page `index` (from 0): at its one image's own resolution, else at 300 dpi, within limits."""
        try:
            page = self._pdf[index]
        except pypdfium2.PdfiumError as error:
            raise Unacceptable("page_unreadable") from error
        try:
            return self._draw(page, scan)
        except pypdfium2.PdfiumError as error:
            raise Unacceptable("page_unreadable") from error
        finally:
            page.close()

    def _draw(self, page: pypdfium2.PdfPage, scan: PageScan) -> Drawn:
        width, height = page.get_size()
        if not (math.isfinite(width) and math.isfinite(height)) or min(width, height) < 1:
            raise Unacceptable("page_unreadable")
        wanted = _wanted_scale(scan)
        scale = min(wanted, math.sqrt(MAX_RENDER_PIXELS / (width * height)), MAX_SIDE / max(width, height))
        notes = ("页面很大，已按较低的分辨率收下",) if scale < wanted * 0.99 else ()
        coloured = _has_colour(page, width, height)
        # PDFium rounds the size up: a hair less keeps a page of exactly n dots at n
        bitmap = page.render(scale=scale * (1 - 1e-7), grayscale=not coloured, draw_annots=True)
        picture = bitmap.to_pil().copy()
        bitmap.close()
        if scan.image is not None and _is_one_shade(picture) and not _image_decodes(page):
            raise Unacceptable("page_unreadable")
        if not coloured:
            picture = _as_bilevel(picture)
        elif picture.mode != "RGB":
            picture = picture.convert("RGB")
        text = pdf_text.lines(page, picture.size)
        return Drawn(picture, max(1, round(scale * _POINTS_PER_INCH)), text, notes)


@contextmanager
def opened(path: Path) -> Iterator[Drawing]:
    """Open a quiet PDF for drawing; form fields are drawn with what is filled in."""
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise Unacceptable("not_a_pdf") from error
    try:
        if pdf.get_formtype() != pypdfium2.raw.FORMTYPE_NONE:
            pdf.init_forms()
        yield Drawing(pdf)
    finally:
        pdf.close()


def _wanted_scale(scan: PageScan) -> float:
    """Dots per point: the one full image's own, if its dots are square, else the usual 300 dpi."""
    usual = RENDER_DPI / _POINTS_PER_INCH
    if scan.image is None:
        return usual
    across, down = scan.image[0] / scan.size[0], scan.image[1] / scan.size[1]
    if abs(across - down) > _SAME_RATIO * across:
        return max(usual, across, down)
    return max(across, _GLANCE_DPI / _POINTS_PER_INCH)


def _has_colour(page: pypdfium2.PdfPage, width: float, height: float) -> bool:
    """Look at a small drawing first: gray pages then need a quarter of the memory."""
    scale = min(_GLANCE_DPI / _POINTS_PER_INCH, math.sqrt(_GLANCE_PIXELS / (width * height)))
    bitmap = page.render(scale=scale, draw_annots=True)
    glance = bitmap.to_pil().convert("RGB")
    bitmap.close()
    red, green, blue = glance.split()
    widest = 0
    for one, other in ((red, green), (green, blue), (red, blue)):
        extrema = ImageChops.difference(one, other).getextrema()
        widest = max(widest, int(extrema[1]))  # type: ignore[arg-type]
    return widest > _TINT


def _is_one_shade(picture: Image.Image) -> bool:
    shades = picture.convert("L").getextrema()
    return shades[0] == shades[1]


def _image_decodes(page: pypdfium2.PdfPage) -> bool:
    """PDFium leaves out an image that it cannot decode; a scan must not become a blank page."""
    for item in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]):
        try:
            item.get_bitmap().close()
        except pypdfium2.PdfiumError:
            return False
    return True


def _as_bilevel(picture: Image.Image) -> Image.Image:
    """A page of pure black and white becomes one bit a pixel; anything else stays gray."""
    gray = picture.convert("L")
    counts = gray.histogram()
    return gray.convert("1", dither=Image.Dither.NONE) if sum(counts[1:255]) == 0 else gray
