"""What a PDF page is made of: a page that is nothing but one JPEG gives up that JPEG unchanged."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from ingest.inspect import jpeg
from ingest.inspect.limits import MAX_CONTENT_BYTES
from ingest.inspect.pdf_names import spelt
from ingest.inspect.pixels import believable_dpi, check_size
from ingest.inspect.unacceptable import Unacceptable

_POINTS_PER_INCH = 72.0
_MARGIN = 0.02  # of the page's side: a picture this close to the edge fills the page
_MARKS_PAPER = {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "BI", "INLINE IMAGE"}
_SHOWS_TEXT = {"Tj", "TJ", "'", '"'}
_INVISIBLE = {3, 7}
_DEFAULT_BOX = (0.0, 0.0, 595.0, 842.0)
_NESTING = 4
_INFLATE_STEP = 1 << 20
_JBIG2_FILE = b"\x97JB2\r\n\x1a\n"

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]
_UPRIGHT: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True)
class PageScan:
    """A page's ingredients. `size` is in points before turning, `image` pixels of the one full image.

    `rotation` is the page's /Rotate (clockwise). `hidden_text` tells of an invisible text layer,
    `mended` that an image stream on it was put right.
    """

    size: tuple[float, float]
    rotation: int
    image: tuple[int, int] | None = None
    is_single_jpeg: bool = False
    hidden_text: bool = False
    mended: bool = False


def plan(pdf: pikepdf.Pdf) -> list[PageScan]:
    """Look at each page once; pages without a usable box get A4 so that they can be drawn."""
    scans = []
    for number, page in enumerate(pdf.pages, start=1):
        try:
            scans.append(_look_at(page))
        except Unacceptable as why:
            raise why.on_page(number) from why
    return scans


def extract(pdf: pikepdf.Pdf, number: int, scan: PageScan) -> jpeg.Jpeg | None:
    """The JPEG of a page that is nothing but it, with the page's resolution; None if it is not sound."""
    stream = _only_image(pdf.pages[number - 1])
    if stream is None:
        return None
    try:
        apart = jpeg.take_apart(bytes(stream.read_raw_bytes()))
    except Unacceptable:
        return None  # PDFium may still draw what libjpeg alone refuses
    across = apart.width / (scan.size[0] / _POINTS_PER_INCH)
    down = apart.height / (scan.size[1] / _POINTS_PER_INCH)
    apart.dpi = believable_dpi((across, down), apart.width, apart.height)
    apart.orientation = 1  # a PDF shows the samples as they stand, whatever EXIF says
    return apart if apart.components in (1, 3) else None


def _look_at(page: pikepdf.Page) -> PageScan:
    box = page_box(page)
    size = (box[2] - box[0], box[3] - box[1])
    rotation = _rotation(page)
    mended = False
    for stream in _images(page.obj.get("/Resources"), _NESTING):
        check_size(max(1, _integer(stream, "/Width")), max(1, _integer(stream, "/Height")))
        mended = _mend_bilevel(stream) or mended
    return replace(_ingredients(page, box, size, rotation), mended=mended)


def _ingredients(page: pikepdf.Page, box: Box, size: tuple[float, float], rotation: int) -> PageScan:
    content = _Content.read(page)
    if content is None or len(content.images) != 1 or content.marks or content.visible_text:
        return PageScan(size, rotation, hidden_text=bool(content and content.hidden_only))
    name, matrix = content.images[0]
    stream = _image_named(page, name)
    if stream is None:
        return PageScan(size, rotation, hidden_text=content.hidden_only)
    image = (_integer(stream, "/Width"), _integer(stream, "/Height"))
    fills = _fills(matrix, box) and min(image) > 0 and not has_annotations(page)
    return PageScan(
        size,
        rotation,
        image=image if fills else None,
        is_single_jpeg=fills and _is_plain_jpeg(stream),
        hidden_text=content.hidden_only,
    )


