"""Pictures for the screen: drawn in the limited child, upright, without anything that a camera wrote down."""

import io
from pathlib import Path

import pytest
from PIL import Image

from ingest.inspect import NotDrawn, Pool, inspect_file, view_of
from tests.ingest import hostile

THUMB = (256, 256)


def seen(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def test_a_page_is_shown_upright_and_small(pool: Pool, tmp_path: Path) -> None:
    page = tmp_path / "page.jpg"
    sideways = hostile.paper((620, 877)).transpose(Image.Transpose.ROTATE_90)  # the reader turns it clockwise
    sideways.save(page, "JPEG", quality=95)
    shown = seen(view_of(page, rotation=90, size=THUMB, pool=pool))
    assert shown.format == "JPEG"
    assert (shown.width, shown.height) == (181, 256)
    red, green, blue = shown.convert("RGB").getpixel((8, 8))  # type: ignore[misc]
    assert red > 150 > max(green, blue)


def test_neither_place_nor_camera_reaches_the_screen(pool: Pool, tmp_path: Path) -> None:
    photo = hostile.jpeg(tmp_path / "photo.jpg", exif=hostile.gps_exif())
    content = view_of(photo, rotation=0, size=(1600, 1600), pool=pool)
    assert b"Exif" not in content
    assert b"Somebody" not in content
    assert not seen(content).getexif()


def test_a_part_is_cut_out_and_ends_at_the_edges(pool: Pool, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    hostile.paper((600, 800)).save(page)
    shown = seen(view_of(page, rotation=0, size=(1200, 1200), part=(-30, -20, 60, 40), pool=pool))
    assert shown.size == (60, 40)
    red, green, blue = shown.convert("RGB").getpixel((30, 20))  # type: ignore[misc]
    assert red > 150 > max(green, blue)


def test_transparency_is_shown_on_white(pool: Pool, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    Image.new("RGBA", (300, 400), (0, 0, 0, 0)).save(page)
    assert seen(view_of(page, rotation=0, size=THUMB, pool=pool)).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (hostile.png_of(60_000, 60_000), "too_many_pixels"),
        (hostile.png_of(3000, 3000), "page_unreadable"),
        (b"\xff\xd8\xff\xe0 not a picture", "page_unreadable"),
    ],
)
def test_a_page_that_would_hurt_is_a_sentence_and_the_child_lives(
    content: bytes, code: str, pool: Pool, tmp_path: Path
) -> None:
    page = tmp_path / "page"
    page.write_bytes(content)
    with pytest.raises(NotDrawn) as refused:
        view_of(page, rotation=0, size=THUMB, pool=pool)
    assert refused.value.code == code
    assert refused.value.message.endswith("。")
    good = hostile.jpeg(tmp_path / "good.jpg")
    assert view_of(good, rotation=0, size=THUMB, pool=pool)


def test_codes_are_read_where_they_are_asked_for(pool: Pool, tmp_path: Path) -> None:
    sheet = hostile.paper((1240, 1754))
    sheet.paste(hostile.qr("TB1-HELLO"), (300, 700))
    path = tmp_path / "sheet.jpg"
    sheet.save(path, "JPEG", quality=90, dpi=(150, 150))
    plain = inspect_file(path, tmp_path / "plain", pool=pool)
    asked = inspect_file(path, tmp_path / "asked", pool=pool, codes=True)
    assert plain.pages[0].codes == ()
    (code,) = asked.pages[0].codes
    assert (code.text, code.format) == ("TB1-HELLO", "QRCode")
    assert 280 < code.position[0][0] < 400


def test_more_pages_than_wanted_are_refused(pool: Pool, tmp_path: Path) -> None:
    stack = hostile.tiff(tmp_path / "stack.tiff", pages=3)
    found = inspect_file(stack, tmp_path / "out", pool=pool, most_pages=1)
    assert (found.verdict, found.code) == ("refused", "too_many_pages")
    assert "上限" in found.reason
