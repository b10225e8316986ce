"""The pixels of kept pages for whoever reads them, unpacked in a limited child and mapped, not copied, by the reader."""

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.inspect import messages
from ingest.inspect.asking import ask_child, left_by_child
from ingest.inspect.limits import PATIENT_SECONDS, PIXELS
from ingest.inspect.pool import Pool
from ingest.inspect.sentences import refusal
from storage.errors import Refused


class NotUnpacked(Refused):
    """The page cannot be decoded, or not within the limits of a child; its sentence says why."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Plain bytes at `path` from `offset` on: `rows` × `columns` × `channels` (1 gray, 3 red, green, blue), without gaps.

    They were decoded from a picture that is `width` × `height` as stored, and may be smaller.
    """

    path: Path
    offset: int
    rows: int
    columns: int
    channels: int
    width: int
    height: int

    def take(self) -> npt.NDArray[np.uint8]:
        """The pixels, rows × columns (× 3), mapped into memory; the file itself is gone afterwards."""
        with self.path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.path.unlink()
        shape = (self.rows, self.columns) if self.channels == 1 else (self.rows, self.columns, self.channels)
        return np.frombuffer(memory, np.uint8, offset=self.offset).reshape(shape)


def unpack(page: Path, target: Path, *, side: int, pool: Pool | None = None) -> Unpacked:
    """Have the page's JPEG or PNG file decoded into the file `target`, which must not exist yet.

    A picture far longer than `side` pixels comes smaller, but never below that. `target.parent` is the work folder.
    Raises NotUnpacked.
    """
    request = {
        "path": str(page.resolve()),
        "folder": str(target.parent),
        "unpack": side,
        "seconds": PATIENT_SECONDS,
    }
    verdict, _ = ask_child(request, messages.Unpacked, pool)
    if isinstance(verdict, messages.Refusal) and verdict.refused == "crashed":
        # What ended the child may have been the machine and not the page; a page that does it, does it again.
        verdict, _ = ask_child(request, messages.Unpacked, pool)
    if isinstance(verdict, messages.Refusal):
        raise NotUnpacked(verdict.refused, refusal(verdict.refused, verdict.figures))
    raw = verdict.unpacked
    try:
        size = raw.offset + raw.rows * raw.columns * raw.channels
        left = left_by_child(target.parent / PIXELS, size=size)
    except (OSError, ValueError) as error:
        raise NotUnpacked("crashed", refusal("crashed", {})) from error
    left.replace(target)
    return Unpacked(target, **raw.model_dump())
