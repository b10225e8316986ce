"""Legible or not, at once: what is wrong with a page's picture, judged while the applicant is still at the counter.

Everything is measured on a gray copy of about 150 dots per inch, so that the limits are those of printed text and not
of the device. Whoever changes one raises `sentences.FAULTS_VERSION`. The limits were set on generated
scans and on others' photographs (docs/decisions/0040); a page that is found at fault is still taken in: the clerk
decides whether it is scanned again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORKING_DPI = 150
WORKING_SIDE = 1754
"""The long side of a page of unknown resolution: A4 at the working resolution."""
MOST_PIXELS = 80_000_000
Gray = NDArray[np.uint8]


@dataclass(frozen=True)
class Limits:
    """When a measure becomes a fault. Levels run from 0 (black) to 255."""

    resolution_dpi: int = 140
    photo_side: int = 1400
    """Pixels of the long side, where nobody knows the resolution."""
    sharpness: float = 0.25
    """Steepest step of a text edge within one pixel, as a share of the contrast around it."""
    paper_level: int = 95
    contrast: int = 45
    glare_share: float = 0.012
    glare_above_paper: int = 22
    cut_runs: int = 6
    """Strokes of text that run into one edge of the picture."""
    corner_apart: int = 120
    skew_degrees: float = 4.0


LIMITS = Limits()
_TILE = 32
_TEXT_CONTRAST = 70
_ENOUGH_TILES = 6
_GLARE_LEVEL = 250
_CELL = 12
_CORNER = 0.035
_EVEN = 22.0
_SLOPES = np.arange(-10.0, 10.01, 2.0)
_SMALL_SIDE = 320
_DEEP = 2
_REACH = 24


def judge(path: Path, *, dpi: int | None, limits: Limits = LIMITS) -> tuple[str, ...]:
    """The faults of a page image (`ingest.inspect.sentences.FAULTS`), the gravest first; empty when it is legible.

    A sheet of more than `MOST_PIXELS` is not judged: a plan for a building is looked at, not read.
    """
    seen = look(path, dpi=dpi)
    return () if seen is None else seen.faults(limits)


@dataclass(frozen=True)
class Look:
    """A page's gray working copy, the size of the picture it was made from, and its resolution."""

    gray: Gray
    size: tuple[int, int]
    dpi: int | None

    def faults(self, limits: Limits = LIMITS) -> tuple[str, ...]:
        return tuple(_faults(self.gray, size=self.size, dpi=self.dpi, limits=limits))


def look(path: Path, *, dpi: int | None) -> Look | None:
    """The page at the working resolution, or None where it is too large to be judged."""
    with Image.open(path) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            return None
        return Look(np.asarray(_working_copy(picture, dpi)), picture.size, dpi)


def _faults(gray: Gray, *, size: tuple[int, int], dpi: int | None, limits: Limits) -> Iterator[str]:
    paper, ink = _level(gray, 0.80), _level(gray, 0.01)
    if paper < limits.paper_level:
        yield "too_dark"
    sharp = sharpness(gray)
    if sharp is not None and sharp < limits.sharpness:
        yield "blurred"
    elif sharp is None and 8 < paper - ink < limits.contrast:
        yield "faint"
    if (dpi is not None and dpi < limits.resolution_dpi) or (dpi is None and max(size) < limits.photo_side):
        yield "low_resolution"
    if _glare(gray, paper, limits) > limits.glare_share:
        yield "glare"
    if max(_strokes_into_edges(gray)) >= limits.cut_runs:
        yield "cut_edge"
    if _odd_corner(gray) > limits.corner_apart:
        yield "missing_corner"
    if abs(skew(gray)) > limits.skew_degrees:
        yield "skewed"


def _working_copy(picture: Image.Image, dpi: int | None) -> Image.Image:
    """Gray, at about the working resolution; a JPEG is unpacked at a fraction of its size where that is enough."""
    long_side = max(picture.size)
    factor = WORKING_DPI / dpi if dpi else WORKING_SIDE / long_side
    target = (
        max(1, round(picture.width * min(1.0, factor))),
        max(1, round(picture.height * min(1.0, factor))),
    )
    picture.draft("L", target)
    gray = picture.convert("L")
    return gray.resize(target, Image.Resampling.BOX, reducing_gap=2.0) if gray.size != target else gray


