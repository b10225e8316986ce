"""Pages of an uploaded PDF that can stay what they are in an archival file, instead of becoming pictures.

An allow-list, not a converter: a page stays when everything on it is known to be right in PDF/A-3b beside an sRGB
output intent (ISO 19005-3 §6.2), and when the copy looks like the page the clerk was shown. Nothing is repaired; any
doubt makes a picture of the page.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Stream
from PIL import ImageChops, ImageStat

from ingest.inspect import archival_fonts
from ingest.inspect.limits import VECTORS
from ingest.inspect.pdf_names import spelt
from ingest.inspect.pdf_scan import PageScan, has_annotations, page_box

MOST_PAGES = 200
"""A longer document is a book: its pages are kept as pictures."""
_NESTING = 6
_DEEPEST_Q = 28
_GLANCE = 1.0
_SAME_ENOUGH = 0.75
"""Mean difference, in 256 levels, between the page and its copy at 72 dpi: rounding, not content."""

_PAINT = {
    "w",
    "J",
    "j",
    "M",
    "d",
    "i",
    "q",
    "Q",
    "cm",
    "m",
    "l",
    "c",
    "v",
    "y",
    "h",
    "re",
    "S",
    "s",
    "f",
    "F",
    "f*",
    "B",
    "B*",
    "b",
    "b*",
    "n",
    "W",
    "W*",
    "g",
    "G",
    "rg",
    "RG",
}
_TEXT = {"BT", "ET", "Tc", "Tw", "Tz", "TL", "Tf", "Tr", "Ts", "Td", "TD", "Tm", "T*"}
_SHOW = {"Tj", "TJ", "'", '"'}
_MARKS = {"MP", "DP", "BMC", "BDC", "EMC"}
_COLOUR = {"cs", "CS", "sc", "SC", "scn", "SCN"}
_INTENTS = {"/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation"}
_FILTERS = {
    "/FlateDecode",
    "/DCTDecode",
    "/CCITTFaxDecode",
    "/ASCIIHexDecode",
    "/ASCII85Decode",
    "/RunLengthDecode",
}
_STATE = {
    "/Type",
    "/LW",
    "/LC",
    "/LJ",
    "/ML",
    "/D",
    "/RI",
    "/SA",
    "/AIS",
    "/TK",
    "/BM",
    "/ca",
    "/CA",
    "/SMask",
    "/OP",
    "/op",
    "/OPM",
    "/FL",
    "/SM",
}
_CHANNELS = {b"RGB ": 3, b"GRAY": 1}
_DEVICES = {"/DeviceGray", "/DeviceRGB", "/G", "/RGB"}


class Unfit(Exception):
    """Something on the page is not on the list."""


@dataclass
class _Found:
    """What a page shows with each font, by the font's place in the file."""

    fonts: dict[tuple[int, int], Dictionary] = field(default_factory=dict)
    shown: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)


