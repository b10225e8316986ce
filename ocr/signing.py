"""Finds places for a signature or a seal that are still blank: the label is printed, nothing stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from ocr.engines.recognition import HEIGHT, straighten
from ocr.fields import Field, Kind
from ocr.fields.view import narrow
from ocr.lines import Box, Line, direction_of, height_of
from ocr.pictures import Picture
from ocr.red import Pixels

LABEL = re.compile(
    r"(?:^|[^\u4e00-\u9fff])([\u4e00-\u9fff]{0,10}\(?(?:签字|签名|签章|盖章|签字或盖章|签名或盖章|公章)\)?) ?:? ?$"
)
REACH = 6.0
"""A signature stands within so many text heights right of its label."""

UP, DOWN = 0.8, 1.2
"""And so far above and below the label's line, in text heights: hands are larger than print."""

INK = 0.004
"""Share of the place that is ink from which something was written there; a thin signature in a wide place has 1 %."""

PALER = 60
"""How much darker than the paper ink is, of 255."""


def blank_places(picture: Picture, lines: Sequence[Line]) -> list[Field]:
    """Return a field for each label of a signature that has none; boxes of `lines` are in stored pixels.

    The seals and pieces of writing that were read count as much as ink that nobody could read.
    """
    return [
        Field(Kind.BLANK_SIGNATURE, label, label, label, number, 0, len(line.text), line.box, line.confidence)
        for number, line, label in _labels(lines)
        if not _written(picture, line.box)
    ]


def any_labels(lines: Sequence[Line]) -> bool:
    """Whether the page has a label of a signature with nothing printed behind it on its own line."""
    return next(_labels(lines), None) is not None


def _labels(lines: Sequence[Line]) -> Iterator[tuple[int, Line, str]]:
    for number, line in enumerate(lines):
        if not line.seal and (match := LABEL.search(narrow(line.text))):
            yield number, line, match.group(1)


def _written(picture: Picture, box: Box) -> bool:
    """Whether there is any ink right of the label that is no ruled line."""
    scale = picture.scale
    ours = [(x / scale, y / scale) for x, y in box]
    right = direction_of(box)
    down = direction_of((box[0], box[3], box[2], box[1]))
    height = height_of(box) / scale
    (x, y), top = ours[1], -UP * height
    start, reach, tall = 0.3 * height, REACH * height, (1 + UP + DOWN) * height

    def at(along: float, across: float) -> tuple[float, float]:
        return x + along * right[0] + across * down[0], y + along * right[1] + across * down[1]

    place: Box = (
        at(start, top),
        at(start + reach, top),
        at(start + reach, top + tall),
        at(start, top + tall),
    )
    strip = straighten(_darkest(picture), place)
    paper = float(np.percentile(strip, 80))
    ink = (strip < paper - PALER).astype(np.uint8)
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, HEIGHT), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((HEIGHT // 2, 1), np.uint8))
    rules = cv2.dilate(cv2.bitwise_or(level, upright), np.ones((3, 3), np.uint8))
    return float(np.where(rules > 0, 0, ink).mean()) >= INK


def _darkest(picture: Picture) -> Pixels:
    """Red ink signs, too: the picture in which it is as dark as it is."""
    return picture.red.plain if picture.red else picture.gray
