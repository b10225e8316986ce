"""Marked copies: words across every page of a copy, for whom and what it may be used."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import pikepdf

from dossier.assemble.draw import VisibleFont
from dossier.assemble.writer import Name, Ref, StreamingWriter, number
from dossier.fonts import installed_typefaces

SIZE = 15.0
LEADING = 24.0
GRAY = "0.35 g"


def stamp_copy(source: Path, target: Path, *, lines: Sequence[str]) -> None:
    """Write `source` to `target` with `lines` twice across each page, upright as the page is seen.

    Signatures do not survive a change, so their fields are turned into what they look like and the copy
    carries none; nor does it carry the manifest, which speaks of other bytes. The text is drawn as real text: it cannot be mistaken for part of a scan.
    """
    with pikepdf.open(source) as pdf:
        pdf.flatten_annotations("all")
        for page in pdf.pages:
            notes = page.obj.get("/Annots", pikepdf.Array())
            page.obj["/Annots"] = pikepdf.Array([note for note in notes if note.get("/Subtype") != "/Widget"])
        for key in ("/AcroForm", "/Perms", "/DSS", "/StructTreeRoot", "/AF", "/Names"):
            if key in pdf.Root:
                del pdf.Root[key]
        mark_pages(pdf, lines)
        pdf.save(target, deterministic_id=True)


def mark_pages(pdf: pikepdf.Pdf, lines: Sequence[str], *, first: int = 0) -> None:
    """Draw `lines` twice across each page from page `first` (counted from 0) on."""
    with pikepdf.open(io.BytesIO(_stamp_pdf(lines))) as stamp:
        form = pdf.copy_foreign(stamp.pages[0].obj.Resources.XObject.Stamp)
    for page in pdf.pages[first:]:
        _paint(pdf, page, form)


def _paint(pdf: pikepdf.Pdf, page: pikepdf.Page, form: pikepdf.Object) -> None:
    left, bottom, right, top = (float(edge) for edge in page.mediabox)
    width, height = right - left, top - bottom
    turn = -math.radians(int(page.obj.get("/Rotate", 0)))
    angle = math.radians(32) - turn
    resources = page.obj.Resources
    if "/XObject" not in resources:
        resources["/XObject"] = pikepdf.Dictionary()
    resources.XObject["/CopyStamp"] = form
    marks = []
    for share in (0.3, 0.7):
        # Positions run up the page as it is seen, whatever way it is turned.
        x = left + width * (share if turn else 0.5)
        y = bottom + height * (0.5 if turn and abs(math.sin(turn)) > 0.5 else share)
        cosine, sine = math.cos(angle), math.sin(angle)
        matrix = " ".join(number(value) for value in (cosine, sine, -sine, cosine, x, y))
        marks.append(f"q {matrix} cm /CopyStamp Do Q")
    page.contents_add(pdf.make_stream(b"q"), prepend=True)
    page.contents_add(pdf.make_stream(("Q /Artifact BMC " + " ".join(marks) + " EMC").encode()))


def _stamp_pdf(lines: Sequence[str]) -> bytes:
    """A PDF of one page whose form /Stamp shows the lines around the origin, half transparent."""
    buffer = io.BytesIO()
    writer = StreamingWriter(buffer)
    font = VisibleFont(installed_typefaces().body, writer.reserve())
    parts = [f"/Half gs {GRAY} BT /F1 {number(SIZE)} Tf"]
    widest = max(font.width(line, SIZE) for line in lines)
    for index, line in enumerate(lines):
        x, y = -font.width(line, SIZE) / 2, (len(lines) / 2 - index - 0.7) * LEADING
        parts.append(f"1 0 0 1 {number(x)} {number(y)} Tm <{font.encode(line)}> Tj")
    parts.append("ET")
    half = writer.put({"Type": Name("ExtGState"), "ca": 0.38, "CA": 0.38})
    form = writer.put_stream(
        {
            "Type": Name("XObject"),
            "Subtype": Name("Form"),
            "BBox": [-widest / 2 - 10, -LEADING * len(lines), widest / 2 + 10, LEADING * len(lines)],
            "Resources": {"Font": {"F1": font.ref}, "ExtGState": {"Half": half}},
        },
        "\n".join(parts).encode(),
    )
    font.write(writer)
    root = _one_page(writer, form)
    writer.finish(root, identity=bytes(16))
    return buffer.getvalue()


def _one_page(writer: StreamingWriter, form: Ref) -> Ref:
    tree = writer.reserve()
    page = writer.put(
        {
            "Type": Name("Page"),
            "Parent": tree,
            "MediaBox": [0, 0, 100, 100],
            "Resources": {"XObject": {"Stamp": form}},
        }
    )
    writer.put({"Type": Name("Pages"), "Kids": [page], "Count": 1}, tree)
    return writer.put({"Type": Name("Catalog"), "Pages": tree})