def collect(quiet: Path, scans: Sequence[PageScan], folder: Path) -> dict[int, int]:
    """Copy the pages that may stay into `folder`/vectors.pdf, upright, one box each; page number → its index there.

    Pages that are one picture, or carry hidden text, are left to the scan's own way. Empty when none may stay; then
    there is no file. Never raises for what a page holds.
    """
    wanted = [number for number, scan in enumerate(scans, 1) if scan.image is None and not scan.hidden_text][
        :MOST_PAGES
    ]
    if not wanted:
        return {}
    kept: dict[int, int] = {}
    target = folder / VECTORS
    with pikepdf.open(quiet) as pdf, pikepdf.new() as out:
        for number in wanted:
            with suppress(
                Unfit, pikepdf.PdfError, KeyError, ValueError, TypeError, IndexError, AttributeError
            ):
                page = pdf.pages[number - 1]
                judge(page)
                out.pages.append(_upright(out, page, scans[number - 1].rotation))
                kept[number] = len(out.pages) - 1
        if not kept:
            return {}
        out.remove_unreferenced_resources()
        out.save(target, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return _those_that_look_the_same(quiet, target, kept)


def judge(page: pikepdf.Page) -> None:
    """Raises Unfit, naming what, unless the page may stay."""
    if has_annotations(page):
        raise Unfit("annotations")
    found = _Found()
    resources = page.obj.get("/Resources")
    _walk(page, resources if isinstance(resources, Dictionary) else Dictionary(), found, _NESTING)
    if not found.shown:
        raise Unfit("no text: a picture says the same")
    for place, shown in found.shown.items():
        if not archival_fonts.stays(found.fonts[place], shown):
            raise Unfit("font")
        archival_fonts.tidy(found.fonts[place])


def _walk(content: pikepdf.Page | Object, resources: Dictionary, found: _Found, depth: int) -> None:
    """Every instruction of a page or form, and what it draws with."""
    if depth == 0:
        raise Unfit("nested too deep")
    font: tuple[int, int] | None = None
    level = 0
    for instruction in pikepdf.parse_content_stream(content):
        if not isinstance(instruction, pikepdf.ContentStreamInstruction):
            raise Unfit("inline image")
        name, operands = str(instruction.operator), list(instruction.operands)
        level += {"q": 1, "Q": -1}.get(name, 0)
        if not 0 <= level <= _DEEPEST_Q:
            raise Unfit("unbalanced state")
        if name == "Tf":
            font = _font(resources, str(operands[0]), found)
        elif name in _SHOW:
            if font is None:
                raise Unfit("text without a font")
            found.shown.setdefault(font, []).extend(_strings(operands))
        elif name == "Do":
            _object(resources, str(operands[0]), found, depth)
        else:
            _plain(name, operands, resources)
    if level:
        raise Unfit("unbalanced state")


def _plain(name: str, operands: Sequence[object], resources: Dictionary) -> None:
    """An instruction that shows neither text nor an object."""
    if name == "gs":
        _state(_named(resources, "/ExtGState", str(operands[0])))
    elif name in _COLOUR:
        _colour(name, operands, resources)
    elif name == "ri":
        if spelt(operands[0]) not in _INTENTS:
            raise Unfit("rendering intent")
    elif name in _MARKS:
        if operands and spelt(operands[0]) == "/OC":
            raise Unfit("optional content")
    elif name not in _PAINT and name not in _TEXT:
        raise Unfit(f"operator {name}")


def _font(resources: Dictionary, name: str, found: _Found) -> tuple[int, int]:
    font = _named(resources, "/Font", name)
    if not isinstance(font, Dictionary) or not font.is_indirect:
        raise Unfit("font")
    found.fonts[font.objgen] = font
    return font.objgen


def _strings(operands: Sequence[object]) -> Iterator[bytes]:
    for operand in operands:
        if isinstance(operand, pikepdf.String):
            yield bytes(operand)
        elif isinstance(operand, Array):
            yield from (bytes(item) for item in operand if isinstance(item, pikepdf.String))


def _object(resources: Dictionary, name: str, found: _Found, depth: int) -> None:
    thing = _named(resources, "/XObject", name)
    if not isinstance(thing, Stream) or any(key in thing for key in ("/OC", "/OPI", "/Ref", "/PS", "/F")):
        raise Unfit("XObject")
    _filters(thing)
    kind = spelt(thing.get("/Subtype"))
    if kind == "/Image":
        _image(thing)
    elif kind == "/Form":
        inner = thing.get("/Resources")
        if not isinstance(inner, Dictionary) or "/Subtype2" in thing:
            raise Unfit("form")
        group = thing.get("/Group")
        if isinstance(group, Dictionary) and "/CS" in group:
            _space(group.get("/CS"))
        _walk(thing, inner, found, depth - 1)
    else:
        raise Unfit("XObject")


def _image(image: Stream) -> None:
    if any(key in image for key in ("/Alternates", "/Mask")) or image.get("/Interpolate", False):
        raise Unfit("image")
    if image.get("/ImageMask", False):
        return
    if int(image.get("/BitsPerComponent", 8)) not in {1, 2, 4, 8}:
        raise Unfit("image")
    _space(image.get("/ColorSpace"))
    if "/Intent" in image and spelt(image.get("/Intent")) not in _INTENTS:
        raise Unfit("rendering intent")
    mask = image.get("/SMask")
    if isinstance(mask, Stream):
        _filters(mask)
        _image(mask)


def _filters(stream: Stream) -> None:
    filters = stream.get("/Filter")
    names = (
        [spelt(one) for one in filters] if isinstance(filters, Array) else [spelt(filters)] if filters else []
    )
    if not set(names) <= _FILTERS:
        raise Unfit("filter")


def _state(state: object) -> None:
    if not isinstance(state, Dictionary) or not set(state.keys()) <= _STATE:
        raise Unfit("graphics state")
    blends = state.get("/BM", Name.Normal)
    if isinstance(blends, Array) or spelt(blends) not in {"/Normal", "/Compatible"}:
        raise Unfit("blend mode")
    if "/SMask" in state and spelt(state.get("/SMask")) != "/None":
        raise Unfit("soft mask")
    if "/RI" in state and spelt(state.get("/RI")) not in _INTENTS:
        raise Unfit("rendering intent")
    if any(bool(state.get(key, False)) for key in ("/OP", "/op")):
        raise Unfit("overprint")


def _colour(name: str, operands: Sequence[object], resources: Dictionary) -> None:
    if name in {"cs", "CS"}:
        given = spelt(operands[0])
        _space(operands[0] if given in _DEVICES else _named(resources, "/ColorSpace", given))
    elif operands and isinstance(operands[-1], Name):
        raise Unfit("pattern")


def _space(space: object) -> None:
    """Device gray and RGB stand for the output intent's; a profile must be one; an index must lead to these."""
    if isinstance(space, Name):
        if spelt(space) not in _DEVICES:
            raise Unfit("colour space")
        return
    if not isinstance(space, Array) or not len(space):
        raise Unfit("colour space")
    kind = spelt(space[0])
    if kind in {"/Indexed", "/I"}:
        _space(space[1])
    elif kind == "/ICCBased":
        _profile(space[1])
    elif kind not in _DEVICES:
        raise Unfit("colour space")


def _profile(stream: object) -> None:
    if not isinstance(stream, Stream):
        raise Unfit("profile")
    _filters(stream)
    profile = bytes(stream.read_bytes())
    sound = (
        len(profile) >= 128
        and profile[36:40] == b"acsp"
        and profile[8] <= 4
        and profile[12:16] in {b"scnr", b"mntr", b"prtr", b"spac"}
        and _CHANNELS.get(profile[16:20]) == int(stream.get("/N", 0))
    )
    if not sound:
        raise Unfit("profile")


def _named(resources: Dictionary, kind: str, name: str) -> Object:
    named = resources.get(kind)
    thing = named.get(name) if isinstance(named, Dictionary) else None
    if thing is None:
        raise Unfit(f"{kind} {name}")
    return thing


def _upright(out: pikepdf.Pdf, page: pikepdf.Page, rotation: int) -> pikepdf.Page:
    """A new page as it is seen: the shown box at the origin, turned as /Rotate asks, nothing beside the content."""
    left, bottom, right, top = page_box(page)
    width, height = right - left, top - bottom
    matrix = {
        0: (1, 0, 0, 1, -left, -bottom),
        90: (0, -1, 1, 0, -bottom, right),
        180: (-1, 0, 0, -1, right, top),
        270: (0, 1, -1, 0, top, -left),
    }[rotation]
    seen = (height, width) if rotation in (90, 270) else (width, height)
    page.contents_coalesce()
    content = bytes(cast("Stream", page.obj.get("/Contents")).read_bytes())
    numbers = " ".join(f"{value:.4f}" for value in matrix)
    return pikepdf.Page(
        Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, round(seen[0], 4), round(seen[1], 4)]),
            Resources=_travelled(out, page.obj.get("/Resources")),
            Contents=out.make_stream(f"q {numbers} cm\n".encode() + content + b"\nQ"),
        )
    )


