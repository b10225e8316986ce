"""PDFs become static pages: scans give up their JPEG, the rest is drawn, nothing active survives."""

import hashlib
import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from ingest.inspect.limits import MAX_PAGES
from tests.ingest import hostile
from tests.ingest.conftest import Inspect


def scan() -> tuple[bytes, tuple[int, int]]:
    target = io.BytesIO()
    page = hostile.paper((1240, 1754))
    page.save(target, "JPEG", quality=80)
    return target.getvalue(), page.size


def test_a_scanned_page_gives_up_its_jpeg_unchanged(tmp_path: Path, inspect: Inspect) -> None:
    data, size = scan()
    found = inspect(hostile.pdf_of_jpeg(tmp_path / "scan.pdf", data, size))
    (page,) = found.pages
    assert page.path.read_bytes() == data
    assert (page.source, page.media_type, page.dpi) == ("extracted", "image/jpeg", 150)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_scan_keeps_its_bytes_and_says_how_to_stand(
    tmp_path: Path, inspect: Inspect, turn: int
) -> None:
    data, size = scan()
    (page,) = inspect(hostile.pdf_of_jpeg(tmp_path / "scan.pdf", data, size, rotate=turn)).pages
    assert page.sha256 == hashlib.sha256(data).hexdigest()
    assert page.rotation == turn


def test_an_invisible_text_layer_is_not_believed(tmp_path: Path, inspect: Inspect) -> None:
    data, size = scan()
    found = inspect(hostile.pdf_of_jpeg(tmp_path / "ocr.pdf", data, size, hidden="forged"))
    assert found.pages[0].source == "extracted"
    assert found.pages[0].text == ()
    assert any("隐藏文字层" in one for one in found.removed)


def test_visible_text_comes_along_with_boxes_on_the_page(tmp_path: Path, inspect: Inspect) -> None:
    (page,) = inspect(hostile.pdf_with_text(tmp_path / "text.pdf", "Hello world")).pages
    assert (page.source, page.media_type, page.dpi) == ("rendered", "image/png", 300)
    (line,) = page.text
    assert line.text == "Hello world"
    left, top, right, bottom = line.box
    with Image.open(page.path) as picture:
        ink = picture.convert("L").point(lambda value: 255 if value < 128 else 0).getbbox()
    assert ink is not None
    assert all(abs(have - want) < 6 for have, want in zip(line.box, ink, strict=True))
    assert left < right <= page.width
    assert top < bottom <= page.height


def test_boxes_follow_a_turned_page(tmp_path: Path, inspect: Inspect) -> None:
    path = hostile.pdf_with_text(tmp_path / "turned.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].Rotate = 90
        pdf.save(path)
    (page,) = inspect(path).pages
    assert page.rotation == 0
    assert page.height > page.width
    (_, top, _, bottom) = page.text[0].box
    assert bottom - top > 0
    assert all(0 <= value <= max(page.width, page.height) for line in page.text for value in line.box)


def test_everything_active_is_removed_and_named(tmp_path: Path, inspect: Inspect) -> None:
    found = inspect(hostile.pdf_with_poison(tmp_path / "poison.pdf"))
    assert found.verdict == "accepted"
    assert len(found.pages) == 1
    said = "、".join(found.removed)
    for name in ("JavaScript", "Launch", "附件", "XFA"):
        assert name in said


def test_a_locked_file_asks_for_its_password(tmp_path: Path, inspect: Inspect) -> None:
    path = hostile.locked_pdf(tmp_path / "locked.pdf", "geheim")
    assert (inspect(path).verdict, inspect(path).code) == ("refused", "locked")
    assert "密码" in inspect(path).reason
    assert inspect(path, password="wrong").code == "wrong_password"
    opened = inspect(path, password="geheim")
    assert opened.verdict == "accepted"
    assert opened.pages[0].text[0].text == "Hello world"


def test_a_flate_bomb_ends_in_a_sentence(tmp_path: Path, inspect: Inspect) -> None:
    path = hostile.flate_bomb_pdf(tmp_path / "bomb.pdf")
    assert path.stat().st_size < 20_000
    found = inspect(path)
    assert found.verdict == "refused"
    assert found.code in {"too_heavy", "crashed", "too_slow", "page_unreadable"}
    assert inspect(hostile.pdf_with_text(tmp_path / "next.pdf")).verdict == "accepted"


def test_ten_thousand_pages_are_refused_with_the_limit(tmp_path: Path, inspect: Inspect) -> None:
    path = tmp_path / "many.pdf"
    pdf = pikepdf.new()
    for _ in range(MAX_PAGES + 1):
        pdf.add_blank_page(page_size=(100, 100))
    pdf.save(path)
    found = inspect(path)
    assert found.code == "too_many_pages"
    assert str(MAX_PAGES) in found.reason


def test_a_broken_cross_reference_is_repaired_and_said_so(tmp_path: Path, inspect: Inspect) -> None:
    path = hostile.pdf_with_text(tmp_path / "broken.pdf")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"startxref")])
    found = inspect(path)
    assert found.verdict == "repaired"
    assert "修复" in found.reason


def test_a_file_hung_behind_a_pdf_is_a_polyglot(tmp_path: Path, inspect: Inspect) -> None:
    path = hostile.pdf_with_text(tmp_path / "two.pdf")
    path.write_bytes(path.read_bytes() + b"<script>alert(1)</script>")
    assert inspect(path).code == "polyglot"


def test_a_gray_page_stays_gray_and_a_coloured_one_coloured(tmp_path: Path, inspect: Inspect) -> None:
    gray = inspect(hostile.pdf_with_text(tmp_path / "gray.pdf")).pages[0]
    coloured = hostile.pdf_with_text(tmp_path / "red.pdf")
    with pikepdf.open(coloured, allow_overwriting_input=True) as pdf:
        pdf.pages[0].contents_add(b"1 0 0 rg 20 20 30 30 re f", prepend=True)
        pdf.save(coloured)
    red = inspect(coloured).pages[0]
    with Image.open(gray.path) as one, Image.open(red.path) as other:
        assert (one.mode, other.mode) == ("L", "RGB")


def test_names_that_are_not_unicode_do_no_harm(tmp_path: Path, inspect: Inspect) -> None:
    """Chinese office programs write font names in GBK."""
    path = hostile.pdf_with_text(tmp_path / "gbk.pdf")
    data = path.read_bytes().replace(b"/Catalog", b"/Catalog /#CB#CE#CC#E5 /#CB#CE", 1)
    path.write_bytes(data)
    found = inspect(path)
    assert found.verdict in {"accepted", "repaired"}
    assert found.pages[0].text[0].text == "Hello world"
