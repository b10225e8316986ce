"""Pages for reading: drawn on the spot with the installed Chinese font, as a scanner would see them."""

import math
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ocr.red import Pixels

A4_200_DPI = (1654, 2339)

LETTER = (
    "关于办理异地通办事项的说明",
    "申请人因工作调动，需在异地办理住房公积金转移",
    "接续手续，特委托诸暨市政务服务中心代为收取材料",
    "并寄送台州市住房和城乡建设局审批。",
    "全部材料均为真实，如有虚假愿意承担法律责任。",
)
"""Five lines that any sound reader gets right."""

IDENTITY = "330681198807150039"
CREDIT = "91330681MA2XW0000G"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK as fontconfig finds it."""
    answer = subprocess.run(
        ["fc-match", "-f", "%{file}\n%{index}", "Noto Sans CJK SC:style=Regular"],
        check=True,
        capture_output=True,
        text=True,
    )
    file, index = answer.stdout.split("\n")
    return ImageFont.truetype(file, size, index=int(index))


class Paper:
    """One page in the making."""

    def __init__(self, size: tuple[int, int] = A4_200_DPI) -> None:
        self.image = Image.new("RGB", size, (250, 249, 246))
        self.draw = ImageDraw.Draw(self.image)

    def write(
        self, x: int, y: int, text: str, size: int = 40, ink: tuple[int, int, int] = (20, 20, 20)
    ) -> "Paper":
        self.draw.text((x, y), text, font=font(size), fill=ink)
        return self

    def letter(self, top: int = 300) -> "Paper":
        for number, line in enumerate(LETTER):
            self.write(200, top + 90 * number, line)
        return self

    def form(self, rows: list[list[tuple[str, str]]], top: int = 300, size: int = 36) -> "Paper":
        """A ruled form: each row holds label and value pairs."""
        left, right, height = 150, 1500, 100
        for number, row in enumerate(rows):
            y = top + number * height
            width = (right - left) // len(row)
            for place, (label, value) in enumerate(row):
                x = left + place * width
                self.draw.rectangle((x, y, x + width, y + height), outline=(40, 40, 40), width=3)
                self.draw.line((x + 300, y, x + 300, y + height), fill=(40, 40, 40), width=3)
                self.write(x + 20, y + 25, label, size).write(x + 320, y + 25, value, size)
        return self

    def seal(self, x: int, y: int, radius: int = 165) -> "Paper":
        """A round red seal over whatever is there: red ink darkens, it does not cover."""
        layer = Image.new("RGB", self.image.size, "white")
        draw = ImageDraw.Draw(layer)
        red = (215, 40, 45)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=red, width=9)
        star = [
            (x + radius * r * math.sin(i * math.pi / 5), y - radius * r * math.cos(i * math.pi / 5))
            for i, r in enumerate([0.35, 0.15] * 5)
        ]
        draw.polygon(star, fill=red)
        draw.text((x - radius * 0.6, y + radius * 0.4), "审批专用", font=font(44), fill=red)
        product = np.asarray(self.image, np.float32) * np.asarray(layer, np.float32) / 255
        self.image = Image.fromarray(product.astype(np.uint8))
        self.draw = ImageDraw.Draw(self.image)
        return self

    def pixels(self, *, lies: int = 0, skew: float = 0.0) -> Pixels:
        """The page as scanned: skewed, and lying so that it must be turned clockwise by `lies` degrees."""
        image = (
            self.image.rotate(skew, Image.Resampling.BICUBIC, fillcolor=(250, 249, 246))
            if skew
            else self.image
        )
        return np.ascontiguousarray(np.rot90(np.asarray(image), lies // 90))

    def save(self, path: Path, *, lies: int = 0) -> Path:
        Image.fromarray(self.pixels(lies=lies)).save(path, quality=90)
        return path
