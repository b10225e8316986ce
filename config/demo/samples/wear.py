"""What capture does to a paper: a flatbed scan, a fax-like bilevel scan, a photo by hand on a desk."""

import math

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.float32]

_PAPER = (250, 248, 243)


def scanned(
    paper: Image.Image,
    dice: np.random.Generator,
    *,
    skew: float = 0.0,
    noise: float = 3.5,
    gray: bool = False,
) -> Image.Image:
    """A flatbed scan: paper tone, a slight turn, soft edges, uneven lamp, grain, dust, a shadowed edge.

    `skew` is in degrees; `noise` the standard deviation of the grain in levels of 255.
    """
    sheet = _on_tinted_paper(paper)
    sheet = _turned(sheet, skew + float(dice.normal(0, 0.12)))
    sheet = _floats(cv2.GaussianBlur(sheet, (0, 0), 0.75))
    sheet *= _lamp(sheet.shape[:2], dice)[..., None]
    sheet *= _edge_shadow(sheet.shape[:2], dice)[..., None]
    _speckle(sheet, dice, specks=round(sheet.shape[0] * sheet.shape[1] / 160_000))
    sheet += cv2.GaussianBlur(noise * 1.9 * dice.standard_normal(sheet.shape, dtype=np.float32), (0, 0), 0.7)
    scan = Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8))
    return scan.convert("L") if gray else scan


def bilevel(paper: Image.Image, dice: np.random.Generator, *, skew: float = 0.0) -> Image.Image:
    """A black-and-white scan: thresholded with the ragged edges and pepper that this leaves."""
    sheet = _turned(np.asarray(paper.convert("RGB"), dtype=np.float32), skew).mean(axis=2)
    sheet = cv2.GaussianBlur(sheet, (0, 0), 0.9) + 13 * dice.standard_normal(sheet.shape, dtype=np.float32)
    black = sheet < 158
    pepper = dice.random(sheet.shape, dtype=np.float32) < 0.00004
    pepper = cv2.dilate(pepper.astype(np.uint8), np.ones((2, 2), np.uint8)).astype(bool)
    return Image.fromarray(np.where(black | pepper, 0, 255).astype(np.uint8)).convert(
        "1", dither=Image.Dither.NONE
    )


def photographed(paper: Image.Image, dice: np.random.Generator, *, size: tuple[int, int]) -> Image.Image:
    """A phone photo from above: wooden desk, perspective, light from one side, shadow, sensor grain."""
    width, height = size
    scene = _desk(width, height, dice)
    sheet = _on_tinted_paper(paper)
    corners = _corners_by_hand(sheet.shape[1] / sheet.shape[0], width, height, dice)
    source = _floats([[0, 0], [sheet.shape[1], 0], [sheet.shape[1], sheet.shape[0]], [0, sheet.shape[0]]])
    matrix = cv2.getPerspectiveTransform(source, corners)
    laid = cv2.warpPerspective(sheet, matrix, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.ones(sheet.shape[:2], np.float32), matrix, (width, height))
    shadow = cv2.GaussianBlur(np.roll(mask, (height // 110, width // 140), (0, 1)), (0, 0), width / 120)
    scene *= (1 - 0.42 * shadow)[..., None]
    scene = scene * (1 - mask[..., None]) + laid * mask[..., None]
    scene *= _window_light(height, width, dice)[..., None]
    scene = _floats(cv2.GaussianBlur(scene, (0, 0), 0.9))
    grain = dice.standard_normal(scene.shape, dtype=np.float32)
    scene += grain * (2.2 + 26 / np.sqrt(np.maximum(scene, 8)))
    scene *= _floats([1.015, 1.0, 0.955])  # indoor light is warm
    return Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))


def _floats(values: npt.ArrayLike) -> Pixels:
    return np.asarray(values, dtype=np.float32)


def _on_tinted_paper(paper: Image.Image) -> Pixels:
    return _floats(np.asarray(paper, dtype=np.float32) * (_floats(_PAPER) / 255))


def _turned(sheet: Pixels, degrees: float) -> Pixels:
    if abs(degrees) < 1e-3:
        return sheet
    height, width = sheet.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    lid = tuple(float(v) for v in (246, 245, 242)[: sheet.shape[2]])
    return _floats(cv2.warpAffine(sheet, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=lid))


def _lamp(shape: tuple[int, int], dice: np.random.Generator) -> Pixels:
    coarse = dice.normal(1.0, 0.012, (6, 5)).astype(np.float32)
    return _floats(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC))


def _edge_shadow(shape: tuple[int, int], dice: np.random.Generator) -> Pixels:
    depth = float(dice.uniform(0.05, 0.16))
    reach = shape[1] * float(dice.uniform(0.012, 0.03))
    across = 1 - depth * np.exp(-np.arange(shape[1], dtype=np.float32) / reach)
    down = 1 - 0.5 * depth * np.exp(-np.arange(shape[0], dtype=np.float32)[::-1] / reach)
    return _floats(down[:, None] * across[None, :])


def _speckle(sheet: Pixels, dice: np.random.Generator, *, specks: int) -> None:
    height, width = sheet.shape[:2]
    for _ in range(specks):
        centre = (int(dice.integers(width)), int(dice.integers(height)))
        shade = float(dice.uniform(90, 190))
        cv2.circle(sheet, centre, int(dice.integers(1, 3)), (shade, shade, shade), -1, cv2.LINE_AA)


def _desk(width: int, height: int, dice: np.random.Generator) -> Pixels:
    """A brown desk with long grain."""
    threads = cv2.resize(
        dice.normal(0, 1, (height // 3, max(4, width // 160))).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    waves = np.sin(np.linspace(0, 60, height, dtype=np.float32)[:, None] + threads * 1.4)
    tone = 1 + 0.07 * waves + 0.05 * threads
    return _floats([134, 97, 66])[None, None, :] * tone[..., None]


def _corners_by_hand(ratio: float, width: int, height: int, dice: np.random.Generator) -> Pixels:
    """Four corners of the sheet in the picture: not quite centred, leaning away, a little turned."""
    reach = min(width * 0.88, height * 0.88 * ratio)
    half_w, half_h = reach / 2, reach / ratio / 2
    base = _floats([[-half_w, -half_h], [half_w, -half_h], [half_w, half_h], [-half_w, half_h]])
    base[:2, 0] *= float(dice.uniform(0.93, 0.96))  # the far edge is shorter
    angle = math.radians(float(dice.uniform(-2.5, 2.5)))
    turn = _floats([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    jitter = dice.normal(0, reach * 0.006, (4, 2)).astype(np.float32)
    return (base @ turn.T + jitter + _floats([width * 0.5, height * 0.505])).astype(np.float32)


def _window_light(height: int, width: int, dice: np.random.Generator) -> Pixels:
    """Bright towards one corner, dim and vignetted at the other, with the soft shadow of an arm."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    lean = float(dice.uniform(0.2, 0.35))
    fall = 1.06 - lean * (0.7 * across / width + 0.5 * down / height)
    x, y = width * float(dice.uniform(0.85, 1.0)), height * float(dice.uniform(0.75, 0.95))
    arm = np.exp(-(((across - x) / (width * 0.3)) ** 2 + ((down - y) / (height * 0.3)) ** 2))
    return _floats(np.clip(fall - 0.2 * arm, 0.3, 1.1))
