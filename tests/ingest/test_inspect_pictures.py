"""Pictures: compressed data untouched, private data gone, every turn accounted for once."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from ingest.inspect import PageImage
from tests.ingest import hostile
from tests.ingest.conftest import Inspect

RED, GREEN, BLUE = (200, 30, 30), (30, 120, 30), (30, 30, 200)


def shown(page: PageImage) -> Image.Image:
    """The page as a person sees it."""
    return Image.open(page.path).convert("RGB").rotate(-page.rotation, expand=True)


def near(picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    got = picture.getpixel(at)
    assert isinstance(got, tuple)
    return all(abs(have - want) < 40 for have, want in zip(got, colour, strict=True))


def assert_stands_upright(page: PageImage) -> None:
    picture = shown(page)
    assert picture.height > picture.width
    assert near(picture, (10, 10), RED)
    assert near(picture, (picture.width - 10, 10), GREEN)
    assert near(picture, (10, picture.height - 10), BLUE)


def test_a_plain_scan_passes_byte_for_byte(tmp_path: Path, inspect: Inspect) -> None:
    scan = hostile.jpeg(tmp_path / "scan.jpg")
    found = inspect(scan)
    (page,) = found.pages
    assert (found.verdict, found.code, found.media_type) == ("accepted", "ok", "image/jpeg")
    assert page.path.read_bytes() == scan.read_bytes()
    assert page.sha256 == found.sha256 == hashlib.sha256(scan.read_bytes()).hexdigest()
    assert (page.source, page.dpi, page.rotation, page.width, page.height) == (
        "as_captured",
        200,
        0,
        620,
        877,
    )


def test_position_and_camera_are_cut_out_of_a_photo_but_its_pixels_stay(
    tmp_path: Path, inspect: Inspect
) -> None:
    photo = hostile.jpeg(tmp_path / "photo.jpg", exif=hostile.gps_exif())
    found = inspect(photo)
    (page,) = found.pages
    kept = page.path.read_bytes()
    assert "拍摄位置（GPS）" in found.removed
    assert b"Exif" not in kept
    assert b"Somebody" not in kept
    scan_of = photo.read_bytes()
    assert kept[kept.index(b"\xff\xda") :] == scan_of[scan_of.index(b"\xff\xda") :]


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 180), (6, 90), (8, 270)])
def test_a_turned_photo_keeps_its_bytes_and_says_how_to_stand(
    tmp_path: Path, inspect: Inspect, orientation: int, turn: int
) -> None:
    lying = hostile.paper().rotate(turn, expand=True)
    path = tmp_path / "turned.jpg"
    lying.save(path, "JPEG", exif=hostile.gps_exif(orientation).tobytes())
    (page,) = inspect(path).pages
    assert (page.source, page.rotation) == ("as_captured", turn)
    assert_stands_upright(page)


@pytest.mark.parametrize("orientation", [2, 4, 5, 7])
def test_a_mirrored_photo_is_put_right_without_loss(
    tmp_path: Path, inspect: Inspect, orientation: int
) -> None:
    mirrored = hostile.paper()
    undo = {2: "FLIP_LEFT_RIGHT", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 7: "TRANSVERSE"}[orientation]
    mirrored = mirrored.transpose(Image.Transpose[undo])
    path = tmp_path / "mirrored.jpg"
    mirrored.save(path, "JPEG", exif=hostile.gps_exif(orientation).tobytes())
    (page,) = inspect(path).pages
    assert (page.source, page.rotation, page.media_type) == ("reencoded", 0, "image/png")
    assert_stands_upright(page)
    with Image.open(path) as original:
        assert np.array_equal(np.asarray(ImageOps.exif_transpose(original)), np.asarray(shown(page)))


def test_heic_arrives_upright_without_its_position(tmp_path: Path, inspect: Inspect) -> None:
    found = inspect(hostile.heic(tmp_path / "photo.heic"))
    (page,) = found.pages
    assert (found.media_type, page.media_type, page.rotation) == ("image/heic", "image/png", 0)
    assert "拍摄位置（GPS）" in found.removed
    assert_stands_upright(page)


def test_a_cut_off_heic_is_refused(tmp_path: Path, inspect: Inspect) -> None:
    whole = hostile.heic(tmp_path / "whole.heic").read_bytes()
    cut = tmp_path / "cut.heic"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    assert inspect(cut).code == "truncated"


def test_a_stack_in_one_tiff_becomes_bilevel_pages_pixel_for_pixel(tmp_path: Path, inspect: Inspect) -> None:
    stack = hostile.tiff(tmp_path / "stack.tiff", pages=3)
    found = inspect(stack)
    assert [(page.width, page.dpi) for page in found.pages] == [(600, 200), (610, 200), (620, 200)]
    with Image.open(stack) as frames:
        for number, page in enumerate(found.pages):
            frames.seek(number)
            with Image.open(page.path) as kept:
                assert kept.mode == "1"
                assert kept.tobytes() == frames.convert("1").tobytes()


def test_fax_dots_become_square(tmp_path: Path, inspect: Inspect) -> None:
    fax = tmp_path / "fax.tif"
    hostile.paper((800, 500), "1").save(fax, "TIFF", compression="group3", dpi=(204, 98))
    (page,) = inspect(fax).pages
    assert (page.dpi, page.width, page.height) == (204, 800, round(500 * 204 / 98))


def test_a_png_without_private_chunks_passes_byte_for_byte(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "scan.png"
    hostile.paper().save(path, "PNG", dpi=(300, 300))
    (page,) = inspect(path).pages
    assert page.path.read_bytes() == path.read_bytes()
    assert (page.source, page.dpi) == ("as_captured", 300)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_plain_png_kind_is_proved_whole_and_kept(tmp_path: Path, inspect: Inspect, mode: str) -> None:
    path = tmp_path / "kind.png"
    hostile.paper(mode=mode).save(path, "PNG")
    assert inspect(path).pages[0].source == "as_captured"


def test_transparency_is_flattened_so_that_the_writing_shows(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "alpha.png"
    pale = Image.new("RGBA", (200, 100), (255, 255, 255, 0))
    pale.paste((255, 255, 255, 255), (50, 40, 150, 60))
    pale.save(path)
    (page,) = inspect(path).pages
    with Image.open(page.path) as picture:
        assert picture.mode == "RGB"
        assert picture.getpixel((100, 50)) == (255, 255, 255)
        assert picture.getpixel((5, 5)) != (255, 255, 255)


def test_webp_with_a_turn_is_unpacked_upright(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "chat.webp"
    hostile.paper().rotate(90, expand=True).save(path, "WEBP", exif=hostile.gps_exif(6).tobytes())
    found = inspect(path)
    assert "拍摄位置（GPS）" in found.removed
    assert_stands_upright(found.pages[0])


def test_press_colours_are_not_inverted(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "cmyk.jpg"
    hostile.paper(mode="CMYK").save(path, "JPEG", quality=95)
    (page,) = inspect(path).pages
    assert page.source == "reencoded"
    assert near(shown(page), (10, 10), RED)
    assert near(shown(page), (310, 800), (255, 255, 255))


def test_sixteen_bits_keep_their_shades(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "deep.png"
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16)[None, :].repeat(20, 0)
    Image.fromarray(ramp).save(path)
    (page,) = inspect(path).pages
    with Image.open(page.path) as picture:
        got = np.asarray(picture)[0].astype(int)
    assert picture.mode == "L"
    assert got[0] == 0
    assert got[-1] == 255
    assert (np.diff(got) >= 0).all()


def test_a_cut_off_jpeg_is_refused(tmp_path: Path, inspect: Inspect) -> None:
    whole = hostile.jpeg(tmp_path / "whole.jpg").read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole[: len(whole) // 2])
    found = inspect(cut)
    assert (found.verdict, found.code) == ("refused", "truncated")
    assert "不完整" in found.reason


def test_what_hangs_behind_a_picture_is_cut_off(tmp_path: Path, inspect: Inspect) -> None:
    first = hostile.jpeg(tmp_path / "first.jpg").read_bytes()
    path = tmp_path / "two.jpg"
    path.write_bytes(first + first)
    found = inspect(path)
    assert found.pages[0].path.read_bytes() == first
    assert any("附带数据" in one for one in found.removed)


def test_a_large_jpeg_is_proved_without_unpacking_it_whole(tmp_path: Path, inspect: Inspect) -> None:
    """20,000 × 14,000 colour pixels would take 1.1 GB unpacked; the child has less."""
    path = tmp_path / "drawing.jpg"
    Image.new("RGB", (20_000, 14_000), (250, 248, 240)).save(path, "JPEG", quality=60)
    (page,) = inspect(path).pages
    assert (page.width, page.height) == (20_000, 14_000)
    assert page.path.read_bytes() == path.read_bytes()


def test_a_pixel_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(hostile.png_of(60_000, 60_000))
    found = inspect(path)
    assert found.code == "too_many_pixels"
    assert "60000×60000" in found.reason


def test_a_png_with_fewer_rows_than_it_claims_is_refused(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "short.png"
    path.write_bytes(hostile.png_of(100, 100, body=(b"\0" + b"\x80" * 100) * 99))
    assert inspect(path).code == "truncated"
