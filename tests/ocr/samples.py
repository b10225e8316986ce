"""Other people's pictures of text, with what stands on them as somebody typed it by eye."""

import json
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.fuzz import partial_ratio

from tests.ocr.scans import scoring
from tests.shared import SHARED

SAMPLES = SHARED / "samples"
KINDS = ("ocr-chinese", "ocr-latin")


@dataclass(frozen=True)
class TextSample:
    """A file, what the manifest wants done with it, and its clear lines (not always every line)."""

    path: Path
    handling: str
    lines: tuple[str, ...]


def text_samples() -> list[TextSample]:
    """Every sample of the reading kinds; none where the shared material is absent."""
    manifest = SAMPLES / "manifest.json"
    if not manifest.is_file():
        return []
    return [
        TextSample(SAMPLES / row["file"], row["handling"], tuple(row["text"].split("\n")))
        for row in json.loads(manifest.read_text(encoding="utf-8"))
        if row["kind"] in KINDS
    ]


def share_read(lines: tuple[str, ...], text: str) -> float:
    """Return which share of the expected characters stands in the text, each line wherever it fits best.

    Width, quotes and white space are folded as the shared scorer folds them.
    """
    norm = scoring().norm
    whole, wanted = norm(text), [norm(line) for line in lines]
    return sum(len(line) * _fit(line, whole) for line in wanted) / sum(map(len, wanted))


def _fit(line: str, whole: str) -> float:
    # The shorter text is slid over the longer one, so a line must not shrink to the little that was read.
    return partial_ratio(line, whole) / 100 * min(1.0, len(whole) / len(line))
