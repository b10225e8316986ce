"""Tesseract through pytesseract, with simplified Chinese: the second opinion, and the fallback."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, cast

import cv2
import numpy as np
import pytesseract

from ocr.engines import quiet  # noqa: F401  # one thread for Tesseract's own process
from ocr.engines.digest import digest
from ocr.engines.interface import EngineFailed
from ocr.engines.recognition import straighten
from ocr.lines import Angle, Box, Char, Line, as_box, direction_of, height_of
from ocr.pictures import Picture
from ocr.red import Pixels

LANGUAGE = "chi_sim"
CONFIG = "--oem 1 --psm 3 -c preserve_interword_spaces=1"
CUT_CONFIG = "--oem 1 --psm 7"
SECONDS = 120
"""After this long a page is given up; the heaviest measured page took 9 s."""

SURE = 1.0
"""Orientation confidence from which Tesseract's guess is followed; below it the page stays as it lies."""

PAPER = 245
DARK = 160
"""Brightness of evened paper, and below which something on it is ink."""

WIDE = re.compile(r"[^\x00-\x7f]")


class Tesseract:
    """Tesseract as it is installed on the machine."""

    name = "tesseract"

    def __init__(self) -> None:
        try:
            self.version = str(pytesseract.get_tesseract_version())
        except pytesseract.TesseractNotFoundError as error:
            raise EngineFailed from error
        self.precision = "tesseract-lstm"
        self.settings_digest = digest({"language": LANGUAGE, "config": CONFIG, "sure": SURE})

    def read(self, page: Picture) -> list[Line]:
        """Return all lines of a page, in no certain order."""
        even = unruled(evened(page.red.clean if page.red else page.gray))
        angle = self._direction(even)
        upright = np.ascontiguousarray(np.rot90(even, -(angle // 90)))
        words = self._ask(pytesseract.image_to_data, upright, lang=LANGUAGE, config=CONFIG)
        height, width = even.shape
        return [
            Line(line.text, _back(line.box, angle, width, height), line.confidence, line.chars)
            for line in _lines(words)
        ]

    def read_cut(self, page: Picture, box: Box, *, letters: str = "") -> Line:
        """Return the one line in the box; with `letters` by the Latin model, which knows no other."""
        ink = page.red.clean if page.red else page.gray
        strip = straighten(ink, wider(box))
        margin = strip.shape[0] // 2
        paper = int(np.percentile(strip, 90))
        framed = np.pad(strip, margin, constant_values=paper)
        config = f"{CUT_CONFIG} -c tessedit_char_whitelist={letters}" if letters else CUT_CONFIG
        words = self._ask(
            pytesseract.image_to_data, framed, lang="eng" if letters else LANGUAGE, config=config
        )
        found = _lines(words)
        text = "".join(line.text for line in found)
        sure = min((line.confidence for line in found), default=0.0)
        return Line(text, box, sure)

    def _direction(self, pixels: Pixels) -> Angle:
        """Return by how much the page must be turned clockwise; 0 where Tesseract is not sure."""
        try:
            found = self._ask(pytesseract.image_to_osd, pixels, config="--psm 0")
        except pytesseract.TesseractError as error:
            if "Too few characters" in str(error.message) or "Invalid resolution" in str(error.message):
                return 0
            raise EngineFailed from error
        return cast(Angle, found["rotate"] % 360) if found["orientation_conf"] >= SURE else 0

    def _ask(self, question: Any, pixels: Pixels, **options: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = question(
                pixels, output_type=pytesseract.Output.DICT, timeout=SECONDS, **options
            )
        except pytesseract.TesseractError:
            raise
        except (
            RuntimeError,
            pytesseract.TesseractNotFoundError,
        ) as error:  # pytesseract's time-out is a RuntimeError
            raise EngineFailed from error
        return answer


def wider(box: Box) -> Box:
    """Return the box with a sixth of its height more around it: the finder of boxes cuts close."""
    right, down = direction_of(box), direction_of((box[0], box[3], box[2], box[1]))
    margin = height_of(box) / 6
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return as_box(
        (x + margin * (a * right[0] + b * down[0]), y + margin * (a * right[1] + b * down[1]))
        for (x, y), (a, b) in zip(box, signs, strict=True)
    )


def evened(gray: Pixels) -> Pixels:
    """Return the page with its paper made evenly white: Tesseract loses a third of a page that is lit from one side."""
    size = max(1, gray.shape[1] // 8), max(1, gray.shape[0] // 8)
    paper = cv2.medianBlur(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), 31)
    paper = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(gray, np.maximum(paper, 1), scale=PAPER), np.uint8)


def unruled(gray: Pixels) -> Pixels:
    """Return the page without the rules of forms and tables: Tesseract takes a ruled form for a drawing."""
    dark = (gray < DARK).astype(np.uint8)
    length = max(40, max(gray.shape) // 35)
    level = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    rules = cv2.dilate(cv2.bitwise_or(level, upright), np.ones((5, 5), np.uint8))
    return np.where(rules > 0, np.uint8(PAPER), gray)


def _lines(words: dict[str, Any]) -> list[Line]:
    """Group Tesseract's words into its lines."""
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for index, text in enumerate(words["text"]):
        if text.strip() and float(words["conf"][index]) >= 0:
            groups[words["block_num"][index], words["par_num"][index], words["line_num"][index]].append(index)
    return [_line(words, indexes) for indexes in groups.values()]


def _line(words: dict[str, Any], indexes: list[int]) -> Line:
    left = min(words["left"][i] for i in indexes)
    top = min(words["top"][i] for i in indexes)
    right = max(words["left"][i] + words["width"][i] for i in indexes)
    bottom = max(words["top"][i] + words["height"][i] for i in indexes)
    length = max(right - left, 1)
    chars: list[Char] = []
    for i in indexes:
        text, sure = words["text"][i].strip(), float(words["conf"][i]) / 100
        before = chars[-1].end if chars else 0.0
        begin = max((words["left"][i] - left) / length, before)  # Tesseract's words overlap at times
        end = max((words["left"][i] + words["width"][i] - left) / length, begin)
        if chars and not (WIDE.match(chars[-1].text) or WIDE.match(text[0])):
            chars.append(Char(" ", before, begin, sure))
        each = (end - begin) / len(text)
        chars += [Char(c, begin + n * each, begin + (n + 1) * each, sure) for n, c in enumerate(text)]
    confidence = sum(char.confidence for char in chars) / len(chars)
    box = as_box([(left, top), (right, top), (right, bottom), (left, bottom)])
    return Line("".join(char.text for char in chars), box, confidence, tuple(chars))


def _back(box: Box, angle: Angle, width: int, height: int) -> Box:
    """Return the box in the unturned page (`width` × `height`); its first corner stays the text's own."""
    turns = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, height - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (width - y, x),
    }
    return as_box(turns[angle](x, y) for x, y in box)
