"""A kept page as a small JPEG for the screen: upright, on white, without metadata. Runs in the limited child."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ingest.inspect.pixels import check_memory
from ingest.inspect.unacceptable import Unacceptable

_UPRIGHT = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
_SMALL = 400


def draw_view(
    path: Path,
    target: Path,
    *,
    rotation: int,
    size: tuple[int, int],
    part: tuple[int, int, int, int] | None,
) -> None:
    """Write a JPEG of the picture, or of a part of it, that fits into `size` pixels, turned clockwise by `rotation`.

    Raises Unacceptable.
    """
    try:
        with Image.open(path, formats=["JPEG", "PNG"]) as picture:
            flat = _whole(picture, size) if part is None else _cut(picture, part, size)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unacceptable("page_unreadable") from error
    if rotation in _UPRIGHT:
        flat = flat.transpose(_UPRIGHT[rotation])
    flat.save(target, "JPEG", quality=75 if max(size) <= _SMALL else 82)


def _whole(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    picture.draft("RGB", size)
    check_memory(picture)
    picture.thumbnail(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return _on_white(picture)


def _cut(picture: Image.Image, part: tuple[int, int, int, int], size: tuple[int, int]) -> Image.Image:
    check_memory(picture)
    left, top = max(part[0], 0), max(part[1], 0)
    right, bottom = min(part[2], picture.width), min(part[3], picture.height)
    flat = _on_white(picture.crop((left, top, max(right, left + 1), max(bottom, top + 1))))
    flat.thumbnail(size, Image.Resampling.BICUBIC)
    return flat


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
