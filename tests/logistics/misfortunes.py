"""What happens to printed labels between the printer and the camera, simulated from a seed."""

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from registry.paper.fonts import typeface

Misfortune = Callable[[Image.Image, np.random.Generator], Image.Image]


def none(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Fresh from the printer, scanned."""
    return _on_desk(label)


def faded(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Thermal paper left in the sun: pale print, yellowed paper, missing head lines."""
    dots = np.asarray(label.convert("L")).astype(np.float64)
    ink = dice.uniform(120, 185)
    dots = 235 - (255 - dots) / 255 * (235 - ink)
    for column in dice.integers(0, dots.shape[1], size=int(dice.integers(1, 4))):
        dots[:, column : column + 1] = 235
    dots += dice.normal(0, 6, dots.shape)
    return _on_desk(Image.fromarray(dots.clip(0, 255).astype(np.uint8)))


def stamped(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """A red seal pressed over each of the two symbols, scanned in colour."""
    picture = label.convert("RGB")
    for fraction in ((0.78, 0.75), (0.5, 0.16)):
        centre = (int(picture.width * fraction[0]), int(picture.height * fraction[1]))
        shift = dice.integers(-40, 40, size=2)
        picture = _seal(picture, (centre[0] + int(shift[0]), centre[1] + int(shift[1])), dice)
    return _on_desk(picture)


def turned(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Laid on the scanner askew, on its side or upside down."""
    quarter = int(dice.integers(0, 4)) * 90
    angle = quarter + dice.uniform(-12, 12)
    return _on_desk(label).rotate(angle, expand=True, fillcolor=200, resample=Image.Resampling.BICUBIC)


def blurred(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Out of focus, or moved while the shutter was open."""
    picture = _on_desk(label)
    if dice.random() < 0.5:
        return picture.filter(ImageFilter.GaussianBlur(dice.uniform(1.0, 2.2)))
    length = int(dice.integers(3, 7))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), dice.uniform(0, 180), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    kernel /= max(kernel.sum(), 1e-6)
    return Image.fromarray(cv2.filter2D(np.asarray(picture), -1, kernel))


def photographed(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """By hand with a phone: perspective, turned, uneven light, sensor noise, JPEG."""
    dots = cv2.cvtColor(np.asarray(_on_desk(label).convert("L")), cv2.COLOR_GRAY2RGB)
    height, width = dots.shape[:2]
    scale = dice.uniform(0.65, 1.5)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    wobble = dice.uniform(-0.07, 0.07, size=(4, 2)) * [width, height]
    target = ((corners + wobble) * scale + 60).astype(np.float32)
    turn = cv2.getRotationMatrix2D((width * scale / 2, height * scale / 2), dice.uniform(-10, 10), 1)
    target = cv2.transform(target[None], turn)[0].astype(np.float32)
    target -= target.min(axis=0) - 30
    size = tuple(int(side) for side in target.max(axis=0) + 30)
    photo = cv2.warpPerspective(
        dots,
        cv2.getPerspectiveTransform(corners, target),
        size,
        flags=cv2.INTER_AREA,
        borderValue=(96, 110, 122),
    ).astype(np.float32)
    across = np.linspace(dice.uniform(0.45, 1.0), dice.uniform(0.7, 1.05), size[0])
    down = np.linspace(dice.uniform(0.6, 1.0), dice.uniform(0.7, 1.0), size[1])
    photo *= (across[None, :] * down[:, None])[..., None]
    photo = cv2.GaussianBlur(photo, (0, 0), dice.uniform(0.4, 1.1)) + dice.normal(0, 6, photo.shape)
    packed = cv2.imencode(".jpg", photo.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return Image.fromarray(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)))


def scratched(label: Image.Image, dice: np.random.Generator) -> Image.Image:
    """White scratches and a pen stroke across the print, as tape and hands leave them."""
    picture = _on_desk(label).copy()
    pen = ImageDraw.Draw(picture)
    for shade, width in ((255, 3), (255, 2), (40, 3)):
        ends = dice.uniform(0, 1, size=4) * [picture.width, picture.height, picture.width, picture.height]
        pen.line([float(end) for end in ends], fill=shade, width=width)
    return picture


MISFORTUNES: dict[str, Misfortune] = {
    "none": none,
    "faded": faded,
    "stamped": stamped,
    "turned": turned,
    "blurred": blurred,
    "photographed": photographed,
    "scratched": scratched,
}


def _on_desk(label: Image.Image) -> Image.Image:
    """With a margin of desk around the paper, as every scan and photo has."""
    mode = "RGB" if label.mode == "RGB" else "L"
    desk = Image.new(mode, (label.width + 80, label.height + 80), "lightgray" if mode == "RGB" else 200)
    desk.paste(label.convert(mode), (40, 40))
    return desk


def _seal(picture: Image.Image, centre: tuple[int, int], dice: np.random.Generator) -> Image.Image:
    radius = 150
    ink = Image.new("RGB", picture.size, "white")
    pen = ImageDraw.Draw(ink)
    red = (int(dice.integers(190, 235)), int(dice.integers(20, 70)), int(dice.integers(20, 70)))
    x, y = centre
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=red, width=9)
    face = typeface(bold=True).file
    font = ImageFont.truetype(face.path, 44, index=face.index)
    pen.text(
        (x, y - 10), "★", fill=red, font=ImageFont.truetype(face.path, 110, index=face.index), anchor="mm"
    )
    pen.text((x, y + 85), "通办专用章", fill=red, font=font, anchor="mm")
    pen.text((x, y - 100), "行政服务中心", fill=red, font=font, anchor="mm")
    # Ink on ink: each channel keeps the darker of the two, a little transparent.
    print_, seal = np.asarray(picture, np.float32), np.asarray(ink, np.float32)
    return Image.fromarray((print_ * (0.1 + 0.9 * seal / 255)).astype(np.uint8))
