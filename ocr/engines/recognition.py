"""Reads one straightened line: crops it out of the page, runs the recogniser, decodes characters with their places."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ocr.engines.sessions import Session, Tensor
from ocr.lines import Box, Char, Line, height_of, length_of
from ocr.red import Pixels

HEIGHT = 48
"""The recogniser's fixed input height in pixels."""

WIDTH_STEP = 64
"""Inputs are padded to multiples of this: every new width costs the libraries a new plan (35 ms) and its memory."""

WIDEST = 4096
"""Longer lines are squeezed; 4096 px hold about 85 characters."""

BLANK = 0


class Recogniser:
    """The recognition model with its alphabet."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._alphabet = ["", *session.characters(), " "]

    def read(self, page: Pixels, box: Box) -> Line:
        """Return what stands in the box; an empty text where there is nothing."""
        tensor, used = as_input(straighten(page, box))
        return self._decoded(self._session.run(tensor)[0], used, box)

    def read_strip(self, strip: Pixels, box: Box) -> Line:
        """Return what stands in pixels that are already straight; `box` is only handed through."""
        tensor, used = as_input(strip)
        return self._decoded(self._session.run(tensor)[0], used, box)

    def _decoded(self, scores: npt.NDArray[np.float32], used: float, box: Box) -> Line:
        """Collapse the per-step classes (CTC): repeats are one character, class 0 separates."""
        classes = scores.argmax(axis=1)
        begins = np.flatnonzero((classes != BLANK) & (classes != np.concatenate(([BLANK], classes[:-1]))))
        if not len(begins):
            return Line("", box, 0.0)
        text = [self._alphabet[classes[step]] for step in begins]
        confidences = scores[begins, classes[begins]]
        centres = (begins + 0.5) / (len(classes) * used)
        chars = tuple(
            Char(letter, start, end, float(confidence))
            for letter, (start, end), confidence in zip(text, _spans(centres), confidences, strict=True)
            if letter
        )
        chars = _trimmed(chars)
        mean = float(np.mean([char.confidence for char in chars])) if chars else 0.0
        return Line("".join(char.text for char in chars), box, mean, chars)


def straighten(page: Pixels, box: Box) -> Pixels:
    """Return the box's content upright, scaled to the recogniser's height."""
    tall = max(height_of(box), 1.0)
    width = min(max(round(length_of(box) * HEIGHT / tall), 8), WIDEST)
    corners = np.array(box, np.float32)
    if tall > 2 * HEIGHT:  # warping straight to 48 px would skip pixels: halve by area first
        page, corners = _reduced(page, corners, HEIGHT * 1.5 / tall)
    target = np.array([(0, 0), (width, 0), (width, HEIGHT), (0, HEIGHT)], np.float32)
    turn = cv2.getPerspectiveTransform(corners, target)
    strip = cv2.warpPerspective(
        page, turn, (width, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, np.uint8)


def as_input(strip: Pixels) -> tuple[Tensor, float]:
    """Return the model's input and the fraction of its width that the strip fills."""
    height, width = strip.shape[:2]
    if height != HEIGHT:
        width = min(max(round(width * HEIGHT / height), 8), WIDEST)
        strip = np.asarray(cv2.resize(strip, (width, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    padded = math.ceil(width / WIDTH_STEP) * WIDTH_STEP
    tensor = np.zeros((1, 3, HEIGHT, padded), np.float32)
    tensor[0, :, :, :width] = strip.astype(np.float32) * (2 / 255) - 1
    return tensor, width / padded


def _reduced(
    page: Pixels, corners: npt.NDArray[np.float32], factor: float
) -> tuple[Pixels, npt.NDArray[np.float32]]:
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = page[top:bottom, left:right]
    rows, columns = part.shape[:2]
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    smaller = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([size[0] / columns, size[1] / rows], np.float32)
    return smaller, ((corners - (left, top)) * scale).astype(np.float32)


def _spans(centres: npt.NDArray[np.floating[Any]]) -> list[tuple[float, float]]:
    """Return where each character begins and ends: half-way to its neighbours, as wide outwards as inwards."""
    if len(centres) == 1:
        return [(0.0, 1.0)]
    middles = (centres[1:] + centres[:-1]) / 2
    starts = np.concatenate(([2 * centres[0] - middles[0]], middles))
    ends = np.concatenate((middles, [2 * centres[-1] - middles[-1]]))
    return list(zip(np.clip(starts, 0, 1).tolist(), np.clip(ends, 0, 1).tolist(), strict=True))


def _trimmed(chars: tuple[Char, ...]) -> tuple[Char, ...]:
    """Drop white space at both ends."""
    first, last = 0, len(chars)
    while first < last and chars[first].text.isspace():
        first += 1
    while last > first and chars[last - 1].text.isspace():
        last -= 1
    return chars[first:last]
