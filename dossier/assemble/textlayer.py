"""The invisible text over a page image, so that search and copy give clean Chinese.

One Type0 font serves the whole document: every character read gets a code of its own, all codes show one of two
outlined boxes (an empty glyph is dropped by PDFium), ToUnicode says what they mean, and every line is a single
show operator stretched to its box, so that no reader sees a gap where a space could be.
"""

import io
import math
from collections.abc import Iterable
from functools import lru_cache

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from dossier.assemble.charcodes import CharCodes, to_unicode
from dossier.assemble.writer import Name, Ref, StreamingWriter, Value, number
from dossier.contents import Point, TextLine

FULL, HALF = 1, 2
FONT_NAME = "TONGBA+TongbanText"
DESCENT = 0.12
STRAIGHT = 2.0
"""A line that rises less than this, in points, over its whole length is set level."""
CMAP_HEAD: dict[str, Value] = {
    "Type": Name("CMap"),
    "CMapName": Name("TongbanCodes"),
    "CIDSystemInfo": {"Registry": "Adobe", "Ordering": "Identity", "Supplement": 0},
}
Transform = tuple[float, float, float, float]


class InvisibleFont:
    """One font for all text of the document; its codes are shared out before the first page is written."""

    def __init__(self, ref: Ref, texts: Iterable[str]) -> None:
        """`texts` are all lines that will be set, as `shown` gives them."""
        self.ref = ref
        self._codes = CharCodes(texts)

    def encode(self, text: str) -> bytes:
        return self._codes.encode(text)

    def write(self, writer: StreamingWriter) -> None:
        program = writer.put_stream({"Length1": len(_box_font())}, _box_font())
        descriptor = writer.put(
            {
                "Type": Name("FontDescriptor"),
                "FontName": Name(FONT_NAME),
                "Flags": 4,
                "FontBBox": [0, -120, 1000, 880],
                "ItalicAngle": 0,
                "Ascent": 880,
                "Descent": -120,
                "CapHeight": 880,
                "StemV": 80,
                "FontFile2": program,
            }
        )
        cids = list(self._codes.cids())
        glyphs = bytearray(2 * (cids[-1][0] + 1))
        widths: list[Value] = []
        for cid, character in cids:
            glyphs[2 * cid + 1] = HALF if is_half(character) else FULL
            if is_half(character):
                widths += [cid, cid, 500]
        descendant = writer.put(
            {
                "Type": Name("Font"),
                "Subtype": Name("CIDFontType2"),
                "BaseFont": Name(FONT_NAME),
                "CIDSystemInfo": {"Registry": "Adobe", "Ordering": "Identity", "Supplement": 0},
                "FontDescriptor": descriptor,
                "DW": 1000,
                "W": widths,
                "CIDToGIDMap": writer.put_stream({}, bytes(glyphs)),
            }
        )
        head: dict[str, Value] = {
            "Type": Name("Font"),
            "Subtype": Name("Type0"),
            "BaseFont": Name(FONT_NAME),
            "Encoding": writer.put_stream(CMAP_HEAD, self._codes.cmap()),
            "DescendantFonts": [descendant],
            "ToUnicode": writer.put_stream({}, to_unicode(self._codes.pairs())),
        }
        writer.put(head, self.ref)


def shown(line: TextLine) -> str:
    """What of a line is set: nothing that would not print."""
    return "".join(character for character in line.text if character.isprintable()).strip()


def text_operators(
    lines: Iterable[TextLine], font: InvisibleFont, *, scale: Transform, resource: str = "T"
) -> bytes:
    """Content stream of the lines in unrotated page space.

    `scale` is (x of the image's left edge, y of its top edge, points a pixel across, points a pixel down).
    """
    pen = _Pen(font, resource)
    for line in lines:
        text = shown(line)
        if text:
            pen.line(text, line, scale)
    return b"BT 3 Tr\n" + b"\n".join(pen.parts) + b"\nET" if pen.parts else b""


class _Pen:
    """Writes each line with as few operators as it differs from the one before."""

    def __init__(self, font: InvisibleFont, resource: str) -> None:
        self.parts: list[bytes] = []
        self._font = font
        self._resource = resource
        self._size = self._stretch = ""
        self._start: tuple[int, int] | None = (
            0,
            0,
        )  # None: the last line was turned, so Td would follow its slope

    def line(self, text: str, line: TextLine, scale: Transform) -> None:
        start, end, height = _baseline(text, line, scale)
        length = max(math.dist(start, end), 1.0)
        size = f"{max(height, 1.0):.0f}"
        natural = int(size) * sum(0.5 if is_half(character) else 1.0 for character in text)
        stretch = f"{max(1.0, 100 * length / natural):.0f}"
        words = []
        if size != self._size:
            words.append(f"/{self._resource} {size} Tf")
        if stretch != self._stretch:
            words.append(f"{stretch} Tz")
        self._size, self._stretch = size, stretch
        words.append(self._move(start, end))
        self.parts.append(" ".join(words).encode() + b"(" + self._font.encode(text) + b")Tj")

    def _move(self, start: Point, end: Point) -> str:
        cosine, sine = _direction(start, end)
        x, y = round(start[0]), round(start[1])
        if cosine > 0 and abs(sine) * math.dist(start, end) < STRAIGHT:
            before, self._start = self._start, (x, y)
            return f"1 0 0 1 {x} {y} Tm" if before is None else f"{x - before[0]} {y - before[1]} Td"
        self._start = None
        turned = " ".join(number(value) for value in (cosine, sine, -sine, cosine))
        return f"{turned} {x} {y} Tm"


def _baseline(text: str, line: TextLine, scale: Transform) -> tuple[Point, Point, float]:
    """Where the line starts and ends, a little above the box's lower edge, and how high it is, in points."""
    left, top, across, down = scale
    corners = [(left + x * across, top - y * down) for x, y in line.box]
    start_top, end_top, end_bottom, start_bottom = corners
    length = math.dist(start_bottom, end_bottom)
    height = (math.dist(start_top, start_bottom) + math.dist(end_top, end_bottom)) / 2
    if height > 1.5 * length and len(text) > 1:  # a column: it runs down the box, not across it
        start_top, end_top, end_bottom, start_bottom = end_top, end_bottom, start_bottom, start_top
        height = length
    return _between(start_bottom, start_top), _between(end_bottom, end_top), height


def _between(bottom: Point, top: Point) -> Point:
    return bottom[0] + (top[0] - bottom[0]) * DESCENT, bottom[1] + (top[1] - bottom[1]) * DESCENT


def _direction(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    return math.cos(angle), math.sin(angle)


def is_half(character: str) -> bool:
    return " " <= character <= "~"


@lru_cache(maxsize=1)
def _box_font() -> bytes:
    """A TrueType program of three glyphs: .notdef (never used), a full-width and a half-width box."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "full", "half"])
    builder.setupCharacterMap({})
    builder.setupGlyf({".notdef": _box(500), "full": _box(1000), "half": _box(500)})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "full": (1000, 0), "half": (500, 0)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": FONT_NAME, "styleName": "Regular", "psName": FONT_NAME})
    builder.setupOS2(sTypoAscender=880, usWinAscent=880, usWinDescent=120)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    buffer = io.BytesIO()
    builder.save(buffer)
    return buffer.getvalue()


def _box(width: int) -> object:
    pen = TTGlyphPen(None)
    for edge in (((0, -120), (0, 880), (width, 880), (width, -120)),):
        pen.moveTo(edge[0])
        for point in edge[1:]:
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()
