"""Short codes for the characters of one document: the frequent ones take one byte, the others two.

Scans have little text a page, compressed by itself, so the length of a code counts: with two bytes for every
character the text of a dense page takes a fifth more room. The codes avoid every byte that a PDF string must escape.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

ESCAPED = frozenset(b"()\\")
BYTES = tuple(byte for byte in range(0x20, 0x100) if byte not in ESCAPED)
ONE_BYTE = 150
UNKNOWN = "\ufffd"
HEAD = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo <</Registry(Adobe)/Ordering(Identity)/Supplement 0>> def
/CMapName /TongbanCodes def /CMapType 1 def /WMode 0 def"""
TAIL = "endcmap CMapName currentdict /CMap defineresource pop end end"


class CharCodes:
    """Which code each character has. A CID is its code read as a number: MuPDF takes one for the other where it looks
    CIDs up in ToUnicode."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Count the characters of all texts; equal texts give equal codes. What finds no code reads as U+FFFD."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        counts[UNKNOWN] += 0
        ranked = sorted(counts, key=lambda character: (-counts[character], character))
        codes = list(_codes(len(ranked)))
        self.characters: tuple[str, ...] = tuple(ranked[: len(codes)])
        if UNKNOWN not in self.characters:
            self.characters = (*self.characters[:-1], UNKNOWN)
        self._codes: Mapping[str, bytes] = dict(zip(self.characters, codes, strict=False))

    def encode(self, text: str) -> bytes:
        unknown = self._codes[UNKNOWN]
        return b"".join(self._codes.get(character, unknown) for character in text)

    def cmap(self) -> bytes:
        """The embedded CMap: code to CID, one range for the short codes and one for each first byte of the long ones."""
        (low, high), _ = _spaces()
        leads = sorted({code[0] for code in self._codes.values() if len(code) == 2})
        ranges = [f"<{low}> <{high}> {int(low, 16)}"]
        ranges += [f"<{lead:02x}20> <{lead:02x}ff> {lead << 8 | 0x20}" for lead in leads]
        parts = [HEAD, *_blocks("codespacerange", [f"<{low}> <{high}>" for low, high in _spaces()])]
        return "\n".join([*parts, *_blocks("cidrange", ranges), TAIL]).encode()

    def cids(self) -> Iterator[tuple[int, str]]:
        """CID and character, rising."""
        yield from sorted((int.from_bytes(code, "big"), text) for text, code in self._codes.items())

    def pairs(self) -> Iterator[tuple[bytes, str]]:
        """Code and character, for ToUnicode."""
        for character in self.characters:
            yield self._codes[character], character


def to_unicode(pairs: Iterable[tuple[bytes, str]]) -> bytes:
    """A ToUnicode CMap for the document's codes."""
    return _meanings(_spaces(), pairs)


def glyph_names(pairs: Iterable[tuple[int, str]]) -> bytes:
    """A ToUnicode CMap for fonts whose two-byte codes are their glyphs' numbers."""
    return _meanings([("0000", "ffff")], ((glyph.to_bytes(2, "big"), text) for glyph, text in sorted(pairs)))


def _meanings(spaces: list[tuple[str, str]], pairs: Iterable[tuple[bytes, str]]) -> bytes:
    parts = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo <</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        *_blocks("codespacerange", [f"<{low}> <{high}>" for low, high in spaces]),
        *_blocks("bfchar", [f"<{code.hex()}> <{text.encode('utf-16-be').hex()}>" for code, text in pairs]),
        TAIL,
    ]
    return "\n".join(parts).encode()


def _codes(count: int) -> Iterator[bytes]:
    """`count` codes, or as many as there are: one byte each for the first, two for the others."""
    yield from (bytes([byte]) for byte in BYTES[: min(ONE_BYTE, count)])
    left = count - ONE_BYTE
    for lead in BYTES[ONE_BYTE:]:
        for byte in BYTES:
            if left <= 0:
                return
            yield bytes([lead, byte])
            left -= 1


def _spaces() -> list[tuple[str, str]]:
    """The codespace: every possible code once."""
    last = BYTES[ONE_BYTE - 1]
    return [("20", f"{last:02x}"), (f"{BYTES[ONE_BYTE]:02x}20", "ffff")]


def _blocks(kind: str, lines: list[str]) -> Iterator[str]:
    """CMap operators take a hundred entries at most."""
    for start in range(0, len(lines), 100):
        block = lines[start : start + 100]
        yield f"{len(block)} begin{kind}\n" + "\n".join(block) + f"\nend{kind}"
