"""What a reader got out of a stack, taken from its PDF the way anybody would, and how much of it is right."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf

from bench.material import Truth
from bench.peers import needs
from tests.ocr.scans import scorer

Scorer = Callable[[str, str, Sequence[tuple[str, str]]], dict[str, Any]]


@dataclass(frozen=True)
class Score:
    """Errors and characters over upright pages and over all pages, fields read exactly and fields there are."""

    upright_errors: int
    upright_characters: int
    errors: int
    characters: int
    exact: int
    fields: int

    @property
    def upright_rate(self) -> float:
        """Character error rate in percent."""
        return 100 * self.upright_errors / max(1, self.upright_characters)

    @property
    def rate(self) -> float:
        return 100 * self.errors / max(1, self.characters)

    @property
    def turned_rate(self) -> float:
        """Of the pages that do not lie upright."""
        turned = self.characters - self.upright_characters
        return 100 * (self.errors - self.upright_errors) / max(1, turned)

    @property
    def exact_rate(self) -> float:
        """Exact fields in percent."""
        return 100 * self.exact / max(1, self.fields)


def captured_pages(dossier: Path) -> list[int]:
    """The pages of our dossier that hold scans, counted from 1, in the order of the files, by its own manifest."""
    with pikepdf.open(dossier) as pdf:
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
    return [page["page"] for page in manifest["pages"] if page["kind"] == "material"]


def texts(pdf: Path, pages: Sequence[int]) -> list[str]:
    """The text of each page in the order in which the file holds it, which is the reader's reading order."""
    program = needs("pdftotext", "poppler-utils")
    return [_page(program, pdf, page) for page in pages]


def score(truths: Sequence[Truth], read: Sequence[str]) -> Score:
    """Counts with the shared scorer: width, quotes and white space folded, punctuation counted."""
    page = _scorer()
    counted = [
        (truth, page(truth.text, text, truth.fields)) for truth, text in zip(truths, read, strict=True)
    ]
    upright = [found for truth, found in counted if truth.upright]
    fields = [right for _, found in counted for _, _, right in found["f"]]
    return Score(
        sum(found["e"] for found in upright),
        sum(found["n"] for found in upright),
        sum(found["e"] for _, found in counted),
        sum(found["n"] for _, found in counted),
        sum(fields),
        len(fields),
    )


@cache
def _scorer() -> Scorer:
    return scorer()


def _page(program: str, pdf: Path, page: int) -> str:
    words = [program, "-q", "-raw", "-f", str(page), "-l", str(page), str(pdf), "-"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
