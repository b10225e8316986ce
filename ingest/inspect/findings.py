"""What an inspection finds: plain values that the rest of the house may rely on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Verdict = Literal["accepted", "repaired", "refused"]
PageSource = Literal["as_captured", "reencoded", "rendered", "extracted"]


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a PDF page's own, visible text.

    `box` is (left, top, right, bottom) in pixels of the page image as stored.
    """

    text: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FoundCode:
    """One QR code or barcode on a page (see `ingest.codes.Code`); corners in pixels of the picture as stored."""

    text: str
    format: str
    position: tuple[tuple[int, int], ...]
    step: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page has of a separator sheet: bars along its edges, and the texts of its QR codes."""

    barred: bool
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page: a JPEG or PNG file of 8 bits a channel or fewer, without alpha and private metadata.

    `width` and `height` are pixels as stored; `rotation` is how many degrees clockwise (0, 90, 180
    or 270) the stored picture must be turned to stand as its maker meant it. `dpi` is None where the
    file does not say it believably (phone photos, screenshots). `source` tells how the bytes arose:

    - `as_captured`: the file's own compressed image data, untouched;
    - `extracted`: the same, out of a PDF page that is nothing but this JPEG;
    - `rendered`: a PDF page drawn as a picture;
    - `reencoded`: unpacked and packed again (lossless unless a note of the inspection says otherwise).

    `faults` are what the clerk should scan again for (`ingest.inspect.sentences.FAULTS`), the gravest first.
    `codes` and `sheet` are filled only where they were asked for. `blank` says that nothing is on the page.
    `vector` is the page's index (from 0) in the inspection's `vectors`, when it may stay what it is.
    """

    path: Path
    media_type: Literal["image/jpeg", "image/png"]
    width: int
    height: int
    dpi: int | None
    rotation: int
    sha256: str
    source: PageSource
    text: tuple[TextLine, ...] = field(default=())
    vector: int | None = None
    faults: tuple[str, ...] = ()
    codes: tuple[FoundCode, ...] = ()
    blank: bool = False
    sheet: Sheet | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """The verdict on one file, and its pages when it was not refused.

    `reason` is a whole Chinese sentence for the clerk; `code` the same for programs (`ok`, or one
    of `ingest.inspect.sentences.REFUSALS`). `vectors` is a PDF with the pages that may stay what they are in an
    archival file, or None. `removed` lists active content and private metadata that
    the pages no longer carry; `notes` what else the clerk should know. `sha256` and `size` are the
    file's own.
    """

    verdict: Verdict
    code: str
    reason: str
    media_type: str
    sha256: str
    size: int
    pages: tuple[PageImage, ...]
    removed: tuple[str, ...]
    notes: tuple[str, ...]
    vectors: Path | None = None

    @property
    def refused(self) -> bool:
        return self.verdict == "refused"
