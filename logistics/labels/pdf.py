"""Labels as vector PDF: one page of the label's own size, or sheets of A4 with cutting marks.

The same values give the same bytes: no clock, no random identifier, fonts cut to the characters used.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Name

from logistics.labels.grid import bar_rectangles, dashes, place_bars, place_qr, qr_rectangles
from logistics.labels.label import Label, Size
from logistics.labels.layout import PANEL, marks, panel
from logistics.labels.marks import BarsMark, Mark, Plate, QrMark, Rule, Text, line_width
from registry.paper.compact import cff_of
from registry.paper.fonts import BASELINE_EM, Typeface, typeface

POINTS = 72 / 25.4
A4 = (210.0, 297.0)
SYMBOL_GRID = 8.0
"""Symbols keep to the grid of a 203 dpi head, so that the commonest printer renders every module whole."""


@dataclass
class _Ink:
    """Glyphs used so far, per weight, while a document is drawn."""

    used: dict[bool, dict[int, str]] = field(default_factory=lambda: {False: {}, True: {}})

    def show(self, text: str, *, bold: bool) -> str:
        face = typeface(bold=bold)
        codes = []
        for char in text:
            glyph = face.glyph(char)
            self.used[bold].setdefault(glyph, char)
            codes.append(f"{glyph:04x}")
        return "".join(codes)


def as_pdf(labels: Sequence[Label], size: Size) -> bytes:
    """One page a label, exactly as large as the label paper."""
    ink = _Ink()
    pages = [
        ((size.width, size.height), _drawing(marks(label, size), ink, 0.0, 0.0, float(size.height)))
        for label in labels
    ]
    return _document(pages, ink)


def as_sheets(labels: Sequence[Label], size: Size) -> bytes:
    """As many labels on each A4 page as fit, with cutting marks, for offices without a label printer."""
    sheet, columns, rows = A4, int(A4[0] // size.width), int(A4[1] // size.height)
    left, bottom = (sheet[0] - columns * size.width) / 2, (sheet[1] - rows * size.height) / 2
    ink = _Ink()
    pages = []
    for start in range(0, len(labels), columns * rows):
        content = [_cutting_marks(sheet, size, left, bottom, columns, rows)]
        for index, label in enumerate(labels[start : start + columns * rows]):
            row, column = divmod(index, columns)
            y = bottom + (rows - row) * size.height
            content.append(
                _drawing(marks(label, size), ink, left + column * size.width, sheet[1] - y, sheet[1])
            )
        pages.append((sheet, "\n".join(content)))
    return _document(pages, ink)


def as_panel(label: Label) -> bytes:
    """Our code by itself, to stick beside a label of the carrier's making."""
    ink = _Ink()
    return _document([(PANEL, _drawing(panel(label), ink, 0.0, 0.0, PANEL[1]))], ink)


def _cutting_marks(
    sheet: tuple[float, float], size: Size, left: float, bottom: float, columns: int, rows: int
) -> str:
    strokes = ["0.2 w 0.5 G"]
    xs = [left + column * size.width for column in range(columns + 1)]
    ys = [bottom + row * size.height for row in range(rows + 1)]
    for x in xs:
        for start, end in ((ys[0] - 4, ys[0] - 1), (ys[-1] + 1, ys[-1] + 4)):
            strokes.append(f"{_pt(x)} {_pt(start)} m {_pt(x)} {_pt(end)} l S")
    for y in ys:
        for start, end in ((xs[0] - 4, xs[0] - 1), (xs[-1] + 1, xs[-1] + 4)):
            strokes.append(f"{_pt(start)} {_pt(y)} m {_pt(end)} {_pt(y)} l S")
    return "\n".join(strokes)


def _drawing(drawn: Sequence[Mark], ink: _Ink, left: float, top: float, sheet_height: float) -> str:
    """Content of one label whose top left corner lies at (left, top) millimetres from the sheet's."""
    pen = _Pen(ink, left, sheet_height - top)
    for mark in drawn:
        pen.draw(mark)
    return "\n".join(["q 0 g", *pen.content, "Q"])


