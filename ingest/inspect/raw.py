"""A kept page as plain pixels for whoever reads it: on white, without any format. Runs in the limited child."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ingest.inspect.limits import MAX_UNPACKED_BYTES, STRIP_PIXELS
from ingest.inspect.pixels import check_size
from ingest.inspect.unacceptable import Unacceptable

_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
"""How the decoder keeps pixels; every other mode takes four bytes."""

_SHORTS = frozenset({"I", "I;16", "I;16L", "I;16B"})
_PLAIN = frozenset({"1", "L", "RGB"})
_LAYERED = frozenset({"LA", "PA", "RGBA", "RGBa", "La"})


def write_raw(path: Path, target: Path, *, side: int) -> dict[str, int]:
    """Write the picture's bytes, gray or red-green-blue, row by row and without gaps, in the order in which it is stored.

    A few bytes may stand before them, up to the `offset` of the answer, which is a `messages.Raw`. A picture far longer than `side` pixels comes smaller, but never below that. Raises Unacceptable.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no reason not to read the page
            with Image.open(path, formats=["JPEG", "PNG"]) as picture:
                width, height = picture.size
                check_size(width, height)
                picture.draft(None, _reduced(width, height, side))
                _check_memory(picture, stored_pixels=width * height)
                picture.load()
                with target.open("wb") as file:
                    rows, columns, channels = _written(picture, file, side)
                    offset = file.tell() - rows * columns * channels
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unacceptable("page_unreadable") from error
    return {
        "offset": offset,
        "rows": rows,
        "columns": columns,
        "channels": channels,
        "width": width,
        "height": height,
    }


def _reduced(width: int, height: int, side: int) -> tuple[int, int]:
    """The size to ask the decoder for: its own halving must never go below the size that is read at."""
    factor = min(1.0, side / max(width, height))
    return max(1, int(width * factor)), max(1, int(height * factor))


def _check_memory(picture: Image.Image, *, stored_pixels: int) -> None:
    """Refuse what would not fit. A progressive JPEG keeps all its coefficients, whatever the reduction."""
    needed = picture.width * picture.height * _BYTES_PER_PIXEL.get(picture.mode, 4)
    if picture.format == "JPEG" and picture.info.get("progressive"):
        needed += 3 * stored_pixels
    if needed > MAX_UNPACKED_BYTES:
        raise Unacceptable("too_heavy")


def _written(picture: Image.Image, file: BinaryIO, side: int) -> tuple[int, int, int]:
    """Rows, columns and channels of what was written.

    Strip by strip, and a page far beyond the size that is read at made smaller on the way: a palette of colours with
    transparency would take twenty times its decoded size if it were turned as a whole.
    """
    factor = max(1, max(picture.size) // side)
    if factor == 1 and picture.mode in _PLAIN and "transparency" not in picture.info:
        plain = picture.convert("L") if picture.mode == "1" else picture
        plain.save(file, "PPM")  # a line of text, then the bytes as they are: the quickest way out of Pillow
        return plain.height, plain.width, len(plain.getbands())
    brightest = _brightest(picture)
    rows = columns = channels = 0
    for strip in _strips(picture, factor):
        flat = _on_paper(strip, brightest)
        if factor > 1:
            flat = flat.reduce(factor)
        rows, columns, channels = rows + flat.height, flat.width, len(flat.getbands())
        file.write(flat.tobytes())
    return rows, columns, channels


def _strips(picture: Image.Image, factor: int) -> Iterator[Image.Image]:
    """The picture from the top down, each strip but the last a multiple of `factor` rows high."""
    rows = max(1, STRIP_PIXELS // picture.width // factor) * factor
    for top in range(0, picture.height, rows):
        yield picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _brightest(picture: Image.Image) -> float:
    """The level of white in modes deeper than a byte."""
    if picture.mode != "F":
        return 65535.0
    _darkest, brightest = picture.getextrema()
    return max(float(brightest), 1.0)  # type: ignore[arg-type]  # one pair: this mode has one band


def _on_paper(strip: Image.Image, brightest: float) -> Image.Image:
    """Gray or colour on white paper, whatever mode the file has."""
    if strip.mode in _SHORTS or strip.mode == "F":
        deep = np.asarray(strip, np.float32)
        return Image.fromarray(np.asarray(np.clip(deep * (255.0 / brightest), 0, 255), np.uint8))
    if strip.mode in _LAYERED or "transparency" in strip.info:
        layered = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    if strip.mode in {"L", "RGB"}:
        return strip
    return strip.convert("L" if strip.mode == "1" else "RGB")
