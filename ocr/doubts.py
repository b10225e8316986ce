"""Reads doubtful numbers a second time: only their cut-outs, by the other engine, and keeps both readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ocr.engines.interface import CutReader
from ocr.fields import Field, Kind, SecondReading
from ocr.fields.numbers import check_of, normalised
from ocr.lines import as_box
from ocr.pictures import Picture, open_picture
from ocr.red import Pixels

MOST_IN_A_PAGE = 24
"""A register may hold hundreds of numbers on a page that is hard to read; the others stay doubtful without asking."""

LETTERS = {
    Kind.IDENTITY_NUMBER: "0123456789X",
    Kind.CREDIT_CODE: "0123456789ABCDEFGHJKLMNPQRTUWXY",
}
"""What these numbers are made of (GB 11643, GB 32100); certificate numbers may hold any character."""


def read_doubtful(
    source: Path | Pixels | Picture, fields: Sequence[Field], other: Callable[[], CutReader]
) -> list[Field]:
    """Return the fields, the doubtful numbers among them with what the other engine reads in their place.

    `other` is asked for its engine only when something is in doubt. Raises UnreadablePicture and EngineFailed.
    """
    doubtful = [number for number, field in enumerate(fields) if field.doubtful][:MOST_IN_A_PAGE]
    if not doubtful:
        return list(fields)
    picture = source if isinstance(source, Picture) else open_picture(source)
    reader = other()
    return [
        field.read_again(_second(picture, field, reader)) if number in doubtful else field
        for number, field in enumerate(fields)
    ]


def _second(picture: Picture, field: Field, reader: CutReader) -> SecondReading:
    box = as_box((x / picture.scale, y / picture.scale) for x, y in field.box)
    line = reader.read_cut(picture, box, letters=LETTERS.get(field.kind, ""))
    value = normalised(field.kind, line.text)
    return SecondReading(reader.name, reader.version, value, line.confidence, check_of(field.kind, value))
