"""Page images into the file: JPEG byte for byte, bilevel as CCITT G4, everything else without loss.

Nothing is decoded here. A JPEG and a plain PNG go in as they are: what is read of them are the lengths of their parts and
the numbers of their headers. What has to be unpacked is coded anew in a limited child.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from dossier.assemble.writer import Name, Ref, StreamingWriter, Value
from dossier.contents import PagePlan
from ingest.inspect import NotCoded, coded
from storage.errors import Refused

JPEG = "image/jpeg"
PNG = "image/png"
COLOURS = {1: Name("DeviceGray"), 3: Name("DeviceRGB")}
FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Headers of the ways to code a JPEG that PDF knows: baseline, extended, progressive."""
TABLES = frozenset({0xC4, 0xC8, 0xCC})
"""Within the numbers of frames, and none."""
SCAN = 0xDA
TOO_MANY = frozenset({"too_many_pixels", "too_heavy"})


class PageDamaged(Refused):
    """A page's bytes are not those that were captured."""

    def __init__(self, why: str) -> None:
        super().__init__("page-damaged", f"有一页图像与收件时不一致（{why}），请联系管理员核对存储后重试。")


@dataclass(frozen=True, slots=True)
class Embedded:
    """How an image went in: its object, the filter's name, and the SHA-256 of the stream as it lies in the file.

    `original_needed` says that pixels were converted, so that the captured file must travel along.
    """

    ref: Ref
    encoding: str
    sha256: str
    original_needed: bool = False


def embed(writer: StreamingWriter, page: PagePlan) -> Embedded:
    """Write the page's image. Raises PageDamaged when the file is not what the plan says."""
    if page.media_type == JPEG and (components := _jpeg_components(page)) in COLOURS:
        head = _head(page.width, page.height, COLOURS[components], 8) | {"Filter": Name("DCTDecode")}
        ref, digest = writer.put_file(head, page.path)
        if digest != page.sha256:
            raise PageDamaged("校验值不符")
        return Embedded(ref, "DCTDecode", digest)
    content = page.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != page.sha256:
        raise PageDamaged("校验值不符")
    if page.media_type == PNG and (parts := _plain_png(content)):
        head, data = parts
        _check_size(page, int(str(head["Width"])), int(str(head["Height"])))
        return _written(writer, head, data)
    return _coded(writer, page)


def _coded(writer: StreamingWriter, page: PagePlan) -> Embedded:
    """What a child made of the picture."""
    try:
        stream, data = coded(page.path)
    except NotCoded as refusal:
        raise PageDamaged("像素过多" if refusal.code in TOO_MANY else "无法解码") from refusal
    _check_size(page, stream.width, stream.height)
    if stream.coding == "CCITTFaxDecode":
        head = _head(stream.width, stream.height, COLOURS[1], 1) | {
            "Filter": Name(stream.coding),
            "DecodeParms": {
                "K": -1,
                "Columns": stream.width,
                "Rows": stream.height,
                "BlackIs1": not stream.inverted,
            },
        }
    else:
        head = _head(stream.width, stream.height, COLOURS[stream.channels], 8) | {
            "Filter": Name(stream.coding),
            "DecodeParms": {"Predictor": 15, "Colors": stream.channels, "Columns": stream.width},
        }
    return _written(writer, head, data, original_needed=stream.converted)


def _written(
    writer: StreamingWriter, head: dict[str, Value], data: bytes, *, original_needed: bool = False
) -> Embedded:
    ref = writer.put_stream(head, data, compress=False)
    encoding = head["Filter"]
    return Embedded(ref, str(encoding), hashlib.sha256(data).hexdigest(), original_needed)


def _head(width: int, height: int, colours: Value, bits: int) -> dict[str, Value]:
    return {
        "Subtype": Name("Image"),
        "Width": width,
        "Height": height,
        "ColorSpace": colours,
        "BitsPerComponent": bits,
    }


def _check_size(page: PagePlan, width: int, height: int) -> None:
    if (width, height) != (page.width, page.height):
        raise PageDamaged("尺寸不符")


def _jpeg_components(page: PagePlan) -> int:
    """1 or 3 for a JPEG that PDF can show as it is; 0 asks for conversion (CMYK and the like)."""
    width, height, components = _jpeg_frame(page.path)
    _check_size(page, width, height)
    return components if components in COLOURS else 0


def _jpeg_frame(path: Path) -> tuple[int, int, int]:
    """Width, height and components, from the first header of a frame; 0 components for a coding that PDF does not know.

    The parts before it are stepped over by their lengths.
    """
    with path.open("rb") as file:
        if file.read(2) != b"\xff\xd8":
            raise PageDamaged("无法解码")
        while len(part := file.read(4)) == 4 and part[0] == 0xFF:
            marker, length = part[1], int.from_bytes(part[2:], "big")
            if 0xC0 <= marker <= 0xCF and marker not in TABLES and len(body := file.read(6)) == 6:
                height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
                return width, height, body[5] if marker in FRAMES and body[0] == 8 else 0
            if marker == SCAN or length < 2:
                break
            file.seek(length - 2, 1)
    raise PageDamaged("无法解码")


def _plain_png(content: bytes) -> tuple[dict[str, Value], bytes] | None:
    """The compressed rows of a PNG that PDF can take over unchanged, or None.

    That is: 8 bits gray, RGB or palette, not interlaced, no transparency, no gamma of its own.
    """
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        raise PageDamaged("不是 PNG")
    position, header, palette, data = 8, b"", b"", []
    while position + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[position : position + 8])
        body = content[position + 8 : position + 8 + length]
        position += length + 12
        if kind == b"IHDR":
            header = body
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            data.append(body)
        elif kind == b"tRNS":
            return None
    if len(header) != 13:
        raise PageDamaged("PNG 文件头损坏")
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if bits != 8 or interlaced or colour not in (0, 2, 3):
        return None
    colours: Value = COLOURS[3 if colour == 2 else 1]
    if colour == 3:
        colours = [Name("Indexed"), Name("DeviceRGB"), len(palette) // 3 - 1, palette]
    head = _head(width, height, colours, bits) | {
        "Filter": Name("FlateDecode"),
        "DecodeParms": {
            "Predictor": 15,
            "Colors": 3 if colour == 2 else 1,
            "Columns": width,
            "BitsPerComponent": 8,
        },
    }
    return head, b"".join(data)
