"""The round red seal as a picture: the holder's name along the rim, a star, the seal's own name below."""

import math
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from dossier.fonts import FontFile, installed_typefaces

SIZE = 480
RED = (200, 22, 30)
OVERSAMPLED = 3


@lru_cache(maxsize=64)
def draw_seal(
    holder: str, *, caption: str = "业务专用章", size: int = SIZE, font: FontFile | None = None
) -> Image.Image:
    """A square RGBA picture, `size` pixels a side, transparent outside the ink.

    `holder` runs clockwise over the star from lower left to lower right; long names get narrower letters.
    """
    scale = size * OVERSAMPLED
    ink = Image.new("L", (scale, scale), 0)
    pen = ImageDraw.Draw(ink)
    rim = scale * 0.028
    pen.ellipse((rim / 2, rim / 2, scale - rim / 2, scale - rim / 2), outline=255, width=round(rim))
    _star(pen, scale / 2, scale * 0.5, scale * 0.14)
    file = font or installed_typefaces().title
    _along_rim(ink, holder, file, scale)
    letters = ImageFont.truetype(str(file.path), round(scale * 0.088), index=file.index)
    pen.text((scale / 2, scale * 0.755), caption, font=letters, fill=255, anchor="mm")
    alpha = ink.resize((size, size), Image.Resampling.LANCZOS).point(
        [round(level * 0.9) for level in range(256)]
    )
    picture = Image.new("RGBA", (size, size), (*RED, 0))
    picture.putalpha(alpha)
    return picture


def _star(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    corners = []
    for index in range(10):
        reach = radius if index % 2 == 0 else radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
        angle = math.radians(36 * index - 90)
        corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    pen.polygon(corners, fill=255)


def _along_rim(ink: Image.Image, text: str, file: FontFile, scale: int) -> None:
    count = max(len(text), 1)
    span = min(250.0, 32.0 * (count - 1)) if count > 1 else 0.0
    step = span / max(count - 1, 1)
    radius = scale * 0.385
    height = scale * 0.125
    width = min(height, radius * math.radians(step) * 0.98) if count > 1 else height
    letters = ImageFont.truetype(str(file.path), round(height), index=file.index)
    for index, character in enumerate(text):
        angle = -span / 2 + step * index
        tile = Image.new("L", (round(height * 1.4), round(height * 1.4)), 0)
        ImageDraw.Draw(tile).text(
            (tile.width / 2, tile.height / 2), character, font=letters, fill=255, anchor="mm"
        )
        narrow = tile.resize(
            (max(1, round(tile.width * width / height)), tile.height), Image.Resampling.LANCZOS
        )
        turned = narrow.rotate(-angle, expand=True, resample=Image.Resampling.BICUBIC)
        x = scale / 2 + radius * math.sin(math.radians(angle)) - turned.width / 2
        y = scale / 2 - radius * math.cos(math.radians(angle)) - turned.height / 2
        ink.paste(255, (round(x), round(y)), turned)
