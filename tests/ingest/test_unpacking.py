"""Kept pages as pixels, and coded for a PDF: decoded in the limited child, whatever somebody put in their place."""

import logging
import random
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.inspect import NotCoded, NotUnpacked, Pool, coded, unpack
from ingest.inspect import pool as pool_module
from tests.ingest import hostile
from tests.ingest.fuzzing import damaged, seeds

SIDE = 4000
LIE = {"offset": 0, "rows": 50_000, "columns": 50_000, "channels": 3, "width": 1, "height": 1}
BOMBS = [
    (hostile.png_of(60_000, 60_000), "too_many_pixels"),
    (hostile.png_of(3000, 3000), "page_unreadable"),
    (b"\xff\xd8\xff\xe0 no picture", "page_unreadable"),
    (b"", "page_unreadable"),
]


def saved(path: Path, mode: str, size: tuple[int, int] = (620, 877)) -> Image.Image:
    picture = hostile.paper(size).convert(mode)
    picture.save(path)
    return picture


@pytest.mark.parametrize(
    ("mode", "name"), [("L", "a.jpg"), ("RGB", "a.jpg"), ("L", "a.png"), ("RGB", "a.png"), ("1", "a.png")]
)
def test_the_pixels_are_those_of_the_picture(pool: Pool, tmp_path: Path, mode: str, name: str) -> None:
    saved(tmp_path / name, mode)
    found = unpack(tmp_path / name, tmp_path / "pixels-of-it", side=SIDE, pool=pool)
    with Image.open(tmp_path / name) as picture:
        expected = np.asarray(picture.convert("L") if mode == "1" else picture)
    assert (found.width, found.height) == (620, 877)
    assert np.array_equal(found.take(), expected)


def test_a_palette_comes_as_colours(pool: Pool, tmp_path: Path) -> None:
    picture = saved(tmp_path / "a.png", "P")
    found = unpack(tmp_path / "a.png", tmp_path / "pixels-of-it", side=SIDE, pool=pool)
    assert np.array_equal(found.take(), np.asarray(picture.convert("RGB")))


def test_pixels_stay_when_their_file_is_gone(pool: Pool, tmp_path: Path) -> None:
    saved(tmp_path / "a.jpg", "L")
    found = unpack(tmp_path / "a.jpg", tmp_path / "pixels-of-it", side=SIDE, pool=pool)
    pixels = found.take()
    assert {path.name for path in tmp_path.iterdir()} == {"a.jpg"}
    before = pixels.copy()
    unpack(tmp_path / "a.jpg", tmp_path / "pixels-of-it", side=SIDE, pool=pool)
    assert np.array_equal(pixels, before)


def test_a_picture_twice_as_long_as_wanted_comes_smaller_and_never_too_small(
    pool: Pool, tmp_path: Path
) -> None:
    saved(tmp_path / "a.png", "L", (1500, 2100))
    found = unpack(tmp_path / "a.png", tmp_path / "pixels-of-it", side=1000, pool=pool)
    assert (found.rows, found.columns, found.width, found.height) == (1050, 750, 1500, 2100)


@pytest.mark.parametrize(("content", "code"), BOMBS)
def test_a_bomb_is_a_sentence_and_the_child_lives(
    content: bytes, code: str, pool: Pool, tmp_path: Path
) -> None:
    saved(tmp_path / "good.jpg", "L")
    unpack(tmp_path / "good.jpg", tmp_path / "pixels-of-it", side=SIDE, pool=pool)
    (pid,) = pool.idle_pids()
    (tmp_path / "page").write_bytes(content)
    with pytest.raises(NotUnpacked) as refused:
        unpack(tmp_path / "page", tmp_path / "pixels-of-it", side=SIDE, pool=pool)
    with pytest.raises(NotCoded) as uncoded:
        coded(tmp_path / "page", pool=pool)
    assert (refused.value.code, uncoded.value.code) == (code, code)
    assert refused.value.message.endswith("。")
    assert pool.idle_pids() == [pid]


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_damage_ends_in_pixels_or_a_sentence(
    kind: str, pool: Pool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, dice = seeds(tmp_path)[kind].read_bytes(), random.Random(f"kept {kind}")
    page = tmp_path / "page"
    with caplog.at_level(logging.WARNING, logger="ingest.inspect"):
        for _ in range(25):
            page.write_bytes(damaged(data, dice))
            with suppress(NotUnpacked):
                assert unpack(page, tmp_path / "pixels-of-it", side=SIDE, pool=pool).take().size
            with suppress(NotCoded):
                assert coded(page, pool=pool)[1]
    assert caplog.messages == []


@pytest.mark.parametrize("left", [None, b"too few"])
def test_a_child_that_tells_of_pixels_it_did_not_leave_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: bytes | None
) -> None:
    children = Pool(size=1)
    saved(tmp_path / "a.jpg", "L")
    lie: dict[str, Any] = {"unpacked": LIE}
    monkeypatch.setattr(pool_module.Child, "_receive", lambda *_: lie)
    if left is not None:
        (tmp_path / "pixels").write_bytes(left)
    with pytest.raises(NotUnpacked):
        unpack(tmp_path / "a.jpg", tmp_path / "pixels-of-it", side=SIDE, pool=children)
    children.close()


def test_rows_are_coded_across_strips_without_loss(pool: Pool, tmp_path: Path) -> None:
    picture = saved(tmp_path / "a.png", "RGB", (2400, 3600))
    stream, data = coded(tmp_path / "a.png", pool=pool)
    assert (stream.coding, stream.channels, stream.converted) == ("FlateDecode", 3, False)
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(3600, 1 + 2400 * 3)
    assert set(rows[:, 0]) == {2}
    assert np.array_equal(
        np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(3600, 2400, 3), np.asarray(picture)
    )


def test_a_layered_picture_is_laid_on_paper_and_said_to_be_converted(pool: Pool, tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(tmp_path / "a.png")
    stream, data = coded(tmp_path / "a.png", pool=pool)
    assert stream.converted
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(20, 91)
    assert set(rows[0, 1:]) == {255}


def test_bilevel_pictures_are_coded_as_faxes_are(pool: Pool, tmp_path: Path) -> None:
    saved(tmp_path / "a.png", "1")
    stream, data = coded(tmp_path / "a.png", pool=pool)
    assert (stream.coding, stream.converted) == ("CCITTFaxDecode", False)
    assert len(data) < len((tmp_path / "a.png").read_bytes()) * 3
