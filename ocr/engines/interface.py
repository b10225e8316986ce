"""What an engine is: a name, a version, a digest of its settings, and `read`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

from ocr.lines import Box, Line
from ocr.pictures import Picture
from storage.errors import Refused


class EngineFailed(Refused):
    """The engine itself gave up on a page (ran out of time, its program is missing): trying again may help."""

    def __init__(self) -> None:
        super().__init__("ocr_engine_failed", "文字识别暂时不可用，系统稍后会自动重试。", can_retry=True)

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), ()  # it also travels from worker processes


class Engine(Protocol):
    """Turns a page into lines. Same name, version and digest on the same page mean the same lines."""

    @property
    def name(self) -> str:
        """Short and stable, such as `rapidocr`."""
        ...

    @property
    def version(self) -> str:
        """The version of the library or program that reads."""
        ...

    @property
    def precision(self) -> str:
        """In what arithmetic it reads on this machine, such as `openvino-bf16`."""
        ...

    @property
    def settings_digest(self) -> str:
        """SHA-256 in hex over everything that changes the result: settings, models, precision."""
        ...

    def read(self, page: Picture) -> list[Line]:
        """Return every line found, in no certain order, boxes in the picture's pixels, uncertain ones included.

        Raises EngineFailed.
        """
        ...


class CutReader(Protocol):
    """Reads what stands in one place of a page: the second opinion on a number."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    def read_cut(self, page: Picture, box: Box, *, letters: str = "") -> Line:
        """Return the line in the box (in the picture's pixels), made of `letters` only where any are given.

        An empty text where nothing was found. Raises EngineFailed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What is kept with a reading so that it can be told from others and made again."""

    name: str
    version: str
    precision: str
    settings_digest: str

    @classmethod
    def of(cls, engine: Engine) -> Self:
        """Return the engine's identity as values."""
        return cls(engine.name, engine.version, engine.precision, engine.settings_digest)
