"""What is in an assembled dossier, asked of other people's PDF software."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from dossier.assemble import assemble
from dossier.assemble.images import PageDamaged
from dossier.contents import MaterialPlan, OriginalPlan, SlipPlan
from tests.dossier.paper import LINES, draw_page, plan_of
from tests.ingest import hostile
from tests.verapdf import assert_pdfa

FIRST_SCAN = 3  # after the cover and one page of contents


def pdftotext(path: Path, page: int) -> str:
    command = ["pdftotext", "-f", str(page), "-l", str(page), str(path), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def mutool(path: Path, page: int) -> str:
    command = ["mutool", "draw", "-q", "-F", "txt", str(path), str(page)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def pdfium(path: Path, page: int) -> str:
    document = pypdfium2.PdfDocument(path)
    text = document[page - 1].get_textpage().get_text_bounded()
    document.close()
    return str(text)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("reader", [pdftotext, mutool, pdfium])
def test_text_comes_out_as_it_was_read(
    tmp_path: Path, rotation: int, reader: Callable[[Path, int], str]
) -> None:
    page = draw_page(tmp_path / "a.jpg", rotation=rotation)
    made = assemble(plan_of(page), tmp_path / "out.pdf")
    found = reader(made.path, FIRST_SCAN).replace("\r", "").replace("\f", "").strip()
    # PDFium sets no line ends on turned pages; nobody may set a space inside a line.
    assert found.replace("\n", "") == "".join(LINES)
    if not (reader is pdfium and rotation):
        assert found.split() == list(LINES)


def test_jpeg_goes_in_byte_for_byte(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.jpg")
    made = assemble(plan_of(page), tmp_path / "out.pdf")
    with pikepdf.open(made.path) as pdf:
        raw = pdf.pages[FIRST_SCAN - 1].Resources.XObject.Scan.read_raw_bytes()
    assert raw == page.path.read_bytes()
    subprocess.run(
        ["pdfimages", "-all", "-f", "3", "-l", "3", str(made.path), str(tmp_path / "x")], check=True
    )
    extracted = next(tmp_path.glob("x-*.jpg"))
    assert hashlib.sha256(extracted.read_bytes()).hexdigest() == page.sha256


@pytest.mark.parametrize(
    ("name", "mode", "filter_name"),
    [
        ("a.png", "1", "/CCITTFaxDecode"),
        ("a.tif", "1", "/CCITTFaxDecode"),
        ("a.png", "L", "/FlateDecode"),
        ("a.png", "RGB", "/FlateDecode"),
    ],
)
def test_other_pictures_go_in_without_loss(tmp_path: Path, name: str, mode: str, filter_name: str) -> None:
    page = draw_page(tmp_path / name, mode=mode)
    made = assemble(plan_of(page), tmp_path / "out.pdf")
    with pikepdf.open(made.path) as pdf:
        scan = pdf.pages[FIRST_SCAN - 1].Resources.XObject.Scan
        assert isinstance(scan, pikepdf.Stream)
        assert scan.Filter == filter_name
        shown = pikepdf.PdfImage(scan).as_pil_image().convert(mode)
    with Image.open(page.path) as original:
        assert shown.tobytes() == original.convert(mode).tobytes()
    assert_pdfa(made.path)


def test_odd_pictures_become_srgb_and_the_original_travels_along(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (300, 200), (200, 0, 0, 128)).save(path)
    page = replace(
        draw_page(tmp_path / "b.png"),
        path=path,
        width=300,
        height=200,
        lines=(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    made = assemble(plan_of(page), tmp_path / "out.pdf")
    with pikepdf.open(made.path) as pdf:
        names = [name for name in pdf.attachments if name != "manifest.json"]
        assert pdf.attachments[names[0]].get_file().read_bytes() == path.read_bytes()
    assert_pdfa(made.path)


def test_pages_stand_upright_at_true_size(tmp_path: Path) -> None:
    tall = draw_page(tmp_path / "a.jpg")
    turned = draw_page(tmp_path / "b.jpg", rotation=90)
    wide = replace(draw_page(tmp_path / "c.jpg", rotation=90), rotation=0, lines=())
    made = assemble(plan_of(tall, turned, wide), tmp_path / "out.pdf")
    document = pypdfium2.PdfDocument(made.path)
    sizes = [tuple(round(edge) for edge in document[index].get_size()) for index in (2, 3, 4)]
    document.close()
    assert sizes == [(595, 842), (595, 842), (842, 595)]
    with pikepdf.open(made.path) as pdf:
        content = pdf.pages[2].Contents.read_bytes().decode("latin-1")
    assert float(content.split("q ")[1].split()[0]) == pytest.approx(1240 * 72 / 150, abs=0.1)


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.jpg")
    first = assemble(plan_of(page), tmp_path / "1.pdf")
    second = assemble(plan_of(page), tmp_path / "2.pdf")
    other = assemble(plan_of(page, version=2), tmp_path / "3.pdf")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()
    assert other.sha256 != first.sha256


def test_contents_outline_labels_and_language(tmp_path: Path) -> None:
    name = "法定代表人、董事、监事以及经理的任职文件和身份证件复印件" * 3
    pages = [draw_page(tmp_path / f"{index}.jpg", lines=()) for index in range(3)]
    materials = (MaterialPlan("申请表", tuple(pages[:2])), MaterialPlan(name, (pages[2],)))
    made = assemble(plan_of(materials=materials), tmp_path / "out.pdf")
    with pikepdf.open(made.path) as pdf:
        assert str(pdf.Root.Lang) == "zh-CN"
        with pdf.open_outline() as outline:
            titles = [item.title for item in outline.root]
            material_titles = [kid.title for item in outline.root for kid in item.children]
        labels = [str(page.label) for page in pdf.pages]
        links = [note for note in pdf.pages[1].Annots if note.Subtype == "/Link"]
        targets = [pdf.pages.index(pikepdf.Page(link.Dest[0])) + 1 for link in links]
        with pdf.open_metadata() as metadata:
            assert "330681-2026-000001" in metadata["dc:title"]
            assert metadata["dc:identifier"] == "330681-2026-000001"
        alternatives = [str(item.Alt) for item in _elements(pdf.Root.StructTreeRoot) if "/Alt" in item]
    assert titles == ["封面", "目录", "申请材料", "办理记录"]
    assert material_titles == ["申请表", name]
    assert labels == ["封面", "目录1", "1", "2", "3", "4"]
    assert targets == [3, 3, 5, 6]
    assert "申请表 第 2 页，共 2 页" in alternatives
    assert name in pdftotext(made.path, 2).replace("\n", "")
    assert_pdfa(made.path)


def _elements(node: Any) -> Iterator[Any]:
    kids = node.get("/K")
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from _elements(kid)


def test_slips_become_pages(tmp_path: Path) -> None:
    slip = assemble(plan_of(), tmp_path / "slip.pdf")
    page = draw_page(tmp_path / "a.jpg")
    plan = plan_of(page, slips=(SlipPlan("收件凭证", slip.path, "通办收字〔2026〕00001号"),))
    made = assemble(plan, tmp_path / "out.pdf")
    assert "办件卷宗" in pdftotext(made.path, 3)
    assert "通办收字〔2026〕00001号" in pdftotext(made.path, 2)
    assert_pdfa(made.path)


def test_manifest_names_every_page_and_its_hash(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.jpg")
    original = tmp_path / "photo.heic"
    original.write_bytes(b"not looked into here")
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    plan = plan_of(page, originals=(OriginalPlan("photo.heic", original, "image/heic", digest),))
    made = assemble(plan, tmp_path / "out.pdf")
    with pikepdf.open(made.path) as pdf:
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
        relations = {str(item.UF): str(item.AFRelationship) for item in pdf.Root.AF}
    scan = manifest["pages"][2]
    assert manifest["schema"] == "tongban-dossier/1"
    assert [entry["kind"] for entry in manifest["pages"]] == ["cover", "contents", "material", "record"]
    assert scan["image"]["sha256"] == scan["image"]["stream_sha256"] == page.sha256
    assert scan["image"]["reading"]["lines"] == len(LINES)
    assert relations == {"manifest.json": "/Data", "photo.heic": "/Source"}
    assert plan.applicant not in json.dumps(manifest, ensure_ascii=False)


def test_a_page_that_is_not_what_was_captured_stops_everything(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.jpg")
    page.path.write_bytes(page.path.read_bytes()[:-2] + b"xx")
    with pytest.raises(PageDamaged):
        assemble(plan_of(page), tmp_path / "out.pdf")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", hostile.png_of(60_000, 60_000)),
        ("a.png", hostile.png_of(3000, 3000)),
        ("a.jpg", b"\xff\xd8\xff\xe0 no picture"),
        ("a.jpg", b"GIF89a" + bytes(40)),
    ],
)
def test_a_bomb_in_a_pages_place_stops_everything_and_is_opened_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    page = draw_page(tmp_path / name)
    page.path.write_bytes(content)
    page = replace(page, sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(PageDamaged) as stopped:
        assemble(plan_of(page), tmp_path / "out.pdf")
    assert stopped.value.message.endswith("。")


def test_a_sheet_of_a_hundred_million_pixels_goes_in(tmp_path: Path) -> None:
    path = tmp_path / "sheet.jpg"
    Image.new("L", (12_000, 9_000), 250).save(path, quality=60)
    page = replace(
        draw_page(tmp_path / "a.jpg", lines=()),
        path=path,
        width=12_000,
        height=9_000,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    made = assemble(plan_of(page), tmp_path / "out.pdf")
    with pikepdf.open(made.path) as pdf:
        assert pdf.pages[FIRST_SCAN - 1].Resources.XObject.Scan.read_raw_bytes() == path.read_bytes()


def test_rare_and_hostile_characters_do_not_break_the_pages(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.jpg", lines=())
    plan = plan_of(page, applicant="㙟𠮷\U0002ebf0公司（）()\\", item="长" * 400)
    made = assemble(plan, tmp_path / "out.pdf")
    subprocess.run(["qpdf", "--check", str(made.path)], check=True, capture_output=True)
    assert_pdfa(made.path)


PROBE = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from dossier.assemble import assemble
from tests.ingest import hostile
from tests.dossier.paper import draw_page, plan_of
folder = Path(sys.argv[1])
page = draw_page(folder / "a.jpg", dpi=150)
big = folder / "big.jpg"
from PIL import Image
import hashlib, random
Image.frombytes("RGB", (1240, 1754), random.Random(1).randbytes(1240 * 1754 * 3)).save(big, quality=90)
page = replace(page, path=big, sha256=hashlib.sha256(big.read_bytes()).hexdigest())
made = assemble(plan_of(*[page] * int(sys.argv[2])), folder / "out.pdf")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, made.size)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    def peak(pages: int) -> tuple[int, int]:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, str(tmp_path), str(pages)],
            capture_output=True,
            text=True,
            check=True,
        )
        kilobytes, size = done.stdout.split()
        return int(kilobytes), int(size)

    small, _ = peak(2)
    large, size = peak(80)
    assert size > 100 << 20
    assert large - small < 15 << 10


LONG = "中国（浙江）自由贸易试验区舟山片区某某国际贸易与供应链管理股份有限公司台州湾经济技术开发区分公司第二项目管理部（筹）"


@pytest.mark.parametrize("facts", [2, 14])
def test_long_names_wrap_within_the_cover(tmp_path: Path, facts: int) -> None:
    """Every character of every value stands on the page, inside its margins, and on no other."""
    latin = "Zhuji-Jiyang International Architecture and Engineering Consultants (Holding) Co., Ltd."
    names = {"item": LONG * 2, "applicant": f"{LONG}{latin}", "office": LONG, "window": LONG}
    told = tuple((f"情况{number}", LONG[: 20 + 3 * number]) for number in range(facts))
    made = assemble(plan_of(draw_page(tmp_path / "a.jpg"), facts=told, **names), tmp_path / "out.pdf")
    document = pypdfium2.PdfDocument(made.path)
    text = document[0].get_textpage()
    whole = text.get_text_range()
    boxes = [text.get_charbox(place) for place in range(text.count_chars()) if not whole[place].isspace()]
    document.close()
    found = "".join(whole.split())
    for value in (*names.values(), *(value for _, value in told)):
        assert "".join(value.split()) in found
    for left, bottom, right, top in boxes:
        assert 60 < left < right < 595.3 - 60
        assert 20 < bottom < top < 841.9 - 20
    middles = sorted(((round((top + bottom) / 2), (left + right) / 2) for left, bottom, right, top in boxes))
    assert all(abs(one[0] - other[0]) > 3 or abs(one[1] - other[1]) > 1.5 for one, other in pairwise(middles))
