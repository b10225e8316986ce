"""Both engines keep the same promises."""

import re

import pytest

from ocr.engines.choice import ENGINES, make_engine
from ocr.engines.interface import Engine
from ocr.lines import direction_of, height_of, length_of
from ocr.pictures import open_picture
from tests.ocr.paper import LETTER, Paper


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue("rapid" if request.param == "rapidocr" else "tesseract")
    return found


def test_it_says_who_it_is(engine: Engine) -> None:
    assert engine.name in ENGINES
    assert re.match(r"\d+\.\d+", engine.version)
    assert re.fullmatch(r"[0-9a-f]{64}", engine.settings_digest)
    assert engine.precision


def test_a_second_one_with_the_same_settings_has_the_same_digest(engine: Engine) -> None:
    assert make_engine(engine.name).settings_digest == engine.settings_digest


def test_every_line_of_a_clean_page_is_read(engine: Engine) -> None:
    lines = engine.read(open_picture(Paper().letter().pixels()))

    assert sorted(line.text.replace(",", "，") for line in lines) == sorted(LETTER)


@pytest.mark.parametrize("lies", [0, 90, 180, 270])
def test_boxes_begin_where_the_text_begins(engine: Engine, lies: int) -> None:
    picture = open_picture(Paper().letter().pixels(lies=lies))
    lines = engine.read(picture)

    right = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[lies]
    assert len(lines) == len(LETTER)
    for line in lines:
        assert direction_of(line.box) == pytest.approx(right, abs=0.03)
        assert length_of(line.box) > 5 * height_of(line.box)
        assert all(-20 <= x <= picture.width + 20 and -20 <= y <= picture.height + 20 for x, y in line.box)


def test_confidence_and_places_of_characters(engine: Engine) -> None:
    for line in engine.read(open_picture(Paper().letter().pixels())):
        assert 0.3 < line.confidence <= 1
        assert "".join(char.text for char in line.chars) == line.text
        starts = [char.start for char in line.chars]
        assert starts == sorted(starts)
        assert all(-0.01 <= char.start <= char.end <= 1.01 for char in line.chars)


def test_a_page_without_text_has_no_lines(engine: Engine) -> None:
    paper = Paper()
    paper.draw.line((100, 100, 1500, 130), fill=(0, 0, 0), width=3)

    assert not [line for line in engine.read(open_picture(paper.pixels())) if len(line.text) > 1]


def test_the_same_page_is_read_the_same_twice(engine: Engine) -> None:
    picture = open_picture(Paper().letter().pixels())

    assert engine.read(picture) == engine.read(picture)


@pytest.mark.parametrize(("name", "backend"), [("paddle", "auto"), ("rapidocr", "cuda")])
def test_unknown_engines_are_named(name: str, backend: str) -> None:
    with pytest.raises(ValueError, match="unknown OCR"):
        make_engine(name, backend)
