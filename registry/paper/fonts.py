"""The Chinese typeface that everything printed uses, found through fontconfig and measured with HarfBuzz."""

import subprocess
from dataclasses import dataclass
from functools import lru_cache

import uharfbuzz as hb

SANS = "Noto Sans CJK SC"
SERIF = "Noto Serif CJK SC"
BASELINE_EM = 0.88
"""How far below the top of the em box the baseline lies in the Noto CJK faces."""


class FontMissing(RuntimeError):
    """The machine lacks the typeface; the Debian package is fonts-noto-cjk."""


@dataclass(frozen=True)
class FontFile:
    """A face inside a font file or collection."""

    path: str
    index: int


@dataclass(frozen=True)
class Typeface:
    """A face ready for measuring: glyph numbers and advances, in thousandths of the size."""

    file: FontFile
    face: hb.Face
    font: hb.Font

    def glyph(self, char: str) -> int:
        """Glyph number of a character; an unknown one shows as a box (U+25A1) so that nothing vanishes."""
        found = self.font.get_nominal_glyph(ord(char))
        return found or self.font.get_nominal_glyph(0x25A1) or 0

    def advance(self, char: str) -> float:
        """Width of one character in em."""
        return float(self.font.get_glyph_h_advance(self.glyph(char)) / self.face.upem)

    def width(self, text: str) -> float:
        """Width of a line in em, without kerning, which is how all our printers set it."""
        return float(sum(_advance(self, char) for char in text))

    def __hash__(self) -> int:
        return hash(self.file)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Typeface) and other.file == self.file


@lru_cache(maxsize=8192)
def _advance(typeface: Typeface, char: str) -> float:
    return typeface.advance(char)


@lru_cache(maxsize=8)
def typeface(*, bold: bool = False, family: str = SANS) -> Typeface:
    """The face of a family in one weight, opened once in a process."""
    file = find_font(family, bold=bold)
    face = hb.Face(hb.Blob.from_file_path(file.path), file.index)
    return Typeface(file=file, face=face, font=hb.Font(face))


@lru_cache(maxsize=8)
def find_font(family: str, *, bold: bool = False) -> FontFile:
    """Ask fontconfig where a family lies. Raises `FontMissing` instead of taking a look-alike."""
    pattern = f"{family}:weight={200 if bold else 80}:slant=0"
    answer = subprocess.run(
        ["fc-match", "--format", "%{file}\n%{index}\n%{family}", pattern],
        check=True, capture_output=True, text=True, timeout=30,
    ).stdout.split("\n")  # fmt: skip
    if len(answer) != 3 or family not in answer[2].split(","):
        raise FontMissing(f"no typeface {family!r} on this machine: install fonts-noto-cjk")
    return FontFile(path=answer[0], index=int(answer[1]))
