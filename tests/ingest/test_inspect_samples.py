"""Other people's files: each ends as its row in the manifest says, within its time and memory."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from ingest.inspect import Inspection, Pool, inspect_file
from ingest.inspect.limits import CHILD_MEMORY_BYTES
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

SAMPLES = SHARED / "samples"
SECONDS = 10.0

KINDS = {"pdf-awkward", "image-awkward", "ocr-chinese", "ocr-latin", "qr", "pdf-signed"}

CODES = {
    "pikepdf__graph-encrypted.pdf": "locked",
    "paperless__password-is-test.pdf": "locked",
    "pyhanko__minimal-aes256.pdf": "locked",
    "pyhanko__minimal-pubkey-aes256.pdf": "locked_to_certificate",
    "pdfjs__issue6010_2.pdf": "locked",
    "ocrmypdf__hugemono.pdf": "too_many_pixels",
    "pikepdf__newline-buffer-test.pdf": "no_pages",
    "pillow__decompression_bomb.gif": "too_many_pixels",
    "pillow__truncated_jpeg.jpg": "truncated",
    "pillow__truncated_image.png": "truncated",
    "pillow__png_decompression_dos.png": "metadata_bomb",
}
PASSWORDS = {
    "pikepdf__graph-encrypted.pdf": "user",
    "paperless__password-is-test.pdf": "test",
    "pyhanko__minimal-aes256.pdf": "usersecret",
    "pdfjs__issue6010_2.pdf": "æøå",
}
REMOVED = {
    "pikepdf__form_dd0293.pdf": ["JavaScript", "XFA"],
    "pikepdf__form_210966.pdf": ["JavaScript", "XFA"],
    "pdfjs__js-buttons.pdf": ["JavaScript"],
    "pdfjs__autoprint.pdf": ["JavaScript"],
    "pdfjs__issue17846.pdf": ["Launch"],
    "pdfjs__attachment.pdf": ["附件"],
    "pillowheif__xiaomi.heic": ["GPS"],
}
PAGES = {
    "pdfjs__scan-bad.pdf": 1,
    "pdfjs__rotation.pdf": 2,
    "ocrmypdf__cardinal.pdf": 4,
    "paperless__multi-page-mixed.pdf": 6,
    "paperless__multi-page-images.tiff": 3,
    "pillow__multipage.tiff": 3,
    "pillow__multipage_single_frame_loop.tiff": 1,
    "pillow__frozenpond.mpo": 1,
    "pillowheif__empty_icc.heic": 1,
    "pdfjs__boundingBox_invalid.pdf": 3,
}
TURNED = {
    "pillow__hopper_orientation_3.jpg": 180,
    "pillow__hopper_orientation_6.jpg": 90,
    "pillow__exif_imagemagick_orientation.png": 180,
    "rapidocr__img_exif_orientation.jpg": 180,
}


def rows() -> list[dict[str, Any]]:
    manifest = SAMPLES / "manifest.json"
    if not manifest.is_file():
        return []
    listed: list[dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))
    return [row for row in listed if row["kind"] in KINDS]


def allowed(row: dict[str, Any]) -> set[str]:
    """The verdicts that the manifest's sentence permits."""
    if row["kind"] == "pdf-signed":
        return {"accepted", "repaired", "refused"}  # what the signatures are worth is judged elsewhere
    if row["kind"] == "qr":
        return {"accepted"}
    said = (row.get("expected") or row["handling"]).lower()
    if said.startswith("accept after repair"):
        return {"repaired"}
    verdicts = set()
    if said.startswith("refuse"):
        verdicts = {"refused"}
        if re.search(r"\bor (accept|repair|first frame)|\(or (accept|repair)", said):
            verdicts |= {"accepted", "repaired"}
    elif said.startswith("accept"):
        verdicts = {"accepted", "repaired"}
        if re.search(r"\b(or|else) refuse|may be refused", said):
            verdicts.add("refused")
    assert verdicts, f"no rule for: {said}"
    return verdicts


@pytest.fixture(scope="module")
def children() -> Any:
    pool = Pool(size=1)
    yield pool
    pool.close()


def look(name: str, folder: Path, children: Pool, password: str | None = None) -> Inspection:
    return inspect_file(SAMPLES / name, folder, password=password, pool=children)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_it_ends_as_the_manifest_says(row: dict[str, Any], tmp_path: Path, children: Pool) -> None:
    name = Path(row["file"]).name
    begun = time.monotonic()
    found = look(row["file"], tmp_path, children)
    assert time.monotonic() - begun < SECONDS
    for pid in children.idle_pids():
        status = Path(f"/proc/{pid}/status").read_text()
        peak = re.search(r"VmPeak:\s+(\d+) kB", status)
        assert peak is not None
        assert int(peak[1]) * 1024 <= CHILD_MEMORY_BYTES
    assert found.verdict in allowed(row), found.reason
    assert found.reason.endswith("。")
    assert bool(found.pages) != found.refused
    if found.refused:
        assert list(tmp_path.iterdir()) == []
    if name in CODES:
        assert found.code == CODES[name]
    if name in PAGES:
        assert len(found.pages) == PAGES[name]
    if name in TURNED:
        assert found.pages[0].rotation == TURNED[name]
    for what in REMOVED.get(name, []):
        assert any(what in one for one in found.removed), found.removed


@pytest.mark.parametrize(("name", "password"), PASSWORDS.items())
def test_the_right_password_opens_it(name: str, password: str, tmp_path: Path, children: Pool) -> None:
    assert look(f"pdf-awkward/{name}", tmp_path, children, password).verdict != "refused"


def test_first_frames_are_said_to_be_first_frames(tmp_path: Path, children: Pool) -> None:
    assert "第一帧" in look("image-awkward/pillow__delay.png", tmp_path, children).reason


def test_restrictions_of_a_protected_file_are_mentioned(tmp_path: Path, children: Pool) -> None:
    assert "限制" in look("pdf-awkward/pdfjs__empty_protected.pdf", tmp_path, children).reason


def test_no_page_carries_a_position_on(tmp_path: Path, children: Pool) -> None:
    for page in look("image-awkward/pillowheif__xiaomi.heic", tmp_path, children).pages:
        data = page.path.read_bytes()
        assert b"Exif" not in data
        assert b"eXIf" not in data
