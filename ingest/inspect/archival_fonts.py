"""Whether a PDF font may stay as it is in an archival file: embedded, of the widths it states, and readable as text.

The rules are those of ISO 19005-3 (PDF/A-3b) §6.2.11, narrowed to what office programs and browsers write: TrueType
and CFF fonts behind two-byte codes, and plain TrueType. Whatever else there is, the page is drawn as a picture.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.pens.basePen import NullPen
from fontTools.ttLib import TTFont, TTLibError
from pikepdf import Array, Dictionary, Name, Stream

from ingest.inspect.pdf_names import spelt

TOLERANCE = 1.0
"""Thousandths of an em between the stated width and the font's own."""
_FORBIDDEN_MEANINGS = {"\0", "\ufeff", "\ufffe", "\ufffd"}
_NONSYMBOLIC, _SYMBOLIC = 1 << 5, 1 << 2
_HEX = rb"<([0-9A-Fa-f\s]*)>"
_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.*?)end\1", re.DOTALL)
_CHAR = re.compile(_HEX + rb"\s*" + _HEX)
_RANGE = re.compile(_HEX + rb"\s*" + _HEX + rb"\s*(?:" + _HEX + rb"|\[([^\]]*)\])")
Widths = Mapping[int, float]


def stays(font: Dictionary, shown: Iterable[bytes]) -> bool:
    """Whether the font can be kept for these strings. Never raises for a broken font: that is a no."""
    try:
        kind = spelt(font.get("/Subtype"))
        if kind == "/Type0":
            return _composite(font, shown)
        return kind == "/TrueType" and _simple(font, shown)
    except (
        TTLibError,
        pikepdf.PdfError,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        AssertionError,
    ):
        return False


def _composite(font: Dictionary, shown: Iterable[bytes]) -> bool:
    if spelt(font.get("/Encoding")) != "/Identity-H":
        return False
    (descendant,) = cast("list[Dictionary]", font.get("/DescendantFonts"))
    codes = set(_pairs(shown))
    if not codes or not _have_meanings(font, codes, length=2):
        return False
    stated = _stated_widths(descendant, codes)
    descriptor = descendant.get("/FontDescriptor")
    kind = spelt(descendant.get("/Subtype"))
    if kind == "/CIDFontType2":
        glyphs = _cid_to_gid(descendant.get("/CIDToGIDMap"), codes)
        own = _truetype_widths(_program(descriptor, "/FontFile2"), glyphs)
    elif kind == "/CIDFontType0":
        own = _cff_widths(descriptor, codes)
    else:
        return False
    return _agree(stated, own, codes)


def _simple(font: Dictionary, shown: Iterable[bytes]) -> bool:
    codes = {code for text in shown for code in text}
    descriptor = cast("Dictionary", font.get("/FontDescriptor"))
    flags = int(descriptor.get("/Flags", 0))
    program = _program(descriptor, "/FontFile2")
    encoding = font.get("/Encoding")
    with TTFont(io.BytesIO(program), lazy=True) as opened:
        tables = {(table.platformID, table.platEncID): table.cmap for table in opened["cmap"].tables}
        if flags & _NONSYMBOLIC and not flags & _SYMBOLIC:
            if spelt(encoding) != "/WinAnsiEncoding" or (3, 1) not in tables:
                return False
            named = {code: tables[3, 1].get(ord(bytes([code]).decode("cp1252"))) for code in codes}
        elif flags & _SYMBOLIC and encoding is None and len(tables) == 1:
            ((_, only),) = tables.items()
            named = {code: only.get(code) or only.get(0xF000 | code) for code in codes}
            if not _have_meanings(font, codes, length=1):
                return False
        else:
            return False
        own = {
            code: opened["hmtx"][glyph][0] * 1000 / opened["head"].unitsPerEm
            for code, glyph in named.items()
            if glyph not in (None, ".notdef")
        }
    first = int(cast("int", font.get("/FirstChar")))
    widths = [float(width) for width in cast("Array", font.get("/Widths"))]
    stated = {code: widths[code - first] for code in codes if 0 <= code - first < len(widths)}
    return _agree(stated, own, codes)


def _agree(stated: Widths, own: Widths, codes: set[int]) -> bool:
    """Every code has a glyph that is not .notdef, as wide as the page says."""
    return all(
        code in stated and code in own and abs(stated[code] - own[code]) <= TOLERANCE for code in codes
    )


def _pairs(shown: Iterable[bytes]) -> Iterator[int]:
    for text in shown:
        if len(text) % 2:
            raise ValueError("half a code")
        for start in range(0, len(text), 2):
            yield int.from_bytes(text[start : start + 2], "big")


