"""PNG: the compressed rows are proved whole and kept to the byte, chunks with private content are cut."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.inspect import exif
from ingest.inspect.kinds import refuse_second_file
from ingest.inspect.limits import MAX_METADATA_BYTES
from ingest.inspect.pixels import believable_dpi, check_size
from ingest.inspect.unacceptable import Unacceptable

_MARK = b"\x89PNG\r\n\x1a\n"
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP"}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_INFLATE_STEP = 256 * 1024
_REMOVED = {
    b"tEXt": "文字说明",
    b"zTXt": "文字说明",
    b"iTXt": "文字说明",
    b"tIME": "修改时间",
    b"acTL": "动画帧",
    b"fcTL": "动画帧",
    b"fdAT": "动画帧",
}


@dataclass
class Png:
    """A PNG taken apart: `cleaned` holds the same compressed picture without private chunks.

    `simple` says whether it may go on as it is: 8 bits a sample or fewer and no transparency.
    """

    cleaned: bytes
    width: int
    height: int
    simple: bool
    dpi: int | None
    orientation: int
    removed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @classmethod
    def parse(cls, body: bytes) -> "_Header":
        if len(body) != 13 or body[10] or body[11] or body[12] > 1:
            raise Unacceptable("damaged")
        width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        if body[8] not in _DEPTHS.get(body[9], set()):
            raise Unacceptable("damaged")
        check_size(width, height)
        return cls(width, height, body[8], body[9], bool(body[12]))

    def passes(self) -> list[tuple[int, int]]:
        """(bytes per row with its filter byte, rows) of each pass over the picture."""
        bits = self.depth * _SAMPLES[self.colour]
        areas = [(self.width, self.height)]
        if self.interlaced:
            areas = [(-(-(self.width - x) // dx), -(-(self.height - y) // dy)) for x, y, dx, dy in _ADAM7]
        return [(1 + -(-(w * bits) // 8), h) for w, h in areas if w > 0 and h > 0]


@dataclass
class _Found:
    """What the chunks said so far."""

    header: _Header | None = None
    kept: list[bytes] = field(default_factory=lambda: [_MARK])
    picture: list[bytes] = field(default_factory=list)
    names: set[bytes] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    tags: exif.Tags = field(default_factory=exif.Tags)
    density: tuple[float, float] | None = None
    end: int | None = None

    def take(self, name: bytes, body: bytes, whole: bytes) -> None:
        self.names.add(name)
        if name == b"IHDR":
            self.header = _Header.parse(body)
        elif self.header is None:
            raise Unacceptable("damaged")
        elif name == b"IDAT":
            self.picture.append(body)
        else:
            self._learn(name, body)
        if name in _KEPT:
            self.kept.append(whole)
        elif name != b"eXIf":
            self.removed.append(_REMOVED.get(name, "附加数据块"))

    def _learn(self, name: bytes, body: bytes) -> None:
        if name == b"pHYs" and len(body) == 9 and body[8] == 1:
            across, down = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
            self.density = (across * 0.0254, down * 0.0254)
        elif name == b"eXIf":
            self.tags = exif.read(body)
            self.removed.extend(self.tags.private)
        elif name in (b"zTXt", b"iTXt", b"iCCP"):
            _refuse_bomb(name, body)
        if name in (b"zTXt", b"tEXt"):
            self.tags = _imagemagick_exif(name, body) or self.tags


def take_apart(data: bytes) -> Png:
    """Walk the chunks of `data`, check them, and prove that every row of the picture is there."""
    found = _Found()
    for name, body, whole, stop in _chunks(data):
        found.take(name, body, whole)
        if name == b"IEND":
            found.end = stop
            break
    header = found.header
    if header is None:
        raise Unacceptable("damaged")
    _prove_complete(header, found.picture)
    if found.end is None:
        raise Unacceptable("truncated")
    trailing = data[found.end :]
    if trailing.strip(b"\0\r\n "):
        refuse_second_file(trailing)
        found.removed.append("图像之后的附带数据")
    return Png(
        cleaned=b"".join(found.kept),
        width=header.width,
        height=header.height,
        simple=header.depth <= 8 and header.colour in (0, 2, 3) and b"tRNS" not in found.names,
        dpi=believable_dpi(found.density, header.width, header.height),
        orientation=found.tags.orientation,
        removed=list(dict.fromkeys(found.removed)),
        notes=["动态图片只取第一帧"] if b"acTL" in found.names else [],
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    """Every chunk as (name, body, whole chunk, where it ends)."""
    at = len(_MARK)
    while at + 8 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        stop = at + 12 + length
        if stop > len(data):
            raise Unacceptable("truncated" if name.isalpha() else "damaged")
        body = data[at + 8 : stop - 4]
        if zlib.crc32(data[at + 4 : stop - 4]) != int.from_bytes(data[stop - 4 : stop], "big"):
            raise Unacceptable("damaged")
        yield name, body, data[at:stop], stop
        at = stop


def _imagemagick_exif(name: bytes, body: bytes) -> exif.Tags | None:
    """EXIF as ImageMagick hides it in a text chunk: a name, a length, then hexadecimal lines."""
    keyword, _, rest = body.partition(b"\0")
    if keyword not in (b"Raw profile type exif", b"Raw profile type APP1"):
        return None
    if name == b"zTXt":
        try:
            rest = zlib.decompressobj().decompress(rest[1:], MAX_METADATA_BYTES)
        except zlib.error:
            return None
    try:
        block = bytes.fromhex(b"".join(rest.split()[2:]).decode("ascii"))
    except ValueError:
        return None
    return exif.read(block.removeprefix(b"Exif\0\0"))


def _refuse_bomb(name: bytes, body: bytes) -> None:
    """A text or profile that unpacks beyond its limit is refused without unpacking it further."""
    _, _, rest = body.partition(b"\0")
    if name == b"iTXt":
        compressed = rest[:1] == b"\x01"
        packed = rest[2:].split(b"\0", 2)[-1] if compressed else b""
    else:
        packed = rest[1:]
    if not packed:
        return
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(packed, MAX_METADATA_BYTES)
    except zlib.error:
        return  # not a bomb; readers ignore it and it is judged no further
    if inflater.unconsumed_tail:
        raise Unacceptable("metadata_bomb")


def _prove_complete(header: _Header, picture: list[bytes]) -> None:
    """Inflate the rows in small steps: as many as the header promises, each with a known filter."""
    inflater = zlib.decompressobj()
    rows = _RowCounter(header.passes())
    try:
        for body in picture:
            pending = body
            while pending and not inflater.eof:
                rows.take(inflater.decompress(pending, _INFLATE_STEP))
                pending = inflater.unconsumed_tail
        rows.take(inflater.flush())
    except zlib.error as error:
        raise Unacceptable("damaged") from error
    if not rows.complete:
        raise Unacceptable("truncated")


class _RowCounter:
    """Counts filtered rows as they come out of the inflater, holding one step in memory."""

    def __init__(self, passes: list[tuple[int, int]]) -> None:
        self._passes = passes
        self._skip = 0  # bytes until the next row begins

    @property
    def complete(self) -> bool:
        return not self._passes and self._skip <= 0

    def take(self, data: bytes) -> None:
        at = self._skip
        while at < len(data) and self._passes:
            length, rows = self._passes[0]
            if data[at] > 4:
                raise Unacceptable("damaged")
            at += length
            if rows == 1:
                self._passes.pop(0)
            else:
                self._passes[0] = (length, rows - 1)
        self._skip = max(0, at - len(data))
