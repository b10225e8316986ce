"""Reading codes: the right rung of the ladder, true positions, real photos, and the command around it."""

import json
import re
from io import BytesIO, StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image

from ingest.codes import CODE128, QR, TooLarge, read_codes
from logistics.labels import W100H150, as_pdf, as_png
from registry.paper.symbols import code128_bars, qr_matrix
from registry.tokens import Purpose, mint
from tests.logistics.labels import to_office
from tests.shared import shared

TEXT = "TB1-P-AA-ABCDEFGHIJKLMNOP-ABCDEFGHIJKLMNOPQRST"


def page_with(text: str, *, module: int = 6, at: tuple[int, int] = (300, 500)) -> Image.Image:
    """A white page of 1000 × 1400 pixels with one QR code."""
    page = np.full((1400, 1000), 255, np.uint8)
    dark = np.kron(np.array(qr_matrix(text).rows), np.ones((module, module), bool)).astype(bool)
    x, y = at
    page[y : y + dark.shape[0], x : x + dark.shape[1]][dark] = 0
    return Image.fromarray(page)


def test_a_clean_page_is_read_at_the_first_look_where_it_stands() -> None:
    [code] = read_codes(page_with(TEXT))
    assert (code.text, code.format, code.step) == (TEXT, QR, "plain")
    side = 29 * 6
    expected = ((300, 500), (300 + side, 500), (300 + side, 500 + side), (300, 500 + side))
    assert np.abs(np.array(code.position) - expected).max() <= 4


def test_red_ink_is_looked_through_in_the_red_channel() -> None:
    picture = np.asarray(page_with(TEXT).convert("RGB")).copy()
    seal = np.full_like(picture, 255)
    cv2.circle(seal, (387, 587), 95, (200, 30, 40), -1)
    [code] = read_codes(np.minimum(picture, seal))
    assert (code.text, code.step) == (TEXT, "red")


@pytest.mark.parametrize("module", [2, 3, 4])
def test_small_codes_keep_their_place_when_enlarged(module: int) -> None:
    blurred = cv2.GaussianBlur(np.asarray(page_with(TEXT, module=module)), (0, 0), module * 0.42)
    [code] = read_codes(np.asarray(blurred, np.uint8))
    assert code.text == TEXT
    assert np.abs(np.array(code.position[0]) - (300, 500)).max() <= 6


def test_a_large_scan_is_shrunk_and_positions_are_those_of_the_scan() -> None:
    page = page_with(TEXT).resize((5000, 7000), Image.Resampling.NEAREST)
    [code] = read_codes(page)
    assert np.abs(np.array(code.position[0]) - (1500, 2500)).max() <= 25


def test_it_goes_on_until_the_expected_kinds_are_found() -> None:
    label = to_office(1)
    image = Image.open(BytesIO(as_png(label, W100H150)))
    found = read_codes(image, expect=(QR, CODE128))
    assert {code.format: code.text for code in found} == {QR: label.code, CODE128: label.waybill}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_any_mode_of_picture_is_taken(mode: str) -> None:
    page = page_with(TEXT)
    if mode == "I;16":
        wide = np.asarray(page).astype(np.uint16) * 257
        page = Image.fromarray(wide)
        assert page.mode == "I;16"
    else:
        page = page.convert(mode)
    assert [code.text for code in read_codes(page)] == [TEXT]


def test_a_transparent_page_is_white_paper() -> None:
    page = page_with(TEXT).convert("RGBA")
    dots = np.asarray(page).copy()
    dots[dots[..., 0] > 128] = (0, 0, 0, 0)
    assert [code.text for code in read_codes(Image.fromarray(dots))] == [TEXT]


def test_absurd_pictures_are_refused() -> None:
    with pytest.raises(TooLarge):
        read_codes(np.zeros((20_000, 20_000), np.uint8))


def test_symbols_hold_what_was_asked() -> None:
    assert qr_matrix(TEXT).size == 29
    bars = code128_bars("1012345678901")
    assert sum(width for _, width in bars.bars) < bars.width
    with pytest.raises(ValueError, match="ASCII"):
        code128_bars("运单")


def expectations() -> dict[str, str]:
    rows = shared("samples", "README.md").read_text().splitlines()
    found = (re.match(r"\| `(zxingcpp__[^`]+)` \|[^|]*\| (.*?) \| zxing-cpp", row) for row in rows)
    return {row.group(1): row.group(2) for row in found if row}


def test_real_photos_are_read_right_or_not_at_all() -> None:
    expected = expectations()
    assert len(expected) > 30
    unread = []
    for name, wanted in expected.items():
        with Image.open(shared("samples", "qr", name)) as picture:
            found = read_codes(picture)
        if wanted.startswith("answer: no code"):
            assert found == [], name
            continue
        sure = wanted.startswith("decode Text: ")
        text = wanted.partition("Text: ")[2]
        if not found:
            assert not sure, f"{name} must be read"
            unread.append(name)
        elif len(found) == 1 and text.isascii() and "\\" not in text:
            assert found[0].text == text, name
    assert len(unread) <= 3


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("read_codes", *arguments, stdout=out)
    except SystemExit as stopped:
        return int(str(stopped.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_command_reads_pictures_and_pdf(tmp_path: Path) -> None:
    label = to_office(1, code=mint(Purpose.PARCEL).text)
    picture, pdf = tmp_path / "label.png", tmp_path / "label.pdf"
    picture.write_bytes(as_png(label, W100H150))
    pdf.write_bytes(as_pdf([label, to_office(2)], W100H150))
    status, said = run("--json", str(picture), str(pdf))
    assert status == 0
    first, second = json.loads(said)
    assert first["file"] == str(picture)
    assert first["verdict"] == "accepted"
    codes = {code["format"]: code for code in first["codes"]}
    assert codes[QR]["text"] == label.code
    assert codes[QR]["origin"] == "parcel"
    assert codes[CODE128]["origin"] == "code_foreign"
    assert len(codes[QR]["position"]) == 4
    forged = [code["origin"] for code in second["codes"] if code["format"] == QR and code["page"] == 2]
    assert forged == ["code_forged"]


def test_the_command_says_when_there_is_nothing_or_no_picture(tmp_path: Path) -> None:
    blank, text = tmp_path / "blank.png", tmp_path / "text.pdf"
    Image.new("L", (400, 400), 255).save(blank)
    text.write_text("not a PDF at all")
    status, said = run(str(blank), str(text))
    assert status == 1
    assert "没有识读到二维码或条码" in said
    status, said = run("--json", str(text))
    assert status == 1
    [entry] = json.loads(said)
    assert entry["verdict"] == "refused"
    assert entry["reason"].endswith("。")
