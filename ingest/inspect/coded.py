"""A kept page's picture coded as a PDF can hold it, for those that cannot go in as they are. Runs in the limited child."""

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from ingest.inspect.limits import STRIP_PIXELS
from ingest.inspect.pixels import check_memory
from ingest.inspect.unacceptable import Unacceptable

_LEVEL = 6
"""Of zlib: on scans the highest one saves a hundredth and takes three times as long."""


def write_coded(path: Path, target: Path, *, step: Callable[[], None]) -> dict[str, object]:
    """Write the picture as CCITT G4 when it is bilevel, else as deflated rows of bytes that each say the difference to
    the row above; `step` is called after each strip. The answer is a `messages.Stream`. Raises Unacceptable.
    """
    try:
        with Image.open(path, formats=["JPEG", "PNG", "TIFF"]) as picture:
            check_memory(picture)
            picture.load()
            width, height = picture.size
            if picture.mode == "1":
                coding, channels, inverted = "CCITTFaxDecode", 1, _group4(picture, target)
            else:
                coding, inverted = "FlateDecode", False
                channels = _deflated(picture, target, step)
            converted = picture.mode not in ("1", "L", "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unacceptable("page_unreadable") from error
    return {
        "coding": coding,
        "width": width,
        "height": height,
        "channels": channels,
        "inverted": inverted,
        "converted": converted,
    }


def _deflated(picture: Image.Image, target: Path, step: Callable[[], None]) -> int:
    """The number of channels of what was written."""
    deflater, channels = zlib.compressobj(_LEVEL), 0
    above: npt.NDArray[np.uint8] | None = None
    with target.open("wb") as file:
        for strip in _strips(picture):
            plain = strip if strip.mode in ("L", "RGB") else _to_srgb(strip)
            channels = len(plain.getbands())
            rows = np.asarray(plain, dtype=np.uint8).reshape(plain.height, -1)
            file.write(deflater.compress(_filtered(rows, above)))
            above = rows[-1]
            step()
        file.write(deflater.flush())
    return channels


def _strips(picture: Image.Image) -> Iterator[Image.Image]:
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        yield picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _filtered(rows: npt.NDArray[np.uint8], above: npt.NDArray[np.uint8] | None) -> bytes:
    """PNG "Up" rows: what a scan compresses well with, and cheap to make."""
    result = np.empty((rows.shape[0], rows.shape[1] + 1), dtype=np.uint8)
    result[:, 0] = 2
    result[0, 1:] = rows[0] if above is None else rows[0] - above
    np.subtract(rows[1:], rows[:-1], out=result[1:, 1:])
    return result.tobytes()


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Eight bits, no alpha: transparent parts become paper."""
    if picture.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        high = picture.convert("I")
        return high.point(lambda value: value / 256).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return picture.convert("RGB")


def _group4(picture: Image.Image, target: Path) -> bool:
    """Write one CCITT G4 strip out of a TIFF made in memory; whether its black is 1 otherwise than PDF takes for granted."""
    buffer = io.BytesIO()
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[TiffImagePlugin.ROWSPERSTRIP] = picture.height
    picture.save(buffer, "TIFF", compression="group4", tiffinfo=directory)
    buffer.seek(0)
    with Image.open(buffer, formats=["TIFF"]) as made:
        tags = made.tag_v2  # type: ignore[attr-defined]
        offsets, counts = tags[TiffImagePlugin.STRIPOFFSETS], tags[TiffImagePlugin.STRIPBYTECOUNTS]
        inverted = tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] == 0
    if len(offsets) != 1:
        raise ValueError("CCITT G4 coding gave more than one strip")
    target.write_bytes(buffer.getbuffer()[offsets[0] : offsets[0] + counts[0]])
    return bool(inverted)
