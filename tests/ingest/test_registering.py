"""A paper scanned again: found among the signed pages however it lay, and what was changed on it is marked where it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.inspect import Pool, SignedPage, match_page, registering
from tests.ingest import hostile
from tests.ingest.rescans import (
    PAPERS,
    WAYS,
    another_digit,
    at_office,
    at_window,
    hits,
    printed,
    story,
    truth,
)

SEED = 5


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("signed")
    return {name: at_window(printed(SEED)[name], folder / f"{name}.jpg", SEED) for name in PAPERS}


def changed(seed: int) -> dict[str, Image.Image]:
    """The same papers with one digit of the identity number changed."""
    number = story(seed).id_number
    return printed(seed, id_number=another_digit(number, 9, np.random.default_rng(seed)))


@pytest.mark.parametrize("way", WAYS)
def test_the_same_paper_matches_however_it_was_captured(
    way: str, signed: dict[str, Path], tmp_path: Path
) -> None:
    rescan = at_office(printed(SEED)["application"], tmp_path / "rescan.jpg", SEED, WAYS[way])
    found = match_page(rescan, [SignedPage(signed["changes"]), SignedPage(signed["application"])])
    assert found.index == 1
    assert hits(found.places, []) == (0, 0), [place.signed for place in found.places]
    assert any(place.kind == "seal" for place in found.places) == WAYS[way].stamped


@pytest.mark.parametrize("paper", ["application", "authorisation", "household_member"])
def test_one_changed_digit_is_marked_where_it_stands(
    paper: str, signed: dict[str, Path], tmp_path: Path
) -> None:
    before, after = printed(SEED)[paper], changed(SEED)[paper]
    rescan = at_office(after, tmp_path / "rescan.jpg", SEED, WAYS["flat"])
    found = match_page(rescan, [SignedPage(signed[paper])])
    boxes = truth(before, after)
    assert len(boxes) >= 1
    assert found.index == 0
    assert hits(found.places, boxes) == (len(boxes), 0)


def test_places_beyond_the_most_that_are_told_are_counted(
    signed: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "MOST_PLACES", 1)
    number = another_digit(story(SEED).id_number, 9, np.random.default_rng(SEED))
    after = printed(SEED, agent="欧阳春华", id_number=number)["application"]
    rescan = at_office(after, tmp_path / "rescan.jpg", SEED, WAYS["flat"])
    found = registering.register(rescan, [registering.Signed(signed["application"])])
    boxes = truth(printed(SEED)["application"], after)
    assert len(boxes) > 1
    assert (len(found["places"]), found["further"]) == (1, len(boxes) - 1)


def test_another_name_is_marked_on_both_papers(signed: dict[str, Path], tmp_path: Path) -> None:
    before = printed(SEED)["application"]
    after = printed(SEED, agent="欧阳春华")["application"]
    rescan = at_office(after, tmp_path / "rescan.jpg", SEED, WAYS["flat"])
    found = match_page(rescan, [SignedPage(signed["application"])])
    boxes = truth(before, after)
    assert hits(found.places, boxes) == (len(boxes), 0)
    for place in found.places:
        (left, top), _, (right, bottom), _ = place.sheet
        assert left < right
        assert top < bottom
        assert abs(left - place.signed[0]) < 60, (
            "the same resolution and hardly turned: about the same pixels"
        )


def test_another_paper_is_none_of_the_signed_ones(signed: dict[str, Path], tmp_path: Path) -> None:
    rescan = at_office(printed(SEED)["licence"], tmp_path / "rescan.jpg", SEED, WAYS["flat"])
    others = [SignedPage(signed[name]) for name in ("application", "changes", "authorisation")]
    assert match_page(rescan, others).index is None


def test_a_blank_sheet_matches_nothing(signed: dict[str, Path], tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.new("L", (1654, 2339), 244).save(blank)
    assert match_page(blank, [SignedPage(signed["application"])]).index is None


def test_what_was_not_scanned_is_said(signed: dict[str, Path], tmp_path: Path) -> None:
    whole = Image.open(at_office(printed(SEED)["application"], tmp_path / "a.jpg", SEED, WAYS["flat"]))
    whole.crop((0, 0, whole.width, whole.height * 6 // 10)).save(tmp_path / "half.jpg", quality=80)
    found = match_page(tmp_path / "half.jpg", [SignedPage(signed["application"])])
    assert found.index == 0
    assert found.unseen > 0.2


def test_pictures_are_opened_in_a_child_that_ends_with_its_answer(
    signed: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(hostile.png_of(60_000, 60_000))
    rescan = at_office(printed(SEED)["changes"], tmp_path / "rescan.jpg", SEED, WAYS["flat"])

    def refuse(*_: object, **__: object) -> object:
        raise AssertionError("a stranger's picture was opened here")

    pool = Pool(size=1)
    monkeypatch.setattr(Image, "open", refuse)
    assert match_page(bomb, [SignedPage(signed["changes"])], pool=pool).index is None
    assert match_page(rescan, [SignedPage(signed["changes"])], pool=pool).index == 0
    assert pool.idle_pids() == []
    pool.close()
