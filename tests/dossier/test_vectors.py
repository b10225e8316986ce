"""Pages of uploaded PDFs that stay what they are: sharp, archival, searchable, and no other font can be slipped in."""

import json
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
import weasyprint
from pikepdf import Name

from dossier.assemble import assemble
from dossier.contents import PagePlan, TextLine, VectorPlan
from dossier.own_text import keep_own, own_count
from dossier.verify.pages import compare
from ingest.inspect import inspect_file
from tests.dossier.paper import MADE, plan_of
from tests.dossier.test_assemble import mutool, pdfium, pdftotext
from tests.verapdf import assert_pdfa

SAID = ("企业情况说明", "统一社会信用代码 91331000MA2XW00000", "附表一：在建工程", "合计 12.00 万元")
FIRST = 3
"""The first captured page: behind cover and contents."""


def office_document(path: Path, *, style: str = "") -> Path:
    """Two pages of text and a table with rules and a coloured heading."""
    body = (
        f"<h1>{SAID[0]}</h1><p>{SAID[1]}</p><h2 style='break-before:page'>{SAID[2]}</h2>"
        f"<table border=1><tr><td>{SAID[3]}</td></tr></table>"
    )
    sheet = f"@page{{size:A4}} body{{font:14pt 'Noto Sans CJK SC'}} h1{{color:#0d5a61}} {style}"
    weasyprint.HTML(string=f"<style>{sheet}</style>{body}").write_pdf(path)
    return path


def plans(path: Path, folder: Path) -> list[PagePlan]:
    found = inspect_file(path, folder)
    assert not found.refused, found.reason
    return [
        PagePlan(
            path=page.path,
            media_type=page.media_type,
            sha256=page.sha256,
            width=page.width,
            height=page.height,
            dpi=page.dpi or 0,
            rotation=page.rotation,
            captured_at=MADE,
            lines=keep_own(page.text, [TextLine("图片里的字", ((9, 9), (99, 9), (99, 30), (9, 30)), 0.9)]),
            own_lines=own_count(page.text),
            vector=VectorPlan(found.vectors, page.vector)
            if found.vectors and page.vector is not None
            else None,
        )
        for page in found.pages
    ]


def dossier(path: Path, tmp_path: Path) -> Path:
    pages = plans(path, tmp_path / "pages")
    return assemble(plan_of(*pages), tmp_path / "dossier.pdf").path


def encodings(path: Path) -> list[str]:
    with pikepdf.open(path) as pdf:
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
    return [page["image"]["encoding"] for page in manifest["pages"] if "image" in page]


def test_an_office_document_stays_what_it_is(tmp_path: Path) -> None:
    made = dossier(office_document(tmp_path / "a.pdf"), tmp_path)
    assert encodings(made) == ["Form", "Form"]
    assert_pdfa(made)
    for reader in (pdftotext, mutool, pdfium):
        assert [line in reader(made, FIRST) for line in (*SAID[:2], "图片里的字")] == [True] * 3
        assert [line in reader(made, FIRST + 1) for line in SAID[2:]] == [True] * 2
        assert reader(made, FIRST).count(SAID[1]) == 1, "said by the page itself and not once more by a layer"
    assert compare(made).problems == []


def test_its_pages_share_their_fonts_and_weigh_less_than_pictures(tmp_path: Path) -> None:
    made = dossier(office_document(tmp_path / "a.pdf"), tmp_path)
    with pikepdf.open(made) as pdf:
        fonts = [
            {font.objgen for font in page.Resources.XObject.Scan.Resources.Font.values()}
            for page in list(pdf.pages)[FIRST - 1 : FIRST + 1]
        ]
    assert fonts[0] & fonts[1]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_stands_upright(tmp_path: Path, turn: int) -> None:
    source = office_document(tmp_path / "a.pdf")
    with pikepdf.open(source, allow_overwriting_input=True) as pdf:
        for page in pdf.pages:
            page.Rotate = turn
            page.CropBox = pikepdf.Array([20, 30, 580, 800])
        pdf.save()
    made = dossier(source, tmp_path)
    assert encodings(made) == ["Form", "Form"]
    assert_pdfa(made)
    assert SAID[1] in pdfium(made, FIRST)


