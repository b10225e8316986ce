"""Other people's pictures of text, read as their rows in the manifest say, through inspection as in service."""

from pathlib import Path

import pytest

from ingest.inspect import inspect_file
from ocr.engines.rapidocr import RapidOcr
from ocr.reading import PageText, read_page
from tests.ocr.samples import TextSample, share_read, text_samples
from tests.ocr.scans import scoring
from tests.shared import needs_shared

pytestmark = needs_shared

ENOUGH = 0.98
"""Share of the expected characters that is read where nothing below says otherwise."""

LESS = {
    "paddle2pt__00059985.jpg": (0.96, "the heading's number 一、 is not seen"),
    "cnocr__rand_cn1.png": (0.89, "two of nineteen rare characters, 胬 and 孓, are taken for common ones"),
    "rapidocr__ch_en_num.jpg": (
        0.92,
        "two words of the stylised headline, which the manifest lets be missed",
    ),
}
"""Files of which less is read, and what is lost."""

UNCERTAIN = {"paddle2pt__word_4.jpg", "rapidocr__text_vertical_words.png"}
"""Files on which what is wrong has to be marked."""


def by_name(sample: TextSample) -> str:
    return sample.path.name


def pages_of(sample: TextSample, folder: Path, rapid: RapidOcr) -> list[PageText]:
    inspection = inspect_file(sample.path, folder / "pages")
    assert not inspection.refused, inspection.reason
    return [read_page(page.path, rapid) for page in inspection.pages]


@pytest.mark.parametrize("sample", text_samples(), ids=by_name)
def test_what_a_person_reads_is_read(sample: TextSample, tmp_path: Path, rapid: RapidOcr) -> None:
    pages = pages_of(sample, tmp_path, rapid)
    least, _lost = LESS.get(sample.path.name, (ENOUGH, ""))

    text = "\n".join(page.text for page in pages)
    assert share_read(sample.lines, text) >= least, text


@pytest.mark.parametrize(
    "sample", [each for each in text_samples() if each.path.name in UNCERTAIN], ids=by_name
)
def test_nothing_wrong_is_certain(sample: TextSample, tmp_path: Path, rapid: RapidOcr) -> None:
    norm = scoring().norm
    expected = {norm(line) for line in sample.lines}
    lines = [line for page in pages_of(sample, tmp_path, rapid) for line in page.lines]

    assert lines
    assert all(line.uncertain or norm(line.text) in expected for line in lines)


def test_all_of_them_are_here() -> None:
    assert len(text_samples()) == 26