@dataclass
class _Content:
    """What a page's drawing instructions do, as far as it matters here."""

    images: list[tuple[str, Matrix]]
    marks: bool = False
    visible_text: bool = False
    hidden_text: bool = False

    @property
    def hidden_only(self) -> bool:
        return self.hidden_text and not self.visible_text

    @classmethod
    def read(cls, page: pikepdf.Page) -> "_Content | None":
        """None where the instructions cannot be read (PDFium decides then what to draw)."""
        if _content_is_huge(page):
            raise Unacceptable("too_heavy")
        found = cls(images=[])
        state = _GraphicsState()
        try:
            for instruction in pikepdf.parse_content_stream(page):
                found._follow(str(instruction.operator), list(instruction.operands), state)
        except (pikepdf.PdfError, ValueError, TypeError, IndexError, AttributeError):
            return None
        return found

    def _follow(self, name: str, operands: Sequence[object], state: "_GraphicsState") -> None:
        if name == "Do":
            self.images.append((str(operands[0]), state.matrix))
        elif name in _SHOWS_TEXT:
            if state.text_mode in _INVISIBLE:
                self.hidden_text = True
            else:
                self.visible_text = True
        elif name in _MARKS_PAPER:
            self.marks = True
        else:
            state.follow(name, operands)


@dataclass
class _GraphicsState:
    """The part of the graphics state that says where an image lands and whether text shows."""

    matrix: Matrix = _UPRIGHT
    text_mode: int = 0
    saved: list[tuple[Matrix, int]] = field(default_factory=list)

    def follow(self, name: str, operands: Sequence[object]) -> None:
        if name == "q":
            self.saved.append((self.matrix, self.text_mode))
        elif name == "Q" and self.saved:
            self.matrix, self.text_mode = self.saved.pop()
        elif name == "cm":
            self.matrix = _multiply(_matrix(operands), self.matrix)
        elif name == "Tr":
            self.text_mode = int(cast("int", operands[0]))


def _content_is_huge(page: pikepdf.Page) -> bool:
    """Unpack the drawing instructions in small steps and stop at the limit, before any parser does it whole."""
    contents = page.obj.get("/Contents")
    streams = list(contents) if isinstance(contents, Array) else [contents]
    total = 0
    for stream in streams:
        if not isinstance(stream, Stream):
            continue
        for step in _unpacked(stream):
            total += len(step)
            if total > MAX_CONTENT_BYTES:
                return True
    return False


def _unpacked(stream: Stream) -> Iterator[bytes]:
    """The stream's bytes as far as only Flate stands before them; other filters hardly grow."""
    filters = stream.get("/Filter")
    names = [spelt(f) for f in filters] if isinstance(filters, Array) else [spelt(filters)]
    try:
        steps: Iterator[bytes] = iter((bytes(stream.read_raw_bytes()),))
        for name in names:
            if name != "/FlateDecode":
                break
            steps = _inflated(steps)
        yield from steps
    except (zlib.error, pikepdf.PdfError):
        return  # damaged: the parsers take what there is


