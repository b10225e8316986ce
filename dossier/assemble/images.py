"""Page images into the file: JPEG byte for byte, bilevel as CCITT G4, everything else without loss."""

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

from dossier.assemble.writer import Name, Ref, StreamingWriter, Value
from dossier.contents import PagePlan
from storage.errors import Refused

JPEG = "image/jpeg"
PNG = "image/png"
TIFF = "image/tiff"
PIXEL_LIMIT = 250_000_000
COLOURS = {1: Name("DeviceGray"), 3: Name("DeviceRGB")}


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
    return _decoded(writer, page, content)


def _decoded(writer: StreamingWriter, page: PagePlan, content: bytes) -> Embedded:
    with _opened(io.BytesIO(content)) as image:
        _check_size(page, *image.size)
        if image.mode == "1":
            head, data = _group4(image)
            return _written(writer, head, data)
        lossless = image.mode in ("L", "RGB")
        plain = image if lossless else _to_srgb(image)
        head = _head(*plain.size, COLOURS[len(plain.getbands())], 8) | {
            "Filter": Name("FlateDecode"),
            "DecodeParms": {"Predictor": 15, "Colors": len(plain.getbands()), "Columns": plain.width},
        }
        data = zlib.compress(_filtered_rows(plain), 9)
    return _written(writer, head, data, original_needed=not lossless)


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


def _opened(source: Path | io.BytesIO) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(source)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
            raise PageDamaged("无法解码") from error
    if image.width * image.height > PIXEL_LIMIT:
        raise PageDamaged("像素过多")
    return image


def _check_size(page: PagePlan, width: int, height: int) -> None:
    if (width, height) != (page.width, page.height):
        raise PageDamaged("尺寸不符")


def _jpeg_components(page: PagePlan) -> int:
    """1 or 3 for a JPEG that PDF can show as it is; 0 asks for conversion (CMYK and the like)."""
    with _opened(page.path) as image:
        _check_size(page, *image.size)
        return {"L": 1, "RGB": 3}.get(image.mode, 0) if image.format in ("JPEG", "MPO") else 0


def _to_srgb(image: Image.Image) -> Image.Image:
    """Eight bits, no alpha: transparent parts become paper."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        high = image.convert("I")
        return high.point(lambda value: value / 256).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")


def _filtered_rows(image: Image.Image) -> bytes:
    """PNG "Up" rows: what a scan compresses well with, and cheap to make."""
    rows = np.asarray(image, dtype=np.uint8).reshape(image.height, -1)
    result = np.empty((image.height, rows.shape[1] + 1), dtype=np.uint8)
    result[:, 0] = 2
    result[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=result[1:, 1:])
    return result.tobytes()


def _group4(image: Image.Image) -> tuple[dict[str, Value], bytes]:
    """One CCITT G4 strip out of a TIFF made in memory. Black is 0 in the image, as PDF's default has it."""
    buffer = io.BytesIO()
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[TiffImagePlugin.ROWSPERSTRIP] = image.height
    image.save(buffer, "TIFF", compression="group4", tiffinfo=directory)
    buffer.seek(0)
    with Image.open(buffer) as coded:
        tags = coded.tag_v2  # type: ignore[attr-defined]
        offsets, counts = tags[TiffImagePlugin.STRIPOFFSETS], tags[TiffImagePlugin.STRIPBYTECOUNTS]
        inverted = tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] == 0
    if len(offsets) != 1:
        raise ValueError("CCITT G4 coding gave more than one strip")
    data = buffer.getvalue()[offsets[0] : offsets[0] + counts[0]]
    head = _head(image.width, image.height, COLOURS[1], 1) | {
        "Filter": Name("CCITTFaxDecode"),
        "DecodeParms": {
            "K": -1,
            "Columns": image.width,
            "Rows": image.height,
            "BlackIs1": not inverted,
        },
    }
    return head, data


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