@dataclass
class _Pen:
    ink: _Ink
    left: float
    top: float
    content: list[str] = field(default_factory=list)

    def draw(self, mark: Mark) -> None:
        match mark:
            case Text():
                self.write(mark.x, mark.y, mark.size, mark.text, bold=mark.bold)
            case Plate():
                self.fill([(mark.x, mark.y, mark.width, mark.height)])
                wide = line_width(mark.text, mark.size, bold=True)
                self.content.append("1 g")
                x, y = mark.x + (mark.width - wide) / 2, mark.y + (mark.height - mark.size) / 2
                self.write(x, y, mark.size, mark.text, bold=True)
                self.content.append("0 g")
            case Rule():
                pieces = dashes(mark.x, mark.width) if mark.dashed else [(mark.x, mark.width)]
                self.fill([(x, mark.y, width, mark.height) for x, width in pieces])
            case QrMark():
                self.fill_dots(list(qr_rectangles(mark, place_qr(mark, SYMBOL_GRID))))
            case BarsMark():
                self.fill_dots(list(bar_rectangles(mark, place_bars(mark, SYMBOL_GRID))))

    def fill(self, rectangles: list[tuple[float, float, float, float]]) -> None:
        boxes = [
            f"{_pt(self.left + x)} {_pt(self.top - y - height)} {_pt(width)} {_pt(height)} re"
            for x, y, width, height in rectangles
        ]
        self.content.append(" ".join([*boxes, "f"]))

    def fill_dots(self, rectangles: list[tuple[int, int, int, int]]) -> None:
        grid = SYMBOL_GRID
        self.fill([(x / grid, y / grid, width / grid, height / grid) for x, y, width, height in rectangles])

    def write(self, x: float, y: float, size: float, text: str, *, bold: bool) -> None:
        shown = self.ink.show(text, bold=bold)
        x, y = self.left + x, self.top - y - BASELINE_EM * size
        self.content.append(f"BT /{'B' if bold else 'R'} {_pt(size)} Tf {_pt(x)} {_pt(y)} Td <{shown}> Tj ET")


def _pt(millimetres: float) -> str:
    return f"{millimetres * POINTS:.3f}".rstrip("0").rstrip(".")


def _document(pages: Sequence[tuple[tuple[float, float], str]], ink: _Ink) -> bytes:
    document = pikepdf.new()
    fonts = Dictionary()
    for bold, used in ink.used.items():
        if used:
            fonts[Name("/B" if bold else "/R")] = document.make_indirect(
                _font(document, typeface(bold=bold), used)
            )
    for (width, height), content in pages:
        document.add_blank_page(page_size=(width * POINTS, height * POINTS))
        page = document.pages[-1]
        page.obj.Contents = document.make_stream(content.encode("ascii"))
        page.obj.Resources = Dictionary(Font=fonts)
    out = io.BytesIO()
    document.save(out, deterministic_id=True, compress_streams=True)
    return out.getvalue()


def _font(document: pikepdf.Pdf, face: Typeface, used: dict[int, str]) -> Dictionary:
    """A composite font of just the glyphs used; character codes are the glyph numbers of the whole face."""
    glyphs = sorted(used)
    program = document.make_stream(cff_of(face.face, set(glyphs)), Subtype=Name.CIDFontType0C)
    name = Name(f"/TONGBA+{face.file.path.rpartition('/')[2].partition('.')[0]}")
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=name, Flags=4, FontBBox=Array([-1002, -1048, 2928, 1808]), ItalicAngle=0,
        Ascent=880, Descent=-120, CapHeight=733, StemV=80, FontFile3=program,
    )  # fmt: skip
    widths = Array()
    for glyph in glyphs:
        widths.append(glyph)
        widths.append(Array([round(face.font.get_glyph_h_advance(glyph) * 1000 / face.face.upem)]))
    descendant = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType0, BaseFont=name, DW=1000, W=widths,
        CIDSystemInfo=Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0),
        FontDescriptor=document.make_indirect(descriptor),
    )  # fmt: skip
    return Dictionary(
        Type=Name.Font, Subtype=Name.Type0, BaseFont=name, Encoding=Name("/Identity-H"),
        DescendantFonts=Array([document.make_indirect(descendant)]),
        ToUnicode=document.make_stream(_to_unicode(used)),
    )  # fmt: skip


def _to_unicode(used: dict[int, str]) -> bytes:
    rows = [f"<{glyph:04x}> <{char.encode('utf-16-be').hex()}>" for glyph, char in sorted(used.items())]
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{body}\nendcmap end end"
    ).encode()