def _travelled(out: pikepdf.Pdf, value: object) -> object:
    if isinstance(value, Object) and value.is_indirect:
        return out.copy_foreign(value)
    if isinstance(value, Dictionary):
        return Dictionary({key: _travelled(out, item) for key, item in value.items()})
    if isinstance(value, Array):
        return Array([_travelled(out, item) for item in value])
    return value


def _those_that_look_the_same(quiet: Path, vectors: Path, kept: Mapping[int, int]) -> dict[int, int]:
    """The copies that PDFium draws like the page the clerk was shown."""
    with pypdfium2.PdfDocument(quiet) as shown, pypdfium2.PdfDocument(vectors) as copies:
        return {number: index for number, index in kept.items() if _alike(shown[number - 1], copies[index])}


def _alike(one: pypdfium2.PdfPage, other: pypdfium2.PdfPage) -> bool:
    first, second = (
        page.render(scale=_GLANCE, draw_annots=True).to_pil().convert("RGB") for page in (one, other)
    )
    if max(abs(a - b) for a, b in zip(first.size, second.size, strict=True)) > 1:
        return False
    size = (min(first.width, second.width), min(first.height, second.height))
    apart = ImageChops.difference(first.crop((0, 0, *size)), second.crop((0, 0, *size)))
    return max(ImageStat.Stat(apart).mean) <= _SAME_ENOUGH
