"""EXIF: orientation and resolution are read, the rest is named so that it can be reported as removed."""

from dataclasses import dataclass, field

from PIL import Image

_ORIENTATION, _ACROSS, _DOWN, _UNIT, _GPS = 0x0112, 0x011A, 0x011B, 0x0128, 0x8825


@dataclass(frozen=True)
class Tags:
    """What a picture's EXIF block says: orientation 1–8, density in dots per inch."""

    orientation: int = 1
    density: tuple[float, float] | None = None
    private: tuple[str, ...] = field(default=())


def read(block: bytes) -> Tags:
    """Read a raw TIFF-structured EXIF block; a broken one yields the defaults and is still removed."""
    values = Image.Exif()
    try:
        values.load(b"Exif\0\0" + block)
        return tags_of(values, block)
    except Exception:  # noqa: BLE001 - broken EXIF raises anything; it is dropped and reported as such
        return Tags(private=("拍摄信息（EXIF，已损坏）",))


def tags_of(values: Image.Exif, block: bytes | None = None) -> Tags:
    """The tags of an EXIF block that Pillow has read already."""
    if not values and not block:
        return Tags()
    private = ["拍摄信息（EXIF）"]
    if values.get_ifd(_GPS):
        private.insert(0, "拍摄位置（GPS）")
    orientation = values.get(_ORIENTATION, 1)
    return Tags(
        orientation=orientation if orientation in range(1, 9) else 1,
        density=_density(values),
        private=tuple(private),
    )


def _density(values: Image.Exif) -> tuple[float, float] | None:
    per_inch = {2: 1.0, 3: 2.54}.get(values.get(_UNIT, 2))
    across, down = values.get(_ACROSS), values.get(_DOWN)
    if per_inch is None or across is None or down is None:
        return None
    try:
        return float(across) * per_inch, float(down) * per_inch
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def of_picture(picture: Image.Image) -> Tags:
    """The tags of an opened picture of any format that carries EXIF."""
    raw = picture.info.get("exif")
    if not isinstance(raw, bytes) or not raw:
        return Tags()
    return read(raw.removeprefix(b"Exif\0\0"))
