"""Single pictures: JPEG and PNG kept as they are where possible, HEIC and WebP unpacked once."""

import io
from pathlib import Path

import pillow_heif
from PIL import Image, UnidentifiedImageError

from ingest.inspect import exif, jpeg, png
from ingest.inspect.findings import PageSource
from ingest.inspect.pages import PageWriter
from ingest.inspect.pixels import (
    TURNED_BY_ORIENTATION,
    believable_dpi,
    check_memory,
    check_size,
    plain,
    upright,
)
from ingest.inspect.unacceptable import Unacceptable

pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # `check_size` is the limit, with its own sentence


def take_jpeg(path: Path, pages: PageWriter) -> None:
    """One page out of a JPEG file."""
    apart = jpeg.take_apart(path.read_bytes())
    pages.remove(*apart.removed)
    keep_jpeg(apart, pages, source="as_captured", rotation=TURNED_BY_ORIENTATION.get(apart.orientation))


def keep_jpeg(apart: jpeg.Jpeg, pages: PageWriter, *, source: PageSource, rotation: int | None) -> None:
    """Keep the JPEG to the byte if it is gray or colour and at most turned (rotation known)."""
    if rotation is not None and apart.components in (1, 3):
        pages.keep(
            apart.cleaned,
            "image/jpeg",
            size=(apart.width, apart.height),
            dpi=apart.dpi,
            rotation=rotation,
            source=source,
        )
        return
    with Image.open(io.BytesIO(apart.cleaned), formats=["JPEG"]) as picture:
        check_memory(picture)
        if rotation is None:
            pages.note("镜像的照片已翻正")
        turned, notes = plain(upright(picture, apart.orientation))
        pages.note(*notes)
        pages.encode(turned, dpi=apart.dpi, source="reencoded", was_lossy=True)


def take_png(path: Path, pages: PageWriter) -> None:
    """One page out of a PNG file (an animated one gives its first frame)."""
    apart = png.take_apart(path.read_bytes())
    pages.remove(*apart.removed)
    pages.note(*apart.notes)
    rotation = TURNED_BY_ORIENTATION.get(apart.orientation)
    if apart.simple and rotation is not None:
        pages.keep(
            apart.cleaned,
            "image/png",
            size=(apart.width, apart.height),
            dpi=apart.dpi,
            rotation=rotation,
            source="as_captured",
        )
        return
    with _opened(io.BytesIO(apart.cleaned), "PNG") as picture:
        check_memory(picture)
        turned, notes = plain(upright(_loaded(picture), apart.orientation))
        pages.note(*notes)
        pages.encode(turned, dpi=apart.dpi, source="reencoded")


def take_webp(path: Path, pages: PageWriter) -> None:
    """One page out of a still WebP file."""
    with _opened(path, "WEBP") as picture:
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            raise Unacceptable("animated", frames=frames)
        check_memory(picture)
        tags = exif.of_picture(picture)
        pages.remove(*tags.private)
        if picture.info.get("xmp"):
            pages.remove("XMP 描述信息")
        turned, notes = plain(upright(_loaded(picture), tags.orientation))
        pages.note(*notes)
        dpi = believable_dpi(tags.density, *turned.size)
        pages.encode(turned, dpi=dpi, source="reencoded", was_lossy=True)


def take_heic(path: Path, pages: PageWriter) -> None:
    """One page, the main picture, out of a HEIC file; the decoder turns it upright itself."""
    _refuse_cut_boxes(path)
    try:
        container = pillow_heif.open_heif(path, convert_hdr_to_8bit=True)
        main = container[container.primary_index]
        check_size(*main.size)
        if len(container) > 1:
            pages.note("文件里有多张图片，只取主图")
        raw = main.info.get("exif")
        if isinstance(raw, bytes) and raw:
            pages.remove(*exif.read(raw.removeprefix(b"Exif\0\0")).private)
        if main.info.get("xmp"):
            pages.remove("XMP 描述信息")
        picture = main.to_pillow()
    except (ValueError, RuntimeError, EOFError, OSError, SyntaxError, IndexError) as error:
        said = str(error).lower()
        cut = any(mark in said for mark in ("end of file", "truncat", "incomplete", "extends past"))
        raise Unacceptable("truncated" if cut else "damaged") from error
    check_memory(picture)
    flat, notes = plain(picture)
    pages.note(*notes)
    pages.encode(flat, dpi=None, source="reencoded", was_lossy=True)


def _refuse_cut_boxes(path: Path) -> None:
    """Walk the outermost boxes: one that promises more bytes than there are was cut off."""
    size = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                return  # the last box: to the end of the file
            if length < 8 or at + length > size:
                raise Unacceptable("truncated" if length >= 8 else "damaged")
            at += length


def _opened(path: Path | io.BytesIO, kind: str) -> Image.Image:
    try:
        return Image.open(path, formats=[kind])
    except (UnidentifiedImageError, SyntaxError, OSError) as error:
        raise Unacceptable("damaged") from error


def _loaded(picture: Image.Image) -> Image.Image:
    try:
        picture.load()
    except (OSError, SyntaxError, EOFError) as error:
        raise Unacceptable("truncated" if "truncated" in str(error) else "damaged") from error
    return picture
