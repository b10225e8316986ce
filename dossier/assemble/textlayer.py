"""The invisible text over a page image, so that search and copy give clean Chinese.

One Type0 font serves the whole document: every character read gets a CID of its own, all CIDs show one of two
outlined boxes (an empty glyph is dropped by PDFium), ToUnicode says what they mean, and every line is a single
show operator stretched to its box, so that no reader sees a gap where a space could be.
"""

import io
import math
from collections.abc import Iterable
from functools import lru_cache

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from dossier.assemble.writer import Name, Ref, StreamingWriter, Value, number
from dossier.contents import TextLine

FULL, HALF = 1, 2
FIRST_FULL_CID = 0x100
FONT_NAME = "TONGBA+TongbanText"
DESCENT = 0.12
Transform = tuple[float, float, float, float]


class InvisibleFont:
    """Hands out CIDs while pages are written, and writes the font at the end."""

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self._cids: dict[str, int] = {}
        self._next = FIRST_FULL_CID

    def encode(self, text: str) -> bytes:
        return b"".join(self._cid(character).to_bytes(2, "big") for character in text)

    def _cid(self, character: str) -> int:
        known = self._cids.get(character)
        if known is None:
            if _is_half(character):
                known = ord(character)
            else:
                known = self._next
                self._next += 1
            self._cids[character] = known
        return known

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
        glyphs = bytearray()
        for cid in range(max(self._next, FIRST_FULL_CID)):
            glyphs += bytes([0, FULL if cid >= FIRST_FULL_CID else HALF])
        descendant = writer.put(
            {
                "Type": Name("Font"),
                "Subtype": Name("CIDFontType2"),
                "BaseFont": Name(FONT_NAME),
                "CIDSystemInfo": {"Registry": "Adobe", "Ordering": "Identity", "Supplement": 0},
                "FontDescriptor": descriptor,
                "DW": 1000,
                "W": [0, FIRST_FULL_CID - 1, 500],
                "CIDToGIDMap": writer.put_stream({}, bytes(glyphs)),
            }
        )
        head: dict[str, Value] = {
            "Type": Name("Font"),
            "Subtype": Name("Type0"),
            "BaseFont": Name(FONT_NAME),
            "Encoding": Name("Identity-H"),
            "DescendantFonts": [descendant],
            "ToUnicode": writer.put_stream({}, to_unicode((cid, text) for text, cid in self._cids.items())),
        }
        writer.put(head, self.ref)


def text_operators(
    lines: Iterable[TextLine], font: InvisibleFont, *, scale: Transform, resource: str = "T"
) -> bytes:
    """Content stream of the lines in unrotated page space.

    `scale` is (x of the image's left edge, y of its top edge, points a pixel across, points a pixel down).
    """
    parts = [b"BT 3 Tr"]
    for line in lines:
        text = "".join(character for character in line.text if character.isprintable()).strip()
        if text:
            parts.append(_line_operators(text, line, font, scale, resource))
    parts.append(b"ET")
    return b"\n".join(parts) if len(parts) > 2 else b""


def _line_operators(text: str, line: TextLine, font: InvisibleFont, scale: Transform, resource: str) -> bytes:
    left, top, across, down = scale
    corners = [(left + x * across, top - y * down) for x, y in line.box]
    start_top, end_top, end_bottom, start_bottom = corners
    length = math.dist(start_bottom, end_bottom)
    height = (math.dist(start_top, start_bottom) + math.dist(end_top, end_bottom)) / 2
    if height > 1.5 * length and len(text) > 1:  # a column: it runs down the box, not across it
        start_top, end_top, end_bottom, start_bottom = end_top, end_bottom, start_bottom, start_top
        length, height = height, length
    size = max(height, 1.0)
    natural = size * sum(0.5 if _is_half(character) else 1.0 for character in text)
    stretch = max(1.0, 100 * max(length, 1.0) / natural)
    cosine, sine = _direction(start_bottom, end_bottom)
    x = start_bottom[0] + (start_top[0] - start_bottom[0]) * DESCENT
    y = start_bottom[1] + (start_top[1] - start_bottom[1]) * DESCENT
    turned = " ".join(number(value) for value in (cosine, sine, -sine, cosine))
    head = f"/{resource} {size:.1f} Tf {stretch:.0f} Tz {turned} {x:.0f} {y:.0f} Tm "
    return head.encode() + _literal(font.encode(text)) + b"Tj"


def _direction(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    return math.cos(angle), math.sin(angle)


def _is_half(character: str) -> bool:
    return " " <= character <= "~"


def _literal(data: bytes) -> bytes:
    escaped = data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)").replace(b"\r", b"\\r")
    return b"(" + escaped + b")"


def to_unicode(pairs: Iterable[tuple[int, str]]) -> bytes:
    """A ToUnicode CMap for two-byte codes."""
    ordered = sorted(pairs)
    parts = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo <</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    for start in range(0, len(ordered), 100):
        block = ordered[start : start + 100]
        parts.append(f"{len(block)} beginbfchar")
        parts += [f"<{cid:04X}> <{text.encode('utf-16-be').hex().upper()}>" for cid, text in block]
        parts.append("endbfchar")
    parts.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(parts).encode()


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