def test_another_font_under_the_same_page_is_found(tmp_path: Path) -> None:
    """The drawing instructions are as they were; only what a glyph looks like was exchanged."""
    made = dossier(office_document(tmp_path / "a.pdf"), tmp_path)
    forged = tmp_path / "forged.pdf"
    with pikepdf.open(made) as pdf:
        scan = pdf.pages[FIRST - 1].Resources.XObject.Scan
        font = next(iter(scan.Resources.Font.values()))
        descriptor = font.DescendantFonts[0].FontDescriptor
        key = Name.FontFile3 if Name.FontFile3 in descriptor else Name.FontFile2
        program = bytearray(descriptor[key].read_bytes())
        program[-1] ^= 1
        descriptor[key].write(bytes(program))
        pdf.save(forged)
    assert [problem for problem in compare(forged).problems if "字体" in problem] != []


def test_the_same_upload_gives_the_same_bytes(tmp_path: Path) -> None:
    source = office_document(tmp_path / "a.pdf")
    made = [
        assemble(plan_of(*plans(source, tmp_path / name)), tmp_path / f"{name}.pdf").sha256 for name in "xy"
    ]
    assert made[0] == made[1]


def add(pdf: pikepdf.Pdf, page: pikepdf.Page, content: bytes) -> None:
    page.contents_coalesce()
    page.Contents = pdf.make_stream(page.Contents.read_bytes() + b"\n" + content)


def descendants(page: pikepdf.Page) -> list[pikepdf.Object]:
    return [font.DescendantFonts[0] for _, font in page.Resources.Font.items()]


def without_programs(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    for descendant in descendants(page):
        for key in (Name.FontFile2, Name.FontFile3):
            if key in descendant.FontDescriptor:
                del descendant.FontDescriptor[key]


def without_meanings(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    for font in page.Resources.Font.values():
        del font.ToUnicode


def with_other_widths(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    for descendant in descendants(page):
        descendant.W = pikepdf.Array([])
        descendant.DW = 333


def with_printing_ink(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    add(pdf, page, b"0 0 0 1 k 10 10 5 5 re f")


def with_an_unknown_operator(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    add(pdf, page, b"BX sparkle EX")


def with_a_blend_mode(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    page.Resources.ExtGState = pikepdf.Dictionary(X=pikepdf.Dictionary(BM=Name.Multiply))
    add(pdf, page, b"/X gs")


def with_jpeg_2000(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    image = pikepdf.Stream(
        pdf,
        b"",
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=1,
        Height=1,
        BitsPerComponent=8,
        ColorSpace=Name.DeviceGray,
    )
    image.write(b"\x00\x00\x00\x0cjP  ", filter=Name.JPXDecode)
    page.Resources.XObject = pikepdf.Dictionary(L=pdf.make_indirect(image))
    add(pdf, page, b"q 1 0 0 1 0 0 cm /L Do Q")


def with_a_layer(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    group = pdf.make_indirect(pikepdf.Dictionary(Type=Name.OCG, Name="x"))
    page.Resources.Properties = pikepdf.Dictionary(L=group)
    add(pdf, page, b"/OC /L BDC 0 0 5 5 re f EMC")


def with_a_note(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    note = pikepdf.Dictionary(
        Type=Name.Annot, Subtype=Name.Square, Rect=pikepdf.Array([0, 0, 99, 99]), Contents="x"
    )
    page.Annots = pikepdf.Array([pdf.make_indirect(note)])


def with_an_open_state(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    add(pdf, page, b"Q Q q")


@pytest.mark.parametrize(
    "change",
    [
        without_programs, without_meanings, with_other_widths, with_printing_ink, with_an_unknown_operator,
        with_a_blend_mode, with_jpeg_2000, with_a_layer, with_a_note, with_an_open_state,
    ],
)  # fmt: skip
def test_any_doubt_makes_a_picture_of_that_page_alone(
    tmp_path: Path, change: Callable[[pikepdf.Pdf, pikepdf.Page], None]
) -> None:
    source = tmp_path / "doubt.pdf"
    clean = office_document(tmp_path / "a.pdf")
    with pikepdf.open(clean) as doubtful, pikepdf.open(clean) as good:
        change(doubtful, doubtful.pages[0])
        doubtful.pages.append(good.pages[1])
        del doubtful.pages[1]
        doubtful.save(source)
    found = inspect_file(source, tmp_path / "pages")
    assert [page.vector for page in found.pages] == [None, 0]
    assert all(page.source == "rendered" for page in found.pages)
