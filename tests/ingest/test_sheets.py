"""Blank backs and separator sheets are known for what they are, also when a sheet lies askew or is spoiled."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ingest.inspect import sheets
from registry.paper.separators import Separator, separators_pdf
from tests.ingest import stacks

CODE = "TB1-M-AB-CDEFGHIJKLMNOPQR-ABCDEFGHIJKLMNOPQRST"


@pytest.fixture(scope="module")
def sheet() -> Image.Image:
    one = Separator(
        position=3,
        name="授权委托书",
        case_number="33068120260310000171",
        item_name="建筑业企业资质首次申请",
        code=CODE,
    )
    return stacks.sheets_of(separators_pdf([one]))[0]


def gray(picture: Image.Image) -> sheets.Gray:
    return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("degrees", [0, 1.5, -3, 90, 180, 270])
def test_a_separator_is_known_however_it_lies(sheet: Image.Image, degrees: float) -> None:
    turned = sheet.rotate(degrees, Image.Resampling.BICUBIC, expand=degrees % 90 == 0, fillcolor=255)
    assert sheets.codes_on(gray(turned)) == [CODE]
    assert sheets.is_barred(gray(turned))
    assert not sheets.is_blank(gray(turned))


def test_a_spoiled_separator_is_still_a_separator(sheet: Image.Image) -> None:
    spoiled = gray(stacks.spoiled(sheet))
    assert sheets.codes_on(spoiled) == []
    assert sheets.is_barred(spoiled)


def test_papers_have_no_bars() -> None:
    table = stacks.paper("表")
    draw = ImageDraw.Draw(table)
    for row in range(40):
        draw.line((60, 40 + 42 * row, 1180, 40 + 42 * row), fill=0, width=3)
    for left in (60, 400, 800, 1180):
        draw.line((left, 40, left, 1700), fill=0, width=3)
    assert not sheets.is_barred(gray(table))
    assert not sheets.is_barred(gray(stacks.paper("字")))


def test_a_back_with_show_through_and_dust_is_blank() -> None:
    assert sheets.is_blank(gray(stacks.blank()))
    assert sheets.is_blank(gray(stacks.blank(level=205)))


def test_uneven_light_and_punched_holes_are_not_writing() -> None:
    light = np.linspace(250, 150, stacks.A4[0]).astype(np.uint8)
    page = Image.fromarray(np.tile(light, (stacks.A4[1], 1)))
    for top in (600, 1000):
        ImageDraw.Draw(page).ellipse((15, top, 45, top + 30), fill=20)
    assert sheets.is_blank(gray(page))


@pytest.mark.parametrize("words", ["2", "王"])
def test_a_page_with_as_little_as_a_page_number_is_not_blank(words: str) -> None:
    page = Image.new("L", stacks.A4, 250)
    ImageDraw.Draw(page).text((610, 1600), words, fill=40, font_size=24)
    assert not sheets.is_blank(gray(page))
