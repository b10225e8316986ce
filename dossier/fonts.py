"""The visible typefaces: found through fontconfig, measured and cut down with HarfBuzz."""

import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import uharfbuzz as hb

from storage.errors import Refused

SERIF_BOLD = "Noto Serif CJK SC:bold"
SERIF = "Noto Serif CJK SC:regular"
SANS = "Noto Sans CJK SC:regular"
MISSING = "〓"


class FontMissing(Refused):
    """The machine lacks a typeface with Chinese characters."""


@dataclass(frozen=True, slots=True)
class FontFile:
    """One face inside a font file."""

    path: Path
    index: int = 0


@dataclass(frozen=True, slots=True)
class Typefaces:
    """The three faces that a dossier's own pages are set in."""

    title: FontFile
    body: FontFile
    small: FontFile


@lru_cache(maxsize=1)
def installed_typefaces() -> Typefaces:
    """Noto CJK as fontconfig finds it. Raises FontMissing."""
    return Typefaces(title=_find(SERIF_BOLD), body=_find(SERIF), small=_find(SANS))


def _find(pattern: str) -> FontFile:
    found = subprocess.run(
        ["fc-match", "--format", "%{family}\n%{file}\n%{index}", pattern],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout.split("\n")
    if pattern.partition(":")[0] not in found[0]:
        raise FontMissing("font-missing", "服务器缺少中文字体 Noto CJK，请管理员安装 fonts-noto-cjk 后重试。")
    return FontFile(Path(found[1]), int(found[2]))


class Face:
    """A face with CIDs equal to its own glyph numbers, as CID-keyed CFF allows."""

    def __init__(self, file: FontFile) -> None:
        self.face = hb.Face(hb.Blob.from_file_path(str(file.path)), file.index)
        self.font = hb.Font(self.face)
        self.name = _postscript_name(self.face)
        self._glyphs: dict[str, tuple[int, int]] = {}

    def glyph(self, character: str) -> tuple[int, int]:
        """Glyph number and advance (thousandths of an em) of a character, or of 〓 when the face lacks it."""
        if known := self._glyphs.get(character):
            return known
        glyph = self.font.get_nominal_glyph(ord(character))
        if not glyph:
            glyph = self.font.get_nominal_glyph(ord(MISSING))
        self._glyphs[character] = known = (glyph, self.font.get_glyph_h_advance(glyph))
        return known

    def width(self, text: str, size: float) -> float:
        """Width of a line in points."""
        return sum(self.glyph(character)[1] for character in text) * size / 1000

    def subset(self, glyphs: set[int]) -> bytes:
        """The bare CFF program with only these glyphs; their CIDs stay what they were."""
        wanted = hb.SubsetInput()
        wanted.glyph_set.update(glyphs)
        wanted.flags = hb.SubsetFlags.NO_LAYOUT_CLOSURE | hb.SubsetFlags.NO_HINTING
        table: bytes = hb.subset(self.face, wanted).reference_table("CFF ").data
        return table

    @property
    def metrics(self) -> tuple[int, int]:
        extents = self.font.get_font_extents("ltr")
        return int(extents.ascender), int(extents.descender)


def _postscript_name(face: hb.Face) -> str:
    return str(face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME) or "NotoCJK")


@lru_cache(maxsize=8)
def open_face(file: FontFile) -> Face:
    return Face(file)