def sharpness(gray: Gray) -> float | None:
    """How steep the edges of text are: the median over all places with text, 1 for a step within one pixel.

    None where there is too little text to tell.
    """
    height, width = (side // _TILE * _TILE for side in gray.shape)
    if min(height, width) < _TILE:
        return None
    levels = gray[:height, :width].astype(np.int16)
    steps = np.zeros_like(levels)
    steps[:, :-1] = np.abs(np.diff(levels, axis=1))
    steps[:-1] = np.maximum(steps[:-1], np.abs(np.diff(levels, axis=0)))
    shape = (height // _TILE, _TILE, width // _TILE, _TILE)
    tiles = levels.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, _TILE * _TILE)
    steepest = steps.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, _TILE * _TILE).max(axis=1)
    contrast = tiles.max(axis=1) - tiles.min(axis=1)
    # Text, not the edge of a dark table: most of the tile is paper.
    dark = (tiles < (tiles.max(axis=1) - contrast // 2)[:, None]).mean(axis=1)
    text = (contrast >= _TEXT_CONTRAST) & (dark > 0.02) & (dark < 0.45)
    if text.sum() < _ENOUGH_TILES:
        return None
    return float(np.median(steepest[text] / contrast[text]))


def _level(gray: Gray, share: float) -> int:
    """The level below which this share of the pixels lies."""
    counts = np.cumsum(Image.fromarray(gray).histogram())
    return int(np.searchsorted(counts, share * counts[-1]))


def _glare(gray: Gray, paper: float, limits: Limits) -> float:
    """The share of the page that is burnt out, where the paper itself is not white."""
    if paper > _GLARE_LEVEL - limits.glare_above_paper:
        return 0.0
    height, width = (side // _CELL * _CELL for side in gray.shape)
    if min(height, width) < _CELL:
        return 0.0
    cells = gray[:height, :width].reshape(height // _CELL, _CELL, width // _CELL, _CELL)
    return float((cells.min(axis=(1, 3)) >= _GLARE_LEVEL).mean())


def _strokes_into_edges(gray: Gray) -> list[int]:
    """For each edge, how many short strokes of ink touch it: text that was cut off. A rule or a shadow is one long run."""
    if min(gray.shape) < 4 * _DEEP:
        return [0]
    found = []
    for edge in (gray[:_DEEP], gray[-_DEEP:], gray[:, :_DEEP].T, gray[:, -_DEEP:].T):
        line = edge.mean(axis=0)  # a speck on the very edge is no stroke
        paper = np.lib.stride_tricks.sliding_window_view(
            np.pad(line, _REACH, mode="edge"), 2 * _REACH + 1
        ).max(axis=1)
        ink = (line < 0.55 * paper).astype(np.int8)
        starts = np.flatnonzero(np.diff(np.concatenate(([0], ink))) == 1)
        ends = np.flatnonzero(np.diff(np.concatenate((ink, [0]))) == -1)
        lengths = ends - starts + 1
        found.append(int(((lengths >= 2) & (lengths <= _REACH // 2)).sum()))
    return found


def _odd_corner(gray: Gray) -> float:
    """How far one corner lies from the other three, where all four are even: a folded or torn-off corner."""
    side = max(4, round(_CORNER * min(gray.shape)))
    corners = [gray[:side, :side], gray[:side, -side:], gray[-side:, :side], gray[-side:, -side:]]
    if any(float(corner.std()) > _EVEN for corner in corners):
        return 0.0
    levels = sorted(float(corner.mean()) for corner in corners)
    others = max(levels[2] - levels[0], levels[3] - levels[1])
    low, high = levels[1] - levels[0], levels[3] - levels[2]
    apart = max(low, high)
    return apart if others - apart < _EVEN else 0.0


def skew(gray: Gray) -> float:
    """Degrees by which the lines of text are turned (clockwise positive), within ten; 0 where nothing tells."""
    small = Image.fromarray(gray)
    small.thumbnail((_SMALL_SIDE, _SMALL_SIDE), Image.Resampling.BOX)
    levels = np.asarray(small).astype(np.float32)
    dark = np.clip(_level(np.asarray(small), 0.80) - levels, 0, None)
    dark[dark < 0.35 * dark.max(initial=0)] = 0
    middle = Image.fromarray(dark)
    scores = []
    for slope in _SLOPES:
        turned = np.asarray(middle.rotate(float(slope), Image.Resampling.BILINEAR))
        scores.append(float(np.square(np.diff(turned.sum(axis=1))).sum()))
    best = int(np.argmax(scores))
    level = float(scores[len(scores) // 2])
    return float(_SLOPES[best]) if scores[best] > 1.25 * level else 0.0