def _inflated(steps: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    for step in steps:
        pending = step
        while pending and not inflater.eof:
            yield inflater.decompress(pending, _INFLATE_STEP)
            pending = inflater.unconsumed_tail


def _only_image(page: pikepdf.Page) -> Stream | None:
    content = _Content.read(page)
    return None if content is None else _image_named(page, content.images[0][0])


def _image_named(page: pikepdf.Page, name: str) -> Stream | None:
    resources = page.obj.get("/Resources")
    objects = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    stream = objects.get(name) if isinstance(objects, Dictionary) else None
    if isinstance(stream, Stream) and stream.get("/Subtype") == Name.Image:
        return stream
    return None


def _images(resources: object, depth: int) -> list[Stream]:
    """Image streams that a page can draw, also through forms."""
    objects = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    if not isinstance(objects, Dictionary) or depth == 0:
        return []
    found: list[Stream] = []
    for stream in objects.values():
        if not isinstance(stream, Stream):
            continue
        if stream.get("/Subtype") == Name.Image:
            found.append(stream)
        elif stream.get("/Subtype") == Name.Form:
            found.extend(_images(stream.get("/Resources"), depth - 1))
    return found


def _is_plain_jpeg(stream: Stream) -> bool:
    """Coded as JPEG only, in gray or RGB, with no mask or inversion that the JPEG itself lacks."""
    filters = stream.get("/Filter")
    names = [spelt(f) for f in filters] if isinstance(filters, Array) else [spelt(filters)]
    if names != ["/DCTDecode"] or any(key in stream for key in ("/SMask", "/Mask", "/Decode", "/ImageMask")):
        return False
    space = stream.get("/ColorSpace")
    kind = spelt(space[0]) if isinstance(space, Array) and len(space) else spelt(space)
    return kind in ("/DeviceGray", "/DeviceRGB", "/CalGray", "/CalRGB", "/ICCBased")


def _mend_bilevel(stream: Stream) -> bool:
    """A JBIG2 stream inside a PDF must not carry the header of a JBIG2 file: some writers leave it."""
    if spelt(stream.get("/Filter")) != "/JBIG2Decode":
        return False
    data = bytes(stream.read_raw_bytes())
    if not data.startswith(_JBIG2_FILE) or len(data) < 13:
        return False
    page_count_known = not data[8] & 2
    params = stream.get("/DecodeParms")
    params = params if isinstance(params, Dictionary) else None
    stream.write(data[13 if page_count_known else 9 :], filter=Name.JBIG2Decode, decode_parms=params)
    return True


def has_annotations(page: pikepdf.Page) -> bool:
    """Whether anything is laid over the page that would be seen (links are not)."""
    annotations = page.obj.get("/Annots")
    if not isinstance(annotations, Array):
        return False
    return any(
        isinstance(item, Dictionary) and spelt(item.get("/Subtype")) not in ("/Link", "/Popup")
        for item in annotations
    )


def _fills(matrix: Matrix, box: Box) -> bool:
    a, b, c, d, e, f = matrix
    width, height = box[2] - box[0], box[3] - box[1]
    if a <= 0 or d <= 0 or abs(b) > 1e-3 * a or abs(c) > 1e-3 * d:
        return False
    edges = (
        abs(e - box[0]) / width,
        abs(f - box[1]) / height,
        abs(e + a - box[2]) / width,
        abs(f + d - box[3]) / height,
    )
    return max(edges) <= _MARGIN


def page_box(page: pikepdf.Page) -> Box:
    """What is shown: the crop box within the media box; where that is nothing, the box is mended."""
    media = _box(page, "/MediaBox")
    if media is None:
        media = _DEFAULT_BOX
        page.obj[Name.MediaBox] = Array(media)
    if _inherited(page, "/CropBox") is None:
        return media
    crop = _box(page, "/CropBox") or media
    shown = (max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3]))
    if shown[2] - shown[0] < 1 or shown[3] - shown[1] < 1:
        shown = media
    page.obj[Name.CropBox] = Array(shown)
    return shown


def _box(page: pikepdf.Page, name: str) -> Box | None:
    try:
        values = [float(v) for v in cast("Iterable[float]", _inherited(page, name))]
    except (TypeError, ValueError, pikepdf.PdfError):
        return None
    if len(values) != 4:
        return None
    left, right = sorted((values[0], values[2]))
    bottom, top = sorted((values[1], values[3]))
    return (left, bottom, right, top) if right - left >= 1 and top - bottom >= 1 else None


def _rotation(page: pikepdf.Page) -> int:
    try:
        value = int(cast("int", _inherited(page, "/Rotate")))
    except (TypeError, ValueError, pikepdf.PdfError):
        return 0
    return value % 360 if value % 90 == 0 else 0


def _inherited(page: pikepdf.Page, name: str) -> object:
    node: object = page.obj
    for _ in range(64):  # a page tree deeper than this is not one
        if not isinstance(node, Dictionary):
            return None
        if name in node:
            return node.get(name)
        node = node.get("/Parent")
    return None


def _integer(stream: Stream, key: str) -> int:
    try:
        return int(stream.get(key, 0))
    except (TypeError, ValueError):
        return 0


def _matrix(operands: Iterable[object]) -> Matrix:
    a, b, c, d, e, f = (float(cast("float", value)) for value in operands)
    return (a, b, c, d, e, f)


def _multiply(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)
