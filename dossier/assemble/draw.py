"""Drawing our own pages: text in embedded subsets, hairlines, links and tags."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dossier.assemble.charcodes import glyph_names
from dossier.assemble.writer import Name, Ref, StreamingWriter, Value, number, serialise
from dossier.fonts import Face, FontFile, open_face

A4 = (595.276, 841.89)
BLACK = "0 g"
GRAY = "0.42 g"
RED = "0.72 0.07 0.09 rg"
NEVER_FIRST = "，。、；：？！）》」』】”’％…·,.;:?!)]%"
NEVER_LAST = "（《「『【“‘(["


class VisibleFont:
    """A face in the document, and which of its glyphs are used."""

    def __init__(self, file: FontFile, ref: Ref) -> None:
        self.face: Face = open_face(file)
        self.ref = ref
        self._used: dict[int, str] = {}

    def encode(self, text: str) -> str:
        codes = []
        for character in text:
            glyph, _ = self.face.glyph(character)
            self._used.setdefault(glyph, character)
            codes.append(f"{glyph:04X}")
        return "".join(codes)

    def width(self, text: str, size: float) -> float:
        return self.face.width(text, size)

    def write(self, writer: StreamingWriter) -> None:
        program = self.face.subset(set(self._used))
        tag = hashlib.sha256(program).digest()
        name = Name("".join(chr(65 + byte % 26) for byte in tag[:6]) + "+" + self.face.name)
        ascent, descent = self.face.metrics
        descriptor = writer.put(
            {
                "Type": Name("FontDescriptor"),
                "FontName": name,
                "Flags": 4,
                "FontBBox": [-1000, descent - 200, 2000, ascent + 200],
                "ItalicAngle": 0,
                "Ascent": ascent,
                "Descent": descent,
                "CapHeight": 733,
                "StemV": 80,
                "FontFile3": writer.put_stream({"Subtype": Name("CIDFontType0C")}, program),
            }
        )
        widths: list[Value] = []
        for glyph, character in sorted(self._used.items()):
            advance = self.face.glyph(character)[1]
            if advance != 1000:
                widths += [glyph, [advance]]
        descendant = writer.put(
            {
                "Type": Name("Font"),
                "Subtype": Name("CIDFontType0"),
                "BaseFont": name,
                "CIDSystemInfo": {"Registry": "Adobe", "Ordering": "Identity", "Supplement": 0},
                "FontDescriptor": descriptor,
                "DW": 1000,
                "W": widths,
            }
        )
        writer.put(
            {
                "Type": Name("Font"),
                "Subtype": Name("Type0"),
                "BaseFont": Name(f"{name}-Identity-H"),
                "Encoding": Name("Identity-H"),
                "DescendantFonts": [descendant],
                "ToUnicode": writer.put_stream({}, glyph_names(self._used.items())),
            },
            self.ref,
        )

    @property
    def is_used(self) -> bool:
        return bool(self._used)


@dataclass(frozen=True, slots=True)
class FontSet:
    """The document's visible fonts by the names that content streams use."""

    title: VisibleFont
    body: VisibleFont
    small: VisibleFont

    def resources(self) -> dict[str, Value]:
        return {"F1": self.title.ref, "F2": self.body.ref, "F3": self.small.ref}

    def name_of(self, font: VisibleFont) -> str:
        return {id(self.title): "F1", id(self.body): "F2", id(self.small): "F3"}[id(font)]

    def write(self, writer: StreamingWriter) -> None:
        for font in (self.title, self.body, self.small):
            if not font.is_used:
                font.encode(" ")
            font.write(writer)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A piece of marked content: its role in the structure tree, and where a click on it leads."""

    role: str
    mcid: int
    link: tuple[tuple[float, float, float, float], Ref, str] | None = None


@dataclass(slots=True)
class Sheet:
    """One A4 page of our own; y runs downwards from the top edge, in points."""

    fonts: FontSet
    operators: list[str] = field(default_factory=list)
    tags: list[Tagged] = field(default_factory=list)
    widgets: list[Ref] = field(default_factory=list)
    _open: bool = False

    @contextmanager
    def tag(
        self, role: str, *, link: tuple[tuple[float, float, float, float], Ref, str] | None = None
    ) -> Iterator[None]:
        mcid = len(self.tags)
        self.tags.append(Tagged(role, mcid, link))
        self.operators.append(f"/{role} <</MCID {mcid}>> BDC")
        self._open = True
        yield
        self._open = False
        self.operators.append("EMC")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        font: VisibleFont,
        size: float,
        *,
        colour: str = BLACK,
        spacing: float = 0,
    ) -> None:
        """Set `text` with its baseline at y; `spacing` opens the letters, in points."""
        place = f"1 0 0 1 {number(x)} {number(A4[1] - y)} Tm"
        shown = f"/{self.fonts.name_of(font)} {number(size)} Tf {place}"
        codes = font.encode(text)
        if not spacing:
            self._paint(f"{colour} BT {shown} <{codes}> Tj ET")
            return
        # Wide letter spacing would read as spaces: say what the text is.
        actual = serialise({"ActualText": text}).decode()
        self._paint(f"/Span {actual} BDC {colour} BT {shown} {number(spacing)} Tc <{codes}> Tj 0 Tc ET EMC")

    def centred(
        self, y: float, text: str, font: VisibleFont, size: float, *, colour: str = BLACK, spacing: float = 0
    ) -> None:
        width = font.width(text, size) + spacing * (len(text) - 1)
        self.text((A4[0] - width) / 2, y, text, font, size, colour=colour, spacing=spacing)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, width: float = 0.5, colour: str = "0.6 G"
    ) -> None:
        top = A4[1]
        self._paint(
            f"{colour} {number(width)} w {number(x1)} {number(top - y1)} m {number(x2)} {number(top - y2)} l S"
        )

    def box(self, x: float, y: float, width: float, height: float, *, colour: str = "0.6 G") -> None:
        self._paint(
            f"{colour} 0.5 w {number(x)} {number(A4[1] - y - height)} {number(width)} {number(height)} re S"
        )

    def paint(self, operators: str) -> None:
        self._paint(operators)

    def content(self) -> bytes:
        return "\n".join(self.operators).encode()

    def _paint(self, operators: str) -> None:
        self.operators.append(operators if self._open else f"/Artifact BMC {operators} EMC")


def wrap(text: str, font: VisibleFont, size: float, width: float) -> list[str]:
    """Lines no wider than `width` points; words and numbers stay whole where they fit, and no line
    begins with closing or ends with opening punctuation."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _pieces(paragraph):
            piece = word
            if line and font.width(line + piece, size) > width:
                keep, carried = _split(line, piece)
                lines.append(keep.rstrip())
                line = carried
            while font.width(line + piece, size) > width and len(piece) > 1:
                fitting = max(
                    (end for end in range(1, len(piece)) if font.width(line + piece[:end], size) <= width),
                    default=1,
                )
                lines.append(line + piece[:fitting])
                line, piece = "", piece[fitting:]
            line = (line + piece).lstrip() if not line else line + piece
        lines.append(line)
    return lines


def _split(line: str, piece: str) -> tuple[str, str]:
    """Where to break between a full line and the piece that no longer fits."""
    cut = len(line)
    first = piece[0]
    while cut > 1 and (first in NEVER_FIRST or line[cut - 1] in NEVER_LAST):
        cut -= 1
        first = line[cut]
    return (line[:cut], line[cut:]) if cut > 1 else (line, "")


def _pieces(text: str) -> Iterator[str]:
    word = ""
    for character in text:
        if character.isascii() and not character.isspace():
            word += character
            continue
        if word:
            yield word
            word = ""
        yield character
    if word:
        yield word
