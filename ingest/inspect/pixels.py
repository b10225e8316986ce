"""Pixels: size limits before unpacking, and the way to 8-bit pictures without alpha."""

import io

from PIL import Image, ImageCms, ImageStat

from ingest.inspect.limits import MAX_DECODED_BYTES, MAX_PIXELS, MAX_SIDE
from ingest.inspect.unacceptable import Unacceptable

TURNED_BY_ORIENTATION = {1: 0, 3: 180, 6: 90, 8: 270}
"""EXIF orientations that are plain turns, as degrees clockwise; the others are mirrored."""

_TRANSPOSED: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "LA": 4, "PA": 4}
_LARGEST_SHEET_INCHES = 47.0  # A0
_A3_LONG_SIDE_INCHES = 16.6
_SOFTWARE_DEFAULTS = {72, 96}
_PALE = 225


def check_size(width: int, height: int) -> None:
    """Refuse before unpacking what claims more pixels than a page can have."""
    if width < 1 or height < 1:
        raise Unacceptable("damaged")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise Unacceptable("too_many_pixels", width=width, height=height, limit=MAX_PIXELS // 1_000_000)


def check_memory(picture: Image.Image) -> None:
    """Refuse before unpacking what would not fit beside its re-encoded copy."""
    check_size(*picture.size)
    cost = picture.width * picture.height * _BYTES_PER_PIXEL.get(picture.mode, 4)
    if cost > MAX_DECODED_BYTES:
        raise Unacceptable("too_heavy")


def believable_dpi(density: tuple[float, float] | None, width: int, height: int) -> int | None:
    """Dots per inch if both directions agree and the sheet would have a size that exists.

    72 and 96 are what software writes when it does not know: believed for small sheets only.
    """
    if density is None:
        return None
    across, down = density
    if not (50 <= across <= 4800 and 50 <= down <= 4800) or abs(across - down) > 0.03 * across:
        return None
    sheet = max(width, height) / across
    longest = _A3_LONG_SIDE_INCHES if round(across) in _SOFTWARE_DEFAULTS else _LARGEST_SHEET_INCHES
    return round(across) if sheet <= longest else None


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation (1–8) to the pixels."""
    method = _TRANSPOSED.get(orientation)
    return picture if method is None else picture.transpose(method)


def plain(picture: Image.Image) -> tuple[Image.Image, list[str]]:
    """The picture in mode 1, L or RGB (8-bit sRGB, no alpha), with notes on what had to be decided."""
    if picture.mode in ("1", "L", "RGB"):
        if "transparency" not in picture.info:
            return picture, []
        picture = picture.convert("RGBA")
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        return _flattened(picture.convert("RGBA"))
    if picture.mode == "P":
        return picture.convert("RGB"), []
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return _from_deep_gray(picture), ["高位深灰度已转为 8 位"]
    if picture.mode == "CMYK":
        return _from_press_colours(picture), ["印刷色（CMYK）已转为 RGB"]
    return picture.convert("RGB"), []


def _from_deep_gray(picture: Image.Image) -> Image.Image:
    """Scale by the bits that are in use: 10- and 12-bit scanners write into 16-bit files unscaled."""
    deep = picture if picture.mode in ("I", "F") else picture.convert("I")
    low, high = (float(value) for value in deep.getextrema())  # type: ignore[arg-type]
    top = float(2 ** max(8, int(high).bit_length()) - 1) if low >= 0 and high >= 1 else high
    floor = min(low, 0.0)
    if picture.mode == "F" and low >= 0 and high <= 1:
        top = 1.0
    factor = 255.0 / ((top - floor) or 1.0)
    return deep.point(lambda value: value * factor - floor * factor).convert("L")


def _flattened(picture: Image.Image) -> tuple[Image.Image, list[str]]:
    """On white, unless what is visible is itself so pale that white would hide it."""
    alpha = picture.getchannel("A")
    seen = alpha.point(lambda value: 255 if value > 127 else 0)
    pale = False
    if seen.getbbox() is not None and ImageStat.Stat(seen).mean[0] < 250:
        pale = ImageStat.Stat(picture.convert("L"), seen).mean[0] > _PALE
    ground = Image.new("RGB", picture.size, (64, 64, 64) if pale else (255, 255, 255))
    ground.paste(picture, mask=alpha)
    return ground, ["透明底上是浅色内容，已衬深色底" if pale else "透明部分已衬白底"]


def _from_press_colours(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        try:
            converted = ImageCms.profileToProfile(
                picture, _profile(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            converted = None  # an unusable profile: the plain formula below is right enough
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _profile(data: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(data))
