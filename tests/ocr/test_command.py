"""`manage.py ocr`: what it writes, says and exits with."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from ocr.engines.tesseract import Tesseract
from tests.ocr.paper import IDENTITY, LETTER, Paper


def run(*arguments: str | Path) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("ocr", *(str(argument) for argument in arguments), stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def details(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_a_scan_becomes_text_and_places(tmp_path: Path) -> None:
    scan = Paper().letter().write(200, 900, f"身份证号：{IDENTITY}").save(tmp_path / "scan.jpg", lies=180)
    code, said = run(scan, "-o", tmp_path / "out")

    assert code == 0
    assert "scan.jpg: 1 pages, 6 lines, 0 uncertain" in said
    text = (tmp_path / "out" / "scan.txt").read_text()
    assert text.replace(",", "，").splitlines()[:5] == list(LETTER)
    document = details(tmp_path / "out" / "scan.json")
    assert document["angle"] == 180
    assert document["engine"]["name"] == "rapidocr"
    assert document["lines"][0]["text"] == LETTER[0]
    assert [field["value"] for field in document["fields"]] == [IDENTITY]
    page = document["pages"][0]
    assert (page["width"], page["height"]) == (1654, 2339)
    assert all(0 <= x <= 1654 and 0 <= y <= 2339 for line in document["lines"] for x, y in line["box"])


def test_pages_of_one_file_are_sections(tmp_path: Path) -> None:
    pages = [Paper().write(200, 200, text).image for text in ("第一页内容", "第二页内容", "第三页内容")]
    pages[0].save(tmp_path / "fax.tif", save_all=True, append_images=pages[1:])
    code, _said = run(tmp_path / "fax.tif", "-o", tmp_path / "out", "--jobs", "2")

    assert code == 0
    assert (tmp_path / "out" / "fax.txt").read_text() == "第一页内容\n\f第二页内容\n\f第三页内容\n"
    assert [line["page"] for line in details(tmp_path / "out" / "fax.json")["lines"]] == [1, 2, 3]


def test_a_refused_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    scan = Paper().letter().save(tmp_path / "scan.png")
    (tmp_path / "letter.pdf").write_text("this is no PDF")
    code, said = run(tmp_path / "letter.pdf", scan, tmp_path / "absent.jpg", "-o", tmp_path / "out", "--json")

    report = json.loads(said)
    assert code == 1
    assert [entry["verdict"] for entry in report] == ["refused", "accepted", "refused"]
    assert all(entry["reason"].endswith("。") for entry in report if entry["verdict"] == "refused")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scan.json", "scan.txt"]


def test_files_of_the_same_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for ending in ("png", "jpg"):
        Paper().write(200, 200, f"文件{ending}").save(tmp_path / f"scan.{ending}")
    (tmp_path / "more").mkdir()
    Paper().write(200, 200, "另一文件").save(tmp_path / "more" / "scan.jpg")
    run(tmp_path / "scan.png", tmp_path / "scan.jpg", tmp_path / "more" / "scan.jpg", "-o", tmp_path / "out")

    names = {path.name: path.read_text() for path in (tmp_path / "out").glob("*.txt")}
    assert names == {"scan.txt": "文件png\n", "scan.jpg.txt": "文件jpg\n", "scan.jpg.2.txt": "另一文件\n"}


def test_an_empty_page_is_read_as_empty(tmp_path: Path) -> None:
    Image.new("L", (800, 1100), 250).save(tmp_path / "blank.png")
    code, _said = run(tmp_path / "blank.png", "-o", tmp_path / "out")

    assert code == 0
    assert (tmp_path / "out" / "blank.txt").read_text() == "\n"


def test_the_other_engine(tmp_path: Path) -> None:
    scan = Paper().letter().save(tmp_path / "scan.png")
    code, _said = run(scan, "-o", tmp_path / "out", "--engine", "tesseract")

    assert code == 0
    assert details(tmp_path / "out" / "scan.json")["engine"]["name"] == "tesseract"
    assert LETTER[0] in (tmp_path / "out" / "scan.txt").read_text()


def test_an_output_that_is_a_file_ends_with_two(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(CommandError) as error:
        run(tmp_path / "scan.png", "-o", tmp_path / "out")

    assert error.value.returncode == 2


def test_an_engine_that_is_not_installed_ends_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytesseract.pytesseract.tesseract_cmd", str(tmp_path / "absent"))
    scan = Paper().letter().save(tmp_path / "scan.png")
    with pytest.raises(CommandError) as error:
        run(scan, "-o", tmp_path / "out", "--engine", "tesseract")

    assert error.value.returncode == 2
    assert Tesseract.name == "tesseract"
