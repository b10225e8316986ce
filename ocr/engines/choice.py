"""Makes the engine that was asked for."""

from __future__ import annotations

from typing import Literal, cast, get_args

from ocr.engines.interface import Engine
from ocr.engines.rapidocr import RapidOcr
from ocr.engines.sessions import Backend
from ocr.engines.tesseract import Tesseract

EngineName = Literal["rapidocr", "tesseract"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


def make_engine(name: str = "rapidocr", backend: str = "auto") -> Engine:
    """Return a new engine; `backend` (auto, openvino, onnxruntime) matters to rapidocr only. Unknown: ValueError."""
    if backend not in {"auto", *get_args(Backend)}:
        raise ValueError(f"unknown OCR backend {backend!r}")
    if name == "rapidocr":
        return RapidOcr(None if backend == "auto" else cast(Backend, backend))
    if name == "tesseract":
        return Tesseract()
    raise ValueError(f"unknown OCR engine {name!r}; there are: {', '.join(ENGINES)}")
