"""The text of a rescanned page beside that of the page it may be: where both were read alike, and where otherwise.

What was read is a hint of where to look harder, never a difference by itself: engines misread. Values only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from ocr.lines import Box, Line, box_bounds

SAME_LINE = 60.0
"""Similarity, of 100, from which two lines are the same line read twice."""

CERTAIN = 0.8
"""Confidence from which a line that was read alike counts as such."""

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Beside:
    """`likeness` of the whole texts, 0 to 1; bounds on the signed page, in its stored pixels."""

    likeness: float
    alike: tuple[Bounds, ...]
    otherwise: tuple[Bounds, ...]


def beside(signed: Sequence[Line], rescan: Sequence[Line]) -> Beside:
    """Lay the lines read on a rescanned page beside those that stand on the signed one."""
    ours = [(line, _squeezed(line.text)) for line in signed if not line.seal]
    ours = [(line, text) for line, text in ours if text]
    theirs = [text for line in rescan if not line.seal and (text := _squeezed(line.text))]
    if not ours or not theirs:
        return Beside(1.0 if not ours and not theirs else 0.0, (), ())
    scores = process.cdist([text for _, text in ours], theirs, scorer=fuzz.ratio, dtype=np.float32)
    alike, otherwise, matched = [], [], 0.0
    for (line, text), row in zip(ours, scores, strict=True):
        best = int(np.argmax(row))
        if row[best] < SAME_LINE:
            continue  # cut into other pieces, or not there: only the picture can tell
        matched += len(text) * float(row[best]) / 100
        for start, end, same in _parts(text, theirs[best]):
            bounds = box_bounds(_box(line, text, start, end))
            if not same:
                otherwise.append(bounds)
            elif line.confidence >= CERTAIN:
                alike.append(bounds)
    whole = sum(len(text) for _, text in ours)
    return Beside(round(min(1.0, matched / whole), 4), tuple(alike), tuple(otherwise))


def _parts(one: str, other: str) -> list[tuple[int, int, bool]]:
    """Stretches of `one` and whether `other` has the same; what only `other` has marks the letters around it."""
    parts = []
    for step in Levenshtein.opcodes(one, other):
        start, end = step.src_start, step.src_end
        if step.tag == "insert":
            start, end = max(0, start - 1), min(len(one), end + 1)
        parts.append((start, end, step.tag == "equal"))
    return [(start, end, same) for start, end, same in parts if end > start]


def _box(line: Line, text: str, start: int, end: int) -> Box:
    """The place of letters of the squeezed text; by their share of the line where letters have no places."""
    kept = [place for place, letter in enumerate(line.text) if not letter.isspace()]
    return line.box_of(kept[start], kept[end - 1] + 1) if len(kept) == len(text) else line.box


def _squeezed(text: str) -> str:
    return "".join(text.split())
