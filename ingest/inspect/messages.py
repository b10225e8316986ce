"""What a child says, checked: it handles hostile files, so its answers are foreign too."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from ingest.inspect.findings import PageSource
from ingest.inspect.limits import (
    LONGEST_CODE,
    MAX_PAGES,
    MAX_SIDE,
    MOST_CODES,
    MOST_PLACES,
    MOST_SIGNED,
)
from ingest.inspect.sentences import FAULTS, REFUSALS

Sentence = Annotated[str, StringConstraints(max_length=200)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Message):
    text: Annotated[str, StringConstraints(max_length=10_000)]
    box: tuple[float, float, float, float]


class Code(_Message):
    """What a code on the page says, and where; foreign text, to be checked by whoever uses it."""

    text: Annotated[str, StringConstraints(max_length=LONGEST_CODE)]
    format: Annotated[str, StringConstraints(max_length=40)]
    position: Annotated[tuple[tuple[int, int], ...], Field(min_length=4, max_length=4)]
    step: Annotated[str, StringConstraints(max_length=20)]


class Sheet(_Message):
    """What marks a page as a separator sheet: bars along its edges, and texts of codes."""

    barred: bool
    texts: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=LONGEST_CODE)], ...], Field(max_length=MOST_CODES)
    ]


class Page(_Message):
    """One finished page; `name` is a plain file name in the work folder."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,6}\.(jpg|png)$")]
    media_type: Literal["image/jpeg", "image/png"]
    width: Annotated[int, Field(ge=1, le=MAX_SIDE)]
    height: Annotated[int, Field(ge=1, le=MAX_SIDE)]
    dpi: Annotated[int, Field(ge=1, le=100_000)] | None
    rotation: Literal[0, 90, 180, 270]
    source: PageSource
    text: tuple[Line, ...]
    faults: tuple[Annotated[str, StringConstraints(pattern=f"^({'|'.join(FAULTS)})$")], ...] = ()
    vector: Annotated[int, Field(ge=0, le=MAX_PAGES)] | None = None
    codes: Annotated[tuple[Code, ...], Field(max_length=MOST_CODES)] = ()
    blank: bool = False
    sheet: Sheet | None = None


class Finished(_Message):
    """A page is ready in the work folder."""

    page: Page


class Refusal(_Message):
    """The file cannot be taken in; `spent` says that the child ends with this answer."""

    refused: Annotated[str, Field(json_schema_extra={"enum": sorted(REFUSALS)})]
    figures: dict[str, int | str]
    media_type: str
    unforeseen: Annotated[str, StringConstraints(max_length=300)] = ""
    spent: bool = False


class Done(_Message):
    """All pages are ready; `spent` as with a refusal."""

    done: Literal["accepted", "repaired"]
    media_type: str
    removed: tuple[Sentence, ...]
    notes: tuple[Sentence, ...]
    spent: bool = False


class Drawn(_Message):
    """The view that was asked for lies in the work folder under its one name."""

    drawn: Literal[True]


Number = Annotated[float, Field(ge=-10 * MAX_SIDE, le=10 * MAX_SIDE, allow_inf_nan=False)]
Point = tuple[Number, Number]


class Place(_Message):
    """Where a rescanned page differs from the signed one, in stored pixels of both."""

    kind: Literal["changed", "missing", "added", "seal"]
    signed: tuple[Number, Number, Number, Number]
    sheet: tuple[Point, Point, Point, Point]


class Found(_Message):
    """Which of the signed pages it is, if any, and how far they agree."""

    index: Annotated[int, Field(ge=0, lt=MOST_SIGNED)] | None
    inliers: Annotated[int, Field(ge=0)] = 0
    agreement: Annotated[float, Field(ge=0, le=1)] = 0.0
    unseen: Annotated[float, Field(ge=0, le=1)] = 0.0
    places: Annotated[tuple[Place, ...], Field(max_length=MOST_PLACES)] = ()
    further: Annotated[int, Field(ge=0)] = 0


class Registered(_Message):
    """The rescanned page was held against the signed ones; `spent` as with a refusal."""

    registered: Found
    spent: bool = False


class Set(_Message):
    """The sheets that were asked for lie in the work folder under their one name."""

    set_beside: Literal[True]


Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class Raw(_Message):
    """`rows` × `columns` × `channels` bytes of pixels, from `offset` on, out of a picture of `width` × `height`."""

    offset: Annotated[int, Field(ge=0, le=64)]
    rows: Side
    columns: Side
    channels: Literal[1, 3]
    width: Side
    height: Side


class Unpacked(_Message):
    """The pixels that were asked for lie in the work folder under their one name."""

    unpacked: Raw


class Stream(_Message):
    """How a picture lies in a PDF. `converted` says that its pixels are not those of the file any more."""

    coding: Literal["CCITTFaxDecode", "FlateDecode"]
    width: Side
    height: Side
    channels: Literal[1, 3]
    inverted: bool = False
    converted: bool = False


class Coded(_Message):
    """The picture that was asked for lies coded in the work folder under its one name."""

    coded: Stream


Message = Finished | Refusal | Done | Drawn | Registered | Set | Unpacked | Coded
_adapter: TypeAdapter[Message] = TypeAdapter(Message)


def parse(raw: dict[str, Any]) -> Message:
    """The message, or pydantic's ValidationError."""
    return _adapter.validate_python(raw)
