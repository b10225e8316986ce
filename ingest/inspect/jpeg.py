"""JPEG: the compressed picture is kept to the byte, everything private around it is cut away."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from ingest.inspect import exif
from ingest.inspect.kinds import refuse_second_file
from ingest.inspect.pixels import believable_dpi, check_size
from ingest.inspect.unacceptable import Unacceptable

_APPLICATIONS = {0xE0: "缩略图", 0xE1: "XMP 描述信息", 0xED: "图像软件写入的信息（IPTC）"}
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither stuffing nor a restart marker
_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_FRAMES_READ = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_FRAMES_RARE = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF


@dataclass
class Jpeg:
    """A JPEG taken apart: `cleaned` is the file without private segments, decodable to the end."""

    cleaned: bytes
    width: int
    height: int
    components: int
    dpi: int | None
    orientation: int
    removed: list[str] = field(default_factory=list)


def take_apart(data: bytes) -> Jpeg:
    """Read the segments of `data`, drop private ones, and prove that the picture is complete."""
    kept = [b"\xff\xd8"]
    found = _Found()
    end = None
    for marker, start, stop in _segments(data):
        if marker == _EOI:
            end = stop
            break
        if _is_kept(marker, data[start:stop], found):
            kept.append(_without_thumbnail(marker, data[start:stop], found))
    if end is None:
        raise Unacceptable("truncated")  # libjpeg fills what is missing with gray and says nothing
    if found.frame is None:
        raise Unacceptable("damaged")
    width, height, components = found.frame
    check_size(width, height)
    trailing = data[end:]
    if trailing.strip(b"\0\r\n "):
        refuse_second_file(trailing)
        found.removed.append("图像之后的附带数据（如第二张图片、动态照片）")
    cleaned = b"".join([*kept, b"\xff\xd9"])
    _prove_complete(cleaned)
    return Jpeg(
        cleaned=cleaned,
        width=width,
        height=height,
        components=components,
        dpi=believable_dpi(found.density or found.tags.density, width, height),
        orientation=found.tags.orientation,
        removed=found.removed,
    )


@dataclass
class _Found:
    frame: tuple[int, int, int] | None = None
    density: tuple[float, float] | None = None
    tags: exif.Tags = field(default_factory=exif.Tags)
    removed: list[str] = field(default_factory=list)

    def drop(self, what: str) -> bool:
        if what not in self.removed:
            self.removed.append(what)
        return False


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Every marker segment as (marker, start, stop); a scan includes its compressed data."""
    at = 2
    while at < len(data):
        found = _NEXT_MARKER.search(data, at)
        if found is None:
            return
        start, marker = found.start(), data[found.start() + 1]
        if marker in (_EOI, _SOI) or marker == 0x01:
            yield marker, start, start + 2
            at = start + 2
            continue
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        stop = start + 2 + length
        if length < 2 or stop > len(data):
            return
        if marker == _SOS:
            following = _NEXT_MARKER.search(data, stop)
            stop = following.start() if following else len(data)
        yield marker, start, stop
        at = stop


def _is_kept(marker: int, segment: bytes, found: _Found) -> bool:
    """Whether the picture needs this segment; what is learnt from it goes into `found`."""
    body = segment[4:]
    if marker == _COMMENT:
        return found.drop("图片注释")
    if _APP0 <= marker <= _APP15:
        return _is_kept_application(marker, body, found)
    if marker in _FRAMES_RARE or (marker in _FRAMES_READ and body[:1] != b"\x08"):
        raise Unacceptable("unsupported_coding")
    if marker in _FRAMES_READ and found.frame is None and len(body) >= 6:
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        found.frame = (width, height, body[5])
    return marker not in (_SOI, 0x01)


def _is_kept_application(marker: int, body: bytes, found: _Found) -> bool:
    """Of the application segments only those that say how to decode or show the samples."""
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 12:
        found.density = _jfif_density(body)
        return True
    if marker == _APP1 and body.startswith(b"Exif\0\0"):
        found.tags = exif.read(body[6:])
        found.removed.extend(name for name in found.tags.private if name not in found.removed)
        return False
    if (marker, body[:5]) == (_APP14, b"Adobe") or (marker, body[:12]) == (_APP2, b"ICC_PROFILE\0"):
        return True
    return found.drop(_APPLICATIONS.get(marker, "厂商附加数据"))


def _jfif_density(body: bytes) -> tuple[float, float] | None:
    unit, across, down = body[7], int.from_bytes(body[8:10], "big"), int.from_bytes(body[10:12], "big")
    per_inch = {1: 1.0, 2: 2.54}.get(unit)
    return None if per_inch is None else (across * per_inch, down * per_inch)


def _without_thumbnail(marker: int, segment: bytes, found: _Found) -> bytes:
    """A JFIF header may carry a small picture of what the scan showed before it was edited."""
    if marker != _APP0 or len(segment) <= 18:
        return segment
    found.drop("缩略图")
    return b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0"


def _prove_complete(data: bytes) -> None:
    """Run the entropy decoder to the last block at an eighth of the size, which needs little memory."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            picture.draft("L", (max(1, picture.width // 8), max(1, picture.height // 8)))
            picture.load()
    except (OSError, SyntaxError) as error:
        code = "truncated" if "truncated" in str(error) else "damaged"
        raise Unacceptable(code) from error
