"""A PDF that arrives with its own text keeps it, letter by letter, whatever the reader made of its picture."""

import json
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import weasyprint
from django.core.management import call_command

from dossier.contents import Box, TextLine
from dossier.own_text import keep_own
from dossier.services import build
from ingest.inspect import TextLine as OwnLine
from ingest.models import Handling, Page
from ingest.services.intake import submit
from ingest.uploads import receive_file
from ocr.models import Reading
from registry.actors import SYSTEM
from tests.cast import NOW, Cast, open_case
from tests.dossier.cases import LATER, file_of
from tests.dossier.test_assemble import mutool, pdfium, pdftotext
from tests.ingest.paper import look_at_handler
from tests.verapdf import assert_pdfa

SAID = ("建筑业企业资质变更承诺书", "统一社会信用代码：91330681MA2XW00000", "承诺人：诸暨市暨通建筑有限公司")


def letter(path: Path) -> Path:
    """What an office program exports."""
    body = "".join(f"<p>{line}</p>" for line in SAID)
    style = "@page{size:A4;margin:25mm} body{font:14pt 'Noto Serif CJK SC'} p{margin:0 0 12mm}"
    weasyprint.HTML(string=f"<style>{style}</style>{body}").write_pdf(path)
    return path


def box(left: float, top: float, right: float, bottom: float) -> Box:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def test_what_was_read_adds_only_what_the_page_does_not_say() -> None:
    own = [OwnLine("自带的一行", (100, 100, 500, 140)), OwnLine("  ", (0, 0, 9, 9))]
    misread = TextLine("自帯的—行", box(98, 96, 505, 144), 0.8)
    picture = TextLine("图片里的字", box(100, 600, 400, 640), 0.9)
    kept = keep_own(own, [misread, picture])
    assert [line.text for line in kept] == ["自带的一行", "图片里的字"]
    assert kept[0].box == box(100, 100, 500, 140)
    assert keep_own([], [misread]) == (misread,)


def misread(page: Page, *lines: tuple[str, Box]) -> None:
    row: dict[str, Any] = {"confidence": 0.7, "row": 0, "seal": False, "vertical": False, "chars": []}
    Reading.objects.create(
        page=page,
        engine="test",
        engine_version="1",
        settings_digest="x",
        precision="exact",
        lines=[{"text": text, "box": place, **row} for text, place in lines],
        line_count=len(lines),
        seconds=0,
        read_at=NOW,
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
def test_the_dossier_carries_the_pdf_s_own_words(cast: Cast, tmp_path: Path) -> None:
    case = open_case(cast)
    for number, material in enumerate(case.materials.select_related("requirement")):
        for copy in range(max(1, material.requirement.minimum_pages)):
            path = letter(tmp_path / f"{number}-{copy}.pdf")
            with pikepdf.open(path) as pdf:  # another file each time
                pdf.docinfo["/Subject"] = f"{number}-{copy}"
                pdf.save(tmp_path / f"{number}-{copy}-own.pdf")
            receive_file(
                case=case,
                material=material,
                path=tmp_path / f"{number}-{copy}-own.pdf",
                original_name="承诺书.pdf",
                actor=cast.clerk,
                now=NOW,
            )
    for page in case.pages.all():
        assert page.own_text
        across = (page.width * 0.1, page.width * 0.95)
        below = box(across[0], page.height * 0.8, across[1], page.height * 0.83)
        over = box(page.width * 0.12, page.height * 0.085, page.width * 0.5, page.height * 0.108)
        misread(page, ("建筑业企业资贡变更", over), ("图片里的字", below))
    look_at_handler(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    handling = Handling.objects.select_related("case__window", "case__item", "office").get(case=case)
    dossier = build(handling=handling, version=1, actor=SYSTEM, now=LATER)

    path = file_of(dossier, tmp_path)
    page_number = dossier.leaves[0][1]
    for reader in (pdftotext, mutool, pdfium):
        text = reader(path, page_number)
        assert [line in text for line in (*SAID, "图片里的字")] == [True] * 4
        assert "资贡" not in text
    with pikepdf.open(path) as pdf:
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
    image = manifest["pages"][page_number - 1]["image"]
    assert image["encoding"] == "Form", "the page itself is in the dossier, not a picture of it"
    reading = image["reading"]
    assert (reading["own_lines"], reading["lines"]) == (3, 4)
    assert reading["mean_confidence"] == 0.7
    assert reading["corrections"] == [Page.Source.RENDERED.label]
    assert_pdfa(path)


def test_the_command_keeps_them_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    with pytest.raises(SystemExit) as ended:
        call_command(
            "dossier", str(letter(tmp_path / "a.pdf")), "-o", str(out), "--jobs", "1", "--sign", "none"
        )
    assert ended.value.code == 0, capsys.readouterr().out
    found = pdftotext(out, 3)
    assert [line for line in SAID if line not in found] == []
