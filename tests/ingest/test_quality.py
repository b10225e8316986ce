"""Legible or not: each fault is found where it was made, and ordinary pages are left in peace."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from dossier.fonts import installed_typefaces
from ingest.inspect import inspect_file, quality
from ingest.inspect.sentences import FAULT_WORDS, FAULTS, FAULTS_VERSION, rescan
from ingest.models import SourceFile
from registry.models import User
from tests.cast import assemble, open_case
from tests.ocr.drawn import UNTUNED, generated

DPI = 200
TEXT = "统一社会信用代码 91331000MA2XW00000 台州市住房和城乡建设局"


def sheet(*, mode: str = "RGB") -> Image.Image:
    """An A4 page of ordinary text, as a scanner sees it."""
    return _sheet(mode).copy()


@cache
def _sheet(mode: str) -> Image.Image:
    page = Image.new(mode, (1654, 2339), 245 if mode == "L" else (245,) * 3)
    pen = ImageDraw.Draw(page)
    face = installed_typefaces().body
    font = ImageFont.truetype(str(face.path), 34, index=face.index)
    for line in range(26):
        pen.text((190, 220 + 72 * line), TEXT, font=font, fill=35 if mode == "L" else (35, 35, 38))
    noise = np.random.default_rng(7).normal(0, 2, np.asarray(page).shape)
    return Image.fromarray(np.clip(np.asarray(page) + noise, 0, 255).astype(np.uint8))


def faults(page: Image.Image, folder: Path, *, dpi: int | None = DPI) -> tuple[str, ...]:
    path = folder / "page.jpg"
    page.save(path, quality=85)
    return quality.judge(path, dpi=dpi)


def folded(page: Image.Image) -> Image.Image:
    ImageDraw.Draw(page).polygon([(0, 0), (240, 0), (0, 240)], fill=(20, 20, 20))
    return page


def lit(page: Image.Image) -> Image.Image:
    page = ImageEnhance.Brightness(page).enhance(0.8)
    ImageDraw.Draw(page).ellipse((500, 800, 900, 1200), fill=(255, 255, 255))
    return page.filter(ImageFilter.GaussianBlur(1))


SPOILED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "too_dark": lambda page: ImageEnhance.Brightness(page).enhance(0.3),
    "blurred": lambda page: page.filter(ImageFilter.GaussianBlur(3.5)),
    "faint": lambda page: Image.blend(page, Image.new("RGB", page.size, (245, 245, 245)), 0.9),
    "glare": lit,
    "cut_edge": lambda page: page.crop((420, 0, page.width, page.height)),
    "missing_corner": folded,
    "skewed": lambda page: page.rotate(7, fillcolor=(245, 245, 245), resample=Image.Resampling.BILINEAR),
}


def test_where_nobody_can_scan_again_pages_are_not_judged(tmp_path: Path) -> None:
    poor, back = tmp_path / "poor.jpg", tmp_path / "back.jpg"
    SPOILED["blurred"](sheet()).save(poor, dpi=(DPI, DPI))
    Image.new("RGB", (1654, 2339), "white").save(back, dpi=(DPI, DPI))

    judged = [inspect_file(path, tmp_path / path.stem).pages[0] for path in (poor, back)]
    taken = [inspect_file(path, tmp_path / f"{path.stem}-2", judged=False).pages[0] for path in (poor, back)]

    assert [(page.faults, page.blank) for page in judged] == [(("blurred",), False), ((), True)]
    assert [(page.faults, page.blank) for page in taken] == [((), False)] * 2
    assert [page.sha256 for page in taken] == [page.sha256 for page in judged]


@pytest.mark.parametrize("fault", SPOILED)
def test_a_spoiled_page_is_told_with_its_fault(fault: str, tmp_path: Path) -> None:
    found = faults(SPOILED[fault](sheet()), tmp_path)
    assert fault in found
    assert len(found) <= 2, found


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_ordinary_page_is_left_in_peace(mode: str, tmp_path: Path) -> None:
    page = sheet(mode=mode)
    assert faults(page, tmp_path) == ()
    assert faults(page.rotate(90, expand=True), tmp_path) == ()
    assert faults(page.rotate(1.5, fillcolor=245 if mode == "L" else (245, 245, 245)), tmp_path) == ()


def test_a_little_out_of_focus_can_still_be_read(tmp_path: Path) -> None:
    assert faults(sheet().filter(ImageFilter.GaussianBlur(1.2)), tmp_path) == ()


def test_blank_backs_and_black_and_white_are_no_fault(tmp_path: Path) -> None:
    assert faults(Image.new("L", (1654, 2339), 248), tmp_path) == ()
    path = tmp_path / "bilevel.png"
    sheet(mode="L").point(lambda level: 255 if level > 140 else 0, mode="1").save(path)
    assert quality.judge(path, dpi=DPI) == ()


def test_resolution_is_judged_by_dots_or_by_pixels(tmp_path: Path) -> None:
    page = sheet()
    small = page.resize((620, 877))
    assert faults(small, tmp_path, dpi=75) == ("low_resolution",)
    assert "low_resolution" in faults(small, tmp_path, dpi=None)
    assert faults(page, tmp_path, dpi=None) == ()


def test_a_sheet_too_large_to_be_read_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "MOST_PIXELS", 1_000_000)
    assert faults(SPOILED["too_dark"](sheet()), tmp_path) == ()


def test_every_fault_has_its_words() -> None:
    assert set(FAULTS) == set(FAULT_WORDS)
    assert rescan(3, ["blurred"]) == "第 3 页请重扫：太模糊，号码可能读不清"


def test_the_child_says_it_for_every_kind_of_page(tmp_path: Path) -> None:
    stack = tmp_path / "stack.tiff"
    pages = [sheet(mode="L"), SPOILED["blurred"](sheet()).convert("L")]
    pages[0].save(stack, save_all=True, append_images=pages[1:], dpi=(DPI, DPI), compression="tiff_deflate")
    found = inspect_file(stack, tmp_path / "pages")
    assert [page.faults for page in found.pages] == [(), ("blurred",)]


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
def test_the_clerk_is_told_while_the_applicant_is_there(tmp_path: Path) -> None:
    cast = assemble()
    case = open_case(cast)
    path = tmp_path / "identity.jpg"
    SPOILED["blurred"](sheet()).save(path, dpi=(DPI, DPI))
    client = Client()
    client.force_login(User.objects.get(pk=cast.clerk.id))
    address = reverse("upload", args=[case.number])
    material = case.materials.get(position=1)
    with path.open("rb") as file:
        answer = client.post(
            address, {"files": file, "material": material.pk}, headers={"X-Requested-With": "tray"}
        )
    assert "第 1 页请重扫：太模糊，号码可能读不清" in answer.content.decode()
    page = SourceFile.objects.get().pages.get()
    assert (page.faults, page.faults_version) == (["blurred"], FAULTS_VERSION)
    shown = client.get(reverse("case", args=[case.number])).content.decode()
    assert "模糊" in shown
    assert "建议重扫" in client.get(reverse("page", args=[page.pk])).content.decode()


def test_other_people_s_scans_raise_no_false_alarm() -> None:
    """Skew, noise, bad light and heavy wear are in them, and all of it can be read."""
    alarms = {}
    for scan in generated(UNTUNED):
        with Image.open(scan.path) as page:
            dpi = round(page.info["dpi"][0])
        if found := quality.judge(scan.path, dpi=dpi):
            alarms[scan.path.stem] = found
    assert alarms == {}
