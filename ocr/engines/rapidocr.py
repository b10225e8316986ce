"""RapidOCR: its PP-OCRv6 models out of the installed wheel, never downloaded, one thread, every line kept."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from ocr.engines import quiet  # noqa: F401  # before rapidocr brings its libraries
from ocr.engines.detection import GROWTH, LONGEST_SIDE, SURE, THINNEST, WARM, Detector
from ocr.engines.digest import digest
from ocr.engines.direction import LONG, SIDEWAYS, Found, find_direction, sides, turned
from ocr.engines.memory import keep_freed_memory
from ocr.engines.recognition import HEIGHT, WIDTH_STEP, Recogniser
from ocr.engines.sessions import Backend, best_backend, open_session
from ocr.engines.vertical import letters_stand
from ocr.lines import Box, Line, height_of, length_of
from ocr.pictures import Picture

DETECTION_MODEL = "PP-OCRv6_det_small.onnx"
RECOGNITION_MODEL = "PP-OCRv6_rec_small.onnx"


class RapidOcr:
    """The default engine. Loading takes a second and 0.3 GB, so one instance serves a whole process."""

    name = "rapidocr"

    def __init__(self, backend: Backend | None = None, precision: str | None = None) -> None:
        """`precision` (f32, bf16) matters to OpenVINO only; None lets it use what the processor is made for."""
        cv2.setNumThreads(1)
        keep_freed_memory()
        self.backend = backend or best_backend()
        models = models_folder()
        recognition = open_session(models / RECOGNITION_MODEL, self.backend, precision)
        self._detector = Detector(open_session(models / DETECTION_MODEL, self.backend, precision))
        self._recogniser = Recogniser(recognition)
        self.version = importlib.metadata.version("rapidocr")
        self.precision = f"{self.backend}-{recognition.precision}"
        self.settings_digest = digest(
            {
                "backend": self.backend,
                "precision": recognition.precision,
                "models": [_sha256(models / name) for name in (DETECTION_MODEL, RECOGNITION_MODEL)],
                "detection": [LONGEST_SIDE, WARM, SURE, GROWTH, THINNEST],
                "recognition": [HEIGHT, WIDTH_STEP],
            }
        )

    def read(self, page: Picture) -> list[Line]:
        """Return all lines of a page, in no certain order."""
        boxes = self._detector.find(page.gray)
        found = self._direction(page, boxes)
        # Boxes of like shape one after another: a network that meets the former width again need not be laid out anew.
        alike = sorted(enumerate(boxes), key=lambda each: length_of(each[1]) / max(height_of(each[1]), 1.0))
        lines = (found.lines.get(index) or self._box(page, turned(box, found.angle)) for index, box in alike)
        return [line for line in lines if line.text]

    def read_cut(self, page: Picture, box: Box, *, letters: str = "") -> Line:
        """Return what stands in the box; the model knows no smaller alphabet, so `letters` only drops what is none."""
        line = self._line(page, box)
        if not letters:
            return line
        kept = tuple(char for char in line.chars if char.text.upper() in letters)
        return replace(line, text="".join(char.text for char in kept), chars=kept)

    def _direction(self, page: Picture, boxes: Sequence[Box]) -> Found:
        """Find how the page lies; the lines that were read on the way are kept."""
        found = find_direction(boxes, lambda box: self._line(page, box))
        if found.angle in SIDEWAYS and self._is_vertical(page, list(found.lines.values())):
            return found.as_vertical()
        return found

    def _box(self, page: Picture, box: Box) -> Line:
        """Read a box of the upright page; a standing one may hold vertical writing, a turned note, or one letter."""
        width, height = sides(box)
        if height <= LONG * width:
            return self._line(page, box)
        downwards, upwards = turned(box, 270), turned(box, 90)
        ways = [downwards, upwards] if height > 2 * LONG * width else [box, downwards, upwards]
        best = max((self._line(page, way) for way in ways), key=lambda line: line.confidence)
        return replace(best, vertical=best.box == downwards and len(best.text) > 1)

    def _is_vertical(self, page: Picture, samples: list[Line]) -> bool:
        return all(letters_stand(self._recogniser, page.gray, line) for line in samples[:2])

    def _line(self, page: Picture, box: Box) -> Line:
        """Read one box from the view of the page in which its ink is clearest."""
        ink = page.red.ink_in(box, page.gray) if page.red else "black"
        if page.red is None or ink == "black":
            return self._recogniser.read(page.gray, box)
        line = self._recogniser.read(page.red.clean if ink == "under" else page.red.plain, box)
        return replace(line, seal=ink == "seal")


def models_folder() -> Path:
    """Return where the wheel keeps its models, without importing it (that would be slow for a mere path)."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package rapidocr is not installed")
    return Path(spec.origin).parent / "models"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
