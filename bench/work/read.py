"""`read VARIANT SEED PAGES`: pages of the shared generator read in this one process by one way of reading, and judged.

`read VARIANT samples` reads other people's pictures instead, through inspection as in service.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image

from bench.material import spread
from ingest.inspect.inspecting import inspect_file
from ocr.doubts import read_doubtful
from ocr.engines.choice import FullEngine, make_engine, other_engine
from ocr.engines.direction import Found
from ocr.engines.rapidocr import RapidOcr
from ocr.fields import Check, Field, Kind, find_fields
from ocr.lines import Box, Line
from ocr.pictures import Picture, UnreadablePicture, open_picture
from ocr.reading import PageText, read_page
from tests.ocr.samples import share_read, text_samples
from tests.ocr.scans import Scan, generate, scorer

KINDS = {"id": Kind.IDENTITY_NUMBER, "uscc": Kind.CREDIT_CODE, "phone": Kind.PHONE, "name": Kind.NAME}
CHECKED = frozenset({Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE})
HUGE = (20_000, 14_000)


class Timed(RapidOcr):
    """RapidOCR that knows how much processor time it spent only to learn which way pages lie."""

    def __init__(self) -> None:
        super().__init__()
        self.direction_seconds = 0.0
        self._spent: list[tuple[Box, float]] = []

    def _direction(self, page: Picture, boxes: Sequence[Box]) -> Found:
        self._spent.clear()
        begun = time.process_time()
        found = super()._direction(page, boxes)
        whole = time.process_time() - begun
        kept = {line.box for line in found.lines.values()}
        # Lines that were read the right way round had to be read anyway.
        self.direction_seconds += whole - sum(seconds for box, seconds in self._spent if box in kept)
        return found

    def _line(self, page: Picture, box: Box) -> Line:
        begun = time.process_time()
        line = super()._line(page, box)
        self._spent.append((box, time.process_time() - begun))
        return line


VARIANTS: dict[str, Callable[[], FullEngine]] = {
    "default": Timed,
    "float32": lambda: RapidOcr("openvino", "f32"),
    "onnxruntime": lambda: RapidOcr("onnxruntime"),
    "red ink kept": RapidOcr,
    "tesseract": lambda: make_engine("tesseract"),
}


@dataclass
class Tally:
    """What was right over all pages; `errors` and `characters` count punctuation, the shared scorer folds width."""

    pages: int = 0
    errors: int = 0
    characters: int = 0
    turned_errors: int = 0
    turned_characters: int = 0
    directions: int = 0
    exact: int = 0
    fields: int = 0
    wanted: int = 0
    found: int = 0
    numbers: int = 0
    certain: int = 0
    certain_failing: int = 0
    certain_wrong: int = 0
    faults: list[str] = field(default_factory=list)


def main(words: Sequence[str]) -> dict[str, object]:
    variant, source = words[0], words[1]
    engine = VARIANTS[variant]()
    with tempfile.TemporaryDirectory(prefix="bench-read-") as name:
        folder = Path(name)
        if source == "samples":
            return {"samples": dict(_samples(engine, folder, red=variant != "red ink kept"))}
        scans = generate(folder / "scans", int(source))
        scans = spread(scans, int(words[2]) or None)
        huge = _huge(engine, folder / "huge.jpg")
        begun = time.process_time()
        tally, seconds = _scans(engine, scans, red=variant != "red ink kept")
    own = engine.direction_seconds if isinstance(engine, Timed) else 0.0
    return {
        **vars(tally),
        "engine": f"{engine.name} {engine.version} {engine.precision}",
        "cpu_seconds": time.process_time() - begun,
        "direction_share": 100 * own / seconds,
        "huge": huge,
    }


def _scans(engine: FullEngine, scans: Sequence[Scan], *, red: bool) -> tuple[Tally, float]:
    """The tally, and the processor seconds of reading alone."""
    tally, score, seconds = Tally(), scorer(), 0.0
    second = cache(lambda: make_engine(other_engine(engine.name)))
    for scan in scans:
        begun = time.process_time()
        page = _read(scan.path, engine, red=red)
        seconds += time.process_time() - begun
        found = read_doubtful(scan.path, find_fields(page.lines), second)
        judged = score(scan.truth, page.text, scan.fields)
        tally.pages += 1
        tally.errors += judged["e"]
        tally.characters += judged["n"]
        if scan.lies:
            tally.turned_errors += judged["e"]
            tally.turned_characters += judged["n"]
        tally.directions += page.angle == scan.lies
        tally.exact += sum(right for _, _, right in judged["f"])
        tally.fields += len(judged["f"])
        _judge_fields(tally, scan, found)
        if judged["e"]:
            tally.faults.append(f"{scan.path.stem}: {judged['e']} of {judged['n']}")
    return tally, seconds


def _judge_fields(tally: Tally, scan: Scan, found: Sequence[Field]) -> None:
    truth = {(KINDS[kind], value) for kind, value in scan.fields if kind in KINDS}
    tally.wanted += len(truth)
    missed = truth - {(each.kind, each.value) for each in found}
    tally.found += len(truth) - len(missed)
    tally.faults += [f"{scan.path.stem}: {kind.label} not found" for kind, _ in missed]
    numbers = [each for each in found if each.kind in CHECKED]
    certain = [each for each in numbers if each.certain]
    tally.numbers += len(numbers)
    tally.certain += len(certain)
    tally.certain_failing += sum(each.check == Check.FAILED for each in certain)
    tally.certain_wrong += sum((each.kind, each.value) not in truth for each in certain)


def _read(path: Path, engine: FullEngine, *, red: bool) -> PageText:
    if red:
        return read_page(path, engine)
    picture = open_picture(path)
    return read_page(picture.red.plain if picture.red else picture.gray, engine)


def _huge(engine: FullEngine, path: Path) -> str:
    """A page of 280 million pixels in this same process: read, or refused with its code."""
    Image.new("L", HUGE, 250).save(path, quality=60)
    try:
        return f"read, {len(read_page(path, engine).lines)} lines"
    except UnreadablePicture as refusal:
        return refusal.code


def _samples(engine: FullEngine, folder: Path, *, red: bool) -> Iterator[tuple[str, float]]:
    """Each file with the share, in percent, of its expected characters that was read."""
    for number, sample in enumerate(text_samples()):
        inspection = inspect_file(sample.path, folder / str(number))
        pages = [_read(page.path, engine, red=red).text for page in inspection.pages]
        yield sample.path.name, 100 * share_read(sample.lines, "\n".join(pages))
