"""The code on a photo of a label, or on a picture from a live camera: read in the limited child, kept nowhere."""

from datetime import datetime
from pathlib import Path

from ingest.inspect import inspect_file
from registry.actors import Actor
from registry.braking import Brake
from registry.tokens import Purpose, check
from storage.errors import Refused
from storage.scratch import scratch

QR = "QRCode"
BRAKE = Brake(
    "camera",
    from_one=600,
    from_all=6000,
    code="camera_too_often",
    words="摄像头识读过于频繁，请 {minutes} 分钟后再试，或改用扫码枪。",
)
"""Each picture costs a process: one a second from one person, ten from all."""


class NoCode(Refused):
    """No code of ours on the photo."""


def code_on(*, photo: Path) -> str:
    """The text of the QR code on a stranger's photo; a parcel's of ours before any other. Raises NoCode."""
    text = _read(photo)
    if not text:
        raise NoCode("no_code", "照片上没有读到二维码，请靠近一些、避开反光后重拍。")
    return text


def seen_by_camera(*, picture: Path, actor: Actor, now: datetime) -> str:
    """The text of the QR code on one picture of a live camera; empty while none is in view.

    Raises TooOften, and NoCode for what is no picture.
    """
    BRAKE.count(caller=f"{actor.kind}:{actor.id}", now=now)
    return _read(picture)


def _read(path: Path) -> str:
    with scratch("photo") as folder:
        found = inspect_file(path, folder, codes=True, most_pages=1)
    if found.refused:
        raise NoCode("photo_unreadable", f"照片打不开：{found.reason}")
    texts = [code.text for page in found.pages for code in page.codes if code.format == QR]
    # A carrier's own label has codes of its own beside ours.
    return next(filter(_is_parcels, texts), texts[0] if texts else "")


def _is_parcels(text: str) -> bool:
    try:
        check(text, purpose=Purpose.PARCEL)
    except Refused:
        return False
    return True
