"""What goes into a dossier, as plain values: nothing here knows Django, PDF or the network."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, overload

Point = tuple[float, float]
Box = tuple[Point, Point, Point, Point]

WINDOW_SEAL = "WindowSeal"
OFFICE_RECEIPT = "OfficeReceipt"
RESULT = "Result"
SIGNATURE_FIELDS = (WINDOW_SEAL, OFFICE_RECEIPT, RESULT)


class Level(StrEnum):
    """PAdES baseline levels (ETSI EN 319 142-1)."""

    BASIC = "B-B"
    TIMESTAMPED = "B-T"
    LONG_TERM = "B-LT"
    ARCHIVED = "B-LTA"


class TextLine(NamedTuple):
    """One printed line as read.

    `box` holds the corners in pixels of the image as stored, in the order in which the line is read:
    start top, end top, end bottom, start bottom. `confidence` runs from 0 to 1.
    """

    text: str
    box: Box
    confidence: float


class Lines(Sequence[TextLine]):
    """The lines of a page, kept small: a plan holds those of thousands of pages, and each is looked at one by one."""

    __slots__ = ("_numbers", "_texts")
    A_LINE = 9

    def __init__(self, lines: Iterable[TextLine] = ()) -> None:
        texts, numbers = [], array("d")
        for line in lines:
            texts.append(line.text)
            numbers.extend(coordinate for corner in line.box for coordinate in corner)
            numbers.append(line.confidence)
        self._texts, self._numbers = tuple(texts), numbers

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> TextLine: ...

    @overload
    def __getitem__(self, index: slice) -> "Lines": ...

    def __getitem__(self, index: "int | slice") -> "TextLine | Lines":
        if isinstance(index, slice):
            return Lines(self[number] for number in range(*index.indices(len(self))))
        text = self._texts[index]
        begin = index % len(self) * self.A_LINE
        a, b, c, d, e, f, g, h, confidence = self._numbers[begin : begin + self.A_LINE]
        return TextLine(text, ((a, b), (c, d), (e, f), (g, h)), confidence)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lines):
            return NotImplemented
        return (self._texts, self._numbers) == (other._texts, other._numbers)

    def __hash__(self) -> int:
        return hash((self._texts, self._numbers.tobytes()))


@dataclass(frozen=True, slots=True)
class VectorPlan:
    """A page that stays what it was in the uploaded PDF: page `index` (from 0) of a PDF that holds such pages only.

    It stands upright with its box at the origin, and looks like the page's picture.
    """

    path: Path
    index: int


class LookedAt(NamedTuple):
    """A person compared a line of the reading (its number, from 0) with the image, and confirmed or corrected it."""

    line: int
    confirmed: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PagePlan:
    """One captured page: the image exactly as kept, and what was read on it.

    `rotation` is how many degrees clockwise (0, 90, 180, 270) the stored image is turned to stand upright;
    `dpi` is 0 when nobody knows it; `angle` is the remaining skew in degrees, for the manifest only. The first
    `own_lines` of the lines are text that the uploaded PDF brought along, the others were read. With a
    `vector` the page itself goes into the dossier, and says its own lines itself.
    """

    path: Path
    media_type: str
    sha256: str
    width: int
    height: int
    dpi: float = 0
    rotation: int = 0
    source_name_hash: str = ""
    captured_by: str = ""
    captured_at: datetime | None = None
    lines: Sequence[TextLine] = ()
    angle: float = 0.0
    reader: str = ""
    reader_version: str = ""
    unreadable: bool = False
    own_lines: int = 0
    vector: VectorPlan | None = None
    corrections: tuple[str, ...] = ()
    looked_at: tuple[LookedAt, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", Lines(self.lines))


@dataclass(frozen=True, slots=True)
class MaterialPlan:
    """The pages handed in for one row of the checklist."""

    name: str
    pages: tuple[PagePlan, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class SlipPlan:
    """A paper that was given to the applicant, as the PDF that was printed."""

    name: str
    path: Path
    number: str = ""


@dataclass(frozen=True, slots=True)
class OriginalPlan:
    """An uploaded file that had to be re-encoded; it is embedded beside the pages made from it."""

    name: str
    path: Path
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One line of the handling record."""

    at: datetime
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class DossierPlan:
    """Everything that one version of a dossier is made from. The same plan gives the same bytes.

    `made_at` is the clock (aware). `facts` are the rows of the cover after the fixed ones, label and value.
    `qr_text` is opaque: it names the dossier to this system and nobody else. `level` is the PAdES level that the file
    will be sealed at: it goes into the manifest, so that a file cut back to less betrays itself.
    """

    case_number: str
    version: int
    item: str
    applicant: str
    office: str
    window: str
    qr_text: str
    made_at: datetime
    centre: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    slips: tuple[SlipPlan, ...] = ()
    materials: tuple[MaterialPlan, ...] = ()
    record: tuple[RecordEntry, ...] = ()
    originals: tuple[OriginalPlan, ...] = field(default=())
    level: str = ""

    @property
    def title(self) -> str:
        return f"办件 {self.case_number} 卷宗（第 {self.version} 版）"

    def pages(self) -> Iterator[PagePlan]:
        for material in self.materials:
            yield from material.pages


class Leaf(NamedTuple):
    """A captured page in its place: the checklist row, its page in the PDF (from 1), the SHA-256 of the image."""

    material: str
    page: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """What assembly made: the unsigned file and its figures, and the captured pages in their order."""

    path: Path
    page_count: int
    sha256: str
    size: int
    leaves: tuple[Leaf, ...] = ()
