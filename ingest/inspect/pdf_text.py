"""The text a PDF page shows by itself, line by line, with boxes in pixels of the drawn page."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.inspect.findings import TextLine

_INVISIBLE = {pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP}
_MAX_CHARACTERS = 100_000
_TOO_MANY_UNKNOWN = 0.05
_COLUMN_GAP = 1.6  # of the line's height: wider gaps part columns
_BACKWARD = 1.0
_FAR = 10_000

Box = tuple[float, float, float, float]
ToPixels = Callable[[Box], Box]


@dataclass
class _Line:
    """A line being gathered; the box is left, top, right, bottom in pixels."""

    text: list[str] = field(default_factory=list)
    box: Box | None = None

    def takes(self, box: Box) -> bool:
        if self.box is None:
            return True
        _, top, right, bottom = self.box
        height = max(bottom - top, 1.0)
        middle = (box[1] + box[3]) / 2
        gap = box[0] - right
        return top - 0.2 * height <= middle <= bottom + 0.2 * height and (
            -_BACKWARD * height <= gap <= _COLUMN_GAP * height
        )

    def add(self, character: str, box: Box) -> None:
        self.text.append(character)
        if self.box is None:
            self.box = box
        else:
            mine = self.box
            self.box = (
                min(mine[0], box[0]),
                min(mine[1], box[1]),
                max(mine[2], box[2]),
                max(mine[3], box[3]),
            )


def lines(page: pypdfium2.PdfPage, size: tuple[int, int]) -> tuple[TextLine, ...]:
    """Visible lines in the page's own order; none where the fonts do not say what their glyphs mean.

    `size` is the drawn page in pixels; boxes are (left, top, right, bottom) in it.
    """
    textpage = page.get_textpage()
    try:
        found = []
        for line in _gathered(textpage, _to_pixels(page, size)):
            text = "".join(line.text).strip()
            if text and line.box is not None:
                found.append(TextLine(text=text, box=line.box))
        return tuple(found)
    finally:
        textpage.close()


def _gathered(textpage: pypdfium2.PdfTextPage, to_pixels: ToPixels) -> list[_Line]:
    count = textpage.count_chars()
    if not 0 < count <= _MAX_CHARACTERS:
        return []
    result, line = [], _Line()
    unknown = 0
    for index in range(count):
        character = _character(textpage, index)
        if character in "\r\n":
            if line.text:
                result.append(line)
                line = _Line()
            continue
        if character == " ":
            if line.text and line.text[-1] != " ":
                line.text.append(" ")
            continue
        if not _is_visible(textpage, index):
            continue
        unknown += _is_unknown(textpage, index, character)
        box = to_pixels(textpage.get_charbox(index))
        if not line.takes(box):
            result.append(line)
            line = _Line()
        line.add(character, box)
    if line.text:
        result.append(line)
    shown = sum(len(one.text) for one in result)
    return [] if unknown > _TOO_MANY_UNKNOWN * shown else result


def _character(textpage: pypdfium2.PdfTextPage, index: int) -> str:
    code = int(pdfium.FPDFText_GetUnicode(textpage, index))
    return chr(code) if 0 < code < 0xD800 or 0xE000 <= code <= 0x10FFFF else "\ufffd"


def _is_unknown(textpage: pypdfium2.PdfTextPage, index: int, character: str) -> bool:
    if character == "\ufffd" or "\ue000" <= character <= "\uf8ff" or ord(character) < 0x20:
        return True
    return bool(pdfium.FPDFText_HasUnicodeMapError(textpage, index) == 1)


def _is_visible(textpage: pypdfium2.PdfTextPage, index: int) -> bool:
    item = pdfium.FPDFText_GetTextObject(textpage, index)
    if not item:
        return True  # a character that PDFium generated between two others
    return pdfium.FPDFTextObj_GetTextRenderMode(item) not in _INVISIBLE


def _to_pixels(page: pypdfium2.PdfPage, size: tuple[int, int]) -> ToPixels:
    """From page points to pixels of the drawing, which PDFium has turned by /Rotate.

    PDFium answers whole pixels only: three far points give the map without rounding.
    """
    origin, right, up = (_point(page, size, x, y) for x, y in ((0, 0), (_FAR, 0), (0, _FAR)))
    a, b = (right[0] - origin[0]) / _FAR, (right[1] - origin[1]) / _FAR
    c, d = (up[0] - origin[0]) / _FAR, (up[1] - origin[1]) / _FAR

    def convert(box: Box) -> Box:
        xs = sorted(a * box[i] + c * box[j] + origin[0] for i, j in ((0, 1), (2, 3)))
        ys = sorted(b * box[i] + d * box[j] + origin[1] for i, j in ((0, 1), (2, 3)))
        return (round(xs[0], 1), round(ys[0], 1), round(xs[1], 1), round(ys[1], 1))

    return convert


def _point(page: pypdfium2.PdfPage, size: tuple[int, int], x: int, y: int) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, size[0], size[1], 0, x, y, across, down)
    return across.value, down.value
