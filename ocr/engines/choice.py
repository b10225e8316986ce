"""Makes the engine that was asked for."""

from __future__ import annotations

from typing import Literal, Protocol, cast, get_args

from ocr.engines.interface import CutReader, Engine
from ocr.engines.sessions import Backend
from ocr.engines.tesseract import Tesseract

EngineName = Literal["rapidocr", "tesseract"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


class FullEngine(Engine, CutReader, Protocol):
    """Reads pages, and cut-outs of what another engine doubted."""


def other_engine(name: str) -> EngineName:
    """Return the engine whose opinion is asked when `name` is in doubt."""
    return "rapidocr" if name == "tesseract" else "tesseract"


def make_engine(name: str = "rapidocr", backend: str = "auto") -> FullEngine:
    """Return a new engine; `backend` (auto, openvino, onnxruntime) matters to rapidocr only. Unknown: ValueError."""
    if backend not in {"auto", *get_args(Backend)}:
        raise ValueError(f"unknown OCR backend {backend!r}")
    if name == "rapidocr":
        # Its libraries take 0.6 s, which who only hands pages out to other processes should not pay.
        from ocr.engines.rapidocr import RapidOcr  # noqa: PLC0415

        return RapidOcr(None if backend == "auto" else cast(Backend, backend))
    if name == "tesseract":
        return Tesseract()
    raise ValueError(f"unknown OCR engine {name!r}; there are: {', '.join(ENGINES)}")
