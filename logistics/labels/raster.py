"""Labels as dots: gray or black-and-white pictures at the resolution of the print head."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from logistics.labels.grid import bar_rectangles, dashes, dots_per_mm, place_bars, place_qr, qr_rectangles
from logistics.labels.label import Label, Size
from logistics.labels.layout import marks
from logistics.labels.marks import BarsMark, Mark, Plate, QrMark, Rule, Text, line_width
from registry.paper.fonts import BASELINE_EM, typeface

BLACK, WHITE = 0, 255
INK_THRESHOLD = 150
"""Gray at or below this becomes ink; above 128 so that thin Chinese strokes survive a 203 dpi head."""


def as_png(label: Label, size: Size, *, dpi: int = 203, depth: int = 1) -> bytes:
    """PNG at 203 or 300 dpi with 1 (black and white) or 8 (gray) bits a pixel. The resolution is in the file."""
    if dpi not in (203, 300) or depth not in (1, 8):
        raise ValueError("labels are drawn at 203 or 300 dpi with 1 or 8 bits a pixel")
    picture = draw(label, size, dpi=dpi)
    if depth == 1:
        picture = to_ink(picture)
    out = io.BytesIO()
    picture.save(out, "PNG", dpi=(dpi, dpi), optimize=False)
    return out.getvalue()


def draw(label: Label, size: Size, *, dpi: int) -> Image.Image:
    """The label as a gray picture."""
    per_mm = dots_per_mm(dpi)
    picture = Image.new("L", (round(size.width * per_mm), round(size.height * per_mm)), WHITE)
    pen = ImageDraw.Draw(picture)
    for mark in marks(label, size):
        _draw(pen, mark, per_mm)
    return picture


def to_ink(picture: Image.Image) -> Image.Image:
    """Black and white without dithering, as a thermal head prints."""
    return picture.point([BLACK if level <= INK_THRESHOLD else WHITE for level in range(256)], mode="1")


@lru_cache(maxsize=2048)
def text_ink(text: str, size: float, bold: bool, per_mm: float) -> Image.Image:
    """One line of text as black-and-white dots, cut to its em box."""
    pixels = round(size * per_mm)
    width = int(line_width(text, size, bold=bold) * per_mm) + 2
    picture = Image.new("L", (width, round(pixels * 1.2)), WHITE)
    _write(ImageDraw.Draw(picture), 0, 0, size, text, bold=bold, ink=BLACK, per_mm=per_mm)
    return to_ink(picture)


@lru_cache(maxsize=256)
def plate_ink(mark: Plate, per_mm: float) -> Image.Image:
    """A black block with its white text as black-and-white dots."""
    picture = Image.new("L", (round(mark.width * per_mm), round(mark.height * per_mm)), BLACK)
    _write_centred(
        ImageDraw.Draw(picture), Plate(0, 0, mark.width, mark.height, mark.size, mark.text), per_mm
    )
    return to_ink(picture)


def _draw(pen: ImageDraw.ImageDraw, mark: Mark, per_mm: float) -> None:
    match mark:
        case Text():
            _write(pen, mark.x, mark.y, mark.size, mark.text, bold=mark.bold, ink=BLACK, per_mm=per_mm)
        case Plate():
            _fill(pen, *_dots(mark.x, mark.y, mark.width, mark.height, per_mm))
            _write_centred(pen, mark, per_mm)
        case Rule():
            for x, width in dashes(mark.x, mark.width) if mark.dashed else [(mark.x, mark.width)]:
                _fill(pen, *_dots(x, mark.y, width, mark.height, per_mm))
        case QrMark():
            for rectangle in qr_rectangles(mark, place_qr(mark, per_mm)):
                _fill(pen, *rectangle)
        case BarsMark():
            for rectangle in bar_rectangles(mark, place_bars(mark, per_mm)):
                _fill(pen, *rectangle)


def _dots(x: float, y: float, width: float, height: float, per_mm: float) -> tuple[int, int, int, int]:
    return round(x * per_mm), round(y * per_mm), max(1, round(width * per_mm)), max(1, round(height * per_mm))


def _fill(pen: ImageDraw.ImageDraw, x: int, y: int, width: int, height: int) -> None:
    pen.rectangle((x, y, x + width - 1, y + height - 1), fill=BLACK)


def _write_centred(pen: ImageDraw.ImageDraw, mark: Plate, per_mm: float) -> None:
    wide = line_width(mark.text, mark.size, bold=True)
    x, y = mark.x + (mark.width - wide) / 2, mark.y + (mark.height - mark.size) / 2
    _write(pen, x, y, mark.size, mark.text, bold=True, ink=WHITE, per_mm=per_mm)


def _write(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    size: float,
    text: str,
    *,
    bold: bool,
    ink: int,
    per_mm: float,
) -> None:
    baseline = round(y * per_mm) + round(BASELINE_EM * size * per_mm)
    pen.text((round(x * per_mm), baseline), text, fill=ink, font=_font(bold, size * per_mm), anchor="ls")


@lru_cache(maxsize=128)
def _font(bold: bool, pixels: float) -> ImageFont.FreeTypeFont:
    file = typeface(bold=bold).file
    return ImageFont.truetype(file.path, pixels, index=file.index, layout_engine=ImageFont.Layout.BASIC)