def _program(descriptor: object, key: str) -> bytes:
    """The embedded font. Raises TypeError when it is not there."""
    stream = descriptor.get(key) if isinstance(descriptor, Dictionary) else None
    if not isinstance(stream, Stream):
        raise TypeError("not embedded")
    return bytes(stream.read_bytes())


def _stated_widths(descendant: Dictionary, codes: set[int]) -> Widths:
    default = float(descendant.get("/DW", 1000))
    stated = dict.fromkeys(codes, default)
    entries = list(cast("Iterable[object]", descendant.get("/W", [])))
    at = 0
    while at < len(entries):
        first, second = int(cast("int", entries[at])), entries[at + 1]
        if isinstance(second, Array):
            stated |= {first + offset: float(cast("float", width)) for offset, width in enumerate(second)}
            at += 2
        else:
            last, width = int(cast("int", second)), float(cast("float", entries[at + 2]))
            stated |= {code: width for code in codes if first <= code <= last}
            at += 3
    return stated


def _cid_to_gid(mapping: object, codes: set[int]) -> Mapping[int, int]:
    if isinstance(mapping, Stream):
        table = bytes(mapping.read_bytes())
        return {code: int.from_bytes(table[2 * code : 2 * code + 2], "big") for code in codes}
    if spelt(mapping) == "/Identity":
        return {code: code for code in codes}
    raise ValueError("a CIDToGIDMap is needed")


def _truetype_widths(program: bytes, glyphs: Mapping[int, int]) -> Widths:
    with TTFont(io.BytesIO(program), lazy=True) as font:
        order, metrics, em = font.getGlyphOrder(), font["hmtx"], font["head"].unitsPerEm
        return {
            code: metrics[order[glyph]][0] * 1000 / em
            for code, glyph in glyphs.items()
            if 0 < glyph < len(order)
        }


def _cff_widths(descriptor: object, codes: set[int]) -> Widths:
    program = _program(descriptor, "/FontFile3")
    stream = cast("Stream", cast("Dictionary", descriptor).get("/FontFile3"))
    kind = spelt(stream.get("/Subtype"))
    if kind == "/OpenType":
        with TTFont(io.BytesIO(program), lazy=True) as font:
            return _glyph_widths(font["CFF "].cff, codes)
    if kind != "/CIDFontType0C":
        raise ValueError("no CFF font")
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(program), None)
    return _glyph_widths(fonts, codes)


def _glyph_widths(fonts: CFFFontSet, codes: set[int]) -> Widths:
    top = fonts[0]
    if hasattr(top, "ROS"):
        names = {code: f"cid{code:05d}" for code in codes if code}
    else:
        names = {code: top.charset[code] for code in codes if 0 < code < len(top.charset)}
    scale = 1000 * top.FontMatrix[0]
    widths = {}
    for code, name in names.items():
        if name in top.CharStrings:
            glyph = top.CharStrings[name]
            glyph.draw(NullPen())
            widths[code] = glyph.width * scale
    return widths


def _have_meanings(font: Dictionary, codes: set[int], *, length: int) -> bool:
    """Whether ToUnicode gives every code a character, so that search and copy work ten years on."""
    mapping = font.get("/ToUnicode")
    if not isinstance(mapping, Stream):
        return False
    meanings = _meanings(bytes(mapping.read_bytes()), length)
    return all(code in meanings and not _FORBIDDEN_MEANINGS & set(meanings[code]) for code in codes)


def _meanings(cmap: bytes, length: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for kind, block in _BLOCK.findall(cmap):
        if kind == b"bfchar":
            for code, text in _CHAR.findall(block):
                found[_number(code, length)] = _text(text)
            continue
        for low, high, text, several in _RANGE.findall(block):
            first, last = _number(low, length), _number(high, length)
            if last - first > 0xFFFF:
                raise ValueError("a range without end")
            if several:
                found |= {first + n: _text(one) for n, one in enumerate(re.findall(_HEX, several))}
                continue
            start = _text(text)
            for offset in range(last - first + 1):
                found[first + offset] = start[:-1] + chr(ord(start[-1]) + offset)
    return found


def _number(code: bytes, length: int) -> int:
    plain = bytes.fromhex(code.decode())
    if len(plain) != length:
        raise ValueError("codes of another length")
    return int.from_bytes(plain, "big")


def _text(code: bytes) -> str:
    text = bytes.fromhex(code.decode()).decode("utf-16-be")
    if not text:
        raise ValueError("a code without a meaning")
    return text


def tidy(font: Dictionary) -> None:
    """Take out the optional lists that subsetting programs write wrong (PDF/A holds what is there to its word)."""
    for owner in [font, *cast("Iterable[Dictionary]", font.get("/DescendantFonts", []))]:
        descriptor = owner.get("/FontDescriptor")
        if isinstance(descriptor, Dictionary):
            for key in (Name.CIDSet, Name.CharSet):
                if key in descriptor:
                    del descriptor[key]
