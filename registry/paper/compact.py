"""Cuts the fonts of a finished PDF down to the glyphs it shows, a fifth of what the page engine leaves in.

The engine keeps an empty slot for each of 65,535 glyph numbers. A bare CFF program needs none: its character set
says which numbers its glyphs have.
"""

import io

import pikepdf
import uharfbuzz as hb
from pikepdf import Name


def compact_fonts(pdf: bytes) -> bytes:
    """The same document with compact font programs; the same input gives the same bytes."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for font in [item for item in document.objects if _is_composite_cff(item)]:
            descendant = font.DescendantFonts[0]
            program = descendant.FontDescriptor.FontFile3
            face = hb.Face(hb.Blob(program.read_bytes()))
            glyphs = {0} | _shown(descendant)
            compact = document.make_stream(cff_of(face, glyphs), Subtype=Name.CIDFontType0C)
            descendant.FontDescriptor.FontFile3 = compact
        out = io.BytesIO()
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            recompress_flate=False,
            deterministic_id=True,
        )
    return out.getvalue()


def cff_of(face: hb.Face, glyphs: set[int]) -> bytes:
    """A CID-keyed CFF program of some glyphs of a face, each under its own number."""
    wanted = hb.SubsetInput()
    wanted.sets(hb.SubsetInputSets.GLYPH_INDEX).update(sorted(glyphs))
    return bytes(hb.subset(face, wanted).reference_table("CFF ").data)


def _is_composite_cff(item: object) -> bool:
    if not isinstance(item, pikepdf.Dictionary) or item.get("/Subtype") != Name.Type0:
        return False
    descendant = item.DescendantFonts[0]
    program = descendant.FontDescriptor.get("/FontFile3")
    return (
        descendant.Subtype == Name.CIDFontType0
        and program is not None
        and program.get("/Subtype") == Name.OpenType
    )


def _shown(descendant: pikepdf.Object) -> set[int]:
    """Glyph numbers in the /W array, which lists every glyph used (`first [w …]` or `first last w`)."""
    entries = list(descendant.W)
    glyphs: set[int] = set()
    at = 0
    while at < len(entries):
        first, second = int(entries[at]), entries[at + 1]
        if isinstance(second, pikepdf.Array):
            glyphs.update(range(first, first + len(second)))
            at += 2
        else:
            glyphs.update(range(first, int(second) + 1))
            at += 3
    return glyphs
