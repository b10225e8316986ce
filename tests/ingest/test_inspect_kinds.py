"""What is turned away at the door, and with which words."""

import zipfile
from pathlib import Path

import pytest

from ingest.inspect.kinds import media_type_of
from ingest.inspect.sentences import REFUSALS, refusal
from ingest.inspect.unacceptable import Unacceptable
from tests.ingest import hostile
from tests.ingest.conftest import Inspect


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.pdf", b"", "empty"),
        ("letter.pdf", "这不是 PDF。\n".encode(), "text_file"),
        ("page.pdf", b"<!doctype html><p>hello</p>", "text_file"),
        ("moving.gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "gif"),
        ("huge.gif", b"GIF89a\xff\xff\xff\xff\x80\x00\x00", "too_many_pixels"),
        ("paint.bmp", b"BM" + bytes(60), "bmp"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "office_document"),
        ("tool.exe", b"MZ" + bytes(600), "program"),
        ("clip.mp4", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "video"),
        ("new.avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "avif"),
        ("noise.jpg", bytes(range(1, 200)) * 3, "unknown_type"),
        ("junk-before.pdf", b"\0\0\0\0%PDF-1.4\n", "unknown_type"),
        ("tiny.jpg", b"\xff\xd8\xff", "truncated"),
        ("header.pdf", b"%PDF-1.7\n%%EOF\n", "not_a_pdf"),
    ],
)
def test_it_is_refused_with_a_sentence(
    tmp_path: Path, inspect: Inspect, name: str, data: bytes, code: str
) -> None:
    found = inspect(written(tmp_path / name, data))
    assert (found.verdict, found.code, found.pages) == ("refused", code, ())
    assert found.reason.endswith("。")


def test_office_and_ofd_and_plain_archives_are_told_apart(tmp_path: Path, inspect: Inspect) -> None:
    def packed(name: str, inside: str) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inside, "x")
        return tmp_path / name

    assert inspect(packed("a.docx", "[Content_Types].xml")).code == "office_document"
    assert inspect(packed("a.ofd", "OFD.xml")).code == "ofd"
    assert inspect(packed("a.zip", "scan.jpg")).code == "archive"


def test_two_files_in_one_are_refused(tmp_path: Path, inspect: Inspect) -> None:
    assert inspect(hostile.jpeg_and_zip(tmp_path / "zip.jpg")).code == "polyglot"
    assert inspect(hostile.jpeg_and_pdf(tmp_path / "pdf.jpg")).code == "polyglot"


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path, inspect: Inspect) -> None:
    assert inspect(tmp_path / "nothing.pdf").code == "missing"


def test_every_sentence_says_what_to_do() -> None:
    figures: dict[str, int | str] = {
        "other": "ZIP",
        "megabytes": 9,
        "limit": 8,
        "width": 1,
        "height": 1,
        "pages": 2,
        "frames": 2,
    }
    for code in REFUSALS:
        said = refusal(code, figures)
        assert said.endswith("。")
        assert "请" in said or code == "program"
        assert "{" not in said


def test_a_refusal_names_the_page_it_is_about() -> None:
    assert refusal("page_unreadable", {"page": 3}).startswith("第 3 页：")


def test_heic_brands_beside_avif_ones_stay_heic() -> None:
    assert media_type_of(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf") == "image/heic"
    with pytest.raises(Unacceptable):
        media_type_of(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf")
