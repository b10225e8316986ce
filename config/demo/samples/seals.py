"""Red round seals as ink on paper: a ring, a star, the name along the arc, worn like a real stamp."""

import math
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_OVERSAMPLING = 3
_INK = (206, 32, 38)
_STAR_POINTS = 5


@cache
def font_file(family: str) -> tuple[str, int]:
    """The file and face index that fontconfig chooses for a family."""
    answer = subprocess.run(
        ["fc-match", "-f", "%{file}\n%{index}", family],
        check=True,
        capture_output=True,
        text=True,
    )
    file, index = answer.stdout.split("\n")
    return str(Path(file)), int(index)


def font(family: str, size: int) -> ImageFont.FreeTypeFont:
    file, index = font_file(family)
    return ImageFont.truetype(file, size, index=index)


def round_seal(name: str, *, diameter: int, code: str = "", middle: str = "") -> Image.Image:
    """A seal as coverage (mode L, 255 = full ink) of `diameter` pixels."""
    size = diameter * _OVERSAMPLING
    plate = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(plate)
    ring = round(size * 0.026)
    draw.ellipse((ring, ring, size - ring, size - ring), outline=255, width=ring)
    _star(draw, size / 2, size * 0.47, size * 0.15)
    _along_arc(plate, name, radius=size * 0.385, size=round(size * 0.115), spread=min(270, 22 * len(name)))
    if middle:
        letters = font("Noto Serif CJK SC:bold", round(size * 0.088))
        draw.text((size / 2, size * 0.74), middle, fill=255, font=letters, anchor="mm")
    if code:
        _along_arc(plate, code, radius=size * 0.40, size=round(size * 0.045), spread=60, below=True)
    return plate.resize((diameter, diameter), Image.Resampling.LANCZOS)


def stamp(page: Image.Image, plate: Image.Image, at: tuple[int, int], dice: np.random.Generator) -> None:
    """Press a seal onto a page (RGB), centred at `at`: turned a little, inked unevenly, text stays visible."""
    turned = plate.rotate(float(dice.uniform(-14, 14)), Image.Resampling.BICUBIC, expand=True)
    coverage = np.asarray(turned, dtype=np.float32) / 255
    coverage *= _wear(coverage.shape, dice)
    left, top = at[0] - turned.width // 2, at[1] - turned.height // 2
    box = (left, top, left + turned.width, top + turned.height)
    below = np.asarray(page.crop(box), dtype=np.float32)
    ink = np.asarray(_INK, dtype=np.float32) / 255
    amount = (coverage * float(dice.uniform(0.78, 0.92)))[..., None]
    pressed = below * (1 - amount) + below * ink * amount  # ink takes light away, it does not cover print
    pressed += amount * (1 - below / 255) * 14
    page.paste(Image.fromarray(np.clip(pressed, 0, 255).astype(np.uint8)), box)


def _star(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    corners = []
    for step in range(2 * _STAR_POINTS):
        reach = radius if step % 2 == 0 else radius * 0.382
        angle = math.pi * step / _STAR_POINTS - math.pi / 2
        corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    draw.polygon(corners, fill=255)


def _along_arc(
    plate: Image.Image, text: str, *, radius: float, size: int, spread: float, below: bool = False
) -> None:
    letters = font("Noto Serif CJK SC:bold", size)
    centre = plate.width / 2
    step = spread / max(1, len(text) - 1)
    for index, letter in enumerate(text):
        degrees = -spread / 2 + step * index
        if below:
            degrees = -degrees
        tile = Image.new("L", (size * 2, size * 2), 0)
        ImageDraw.Draw(tile).text((size, size), letter, fill=255, font=letters, anchor="mm")
        if not below:  # the letters of a seal are tall and narrow
            tile = tile.resize((round(size * 1.55), size * 2), Image.Resampling.BICUBIC)
        tile = tile.rotate(degrees if below else -degrees, Image.Resampling.BICUBIC, expand=True)
        angle = math.radians(degrees + (90 if below else -90))
        x, y = centre + radius * math.cos(angle), centre + radius * math.sin(angle)
        plate.paste(255, (round(x - tile.width / 2), round(y - tile.height / 2)), tile)


def _wear(shape: tuple[int, ...], dice: np.random.Generator) -> np.ndarray:
    """Ink that did not take evenly: soft clouds and small bare spots, between 0 and 1."""
    rough = dice.random((max(2, shape[0] // 40), max(2, shape[1] // 40)), dtype=np.float32)
    clouds = Image.fromarray(rough).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    grain = dice.random(shape[:2], dtype=np.float32)
    return np.clip(0.62 + 0.5 * np.asarray(clouds), 0, 1) * np.where(grain < 0.06, 0.45, 1.0).astype(
        np.float32
    )
