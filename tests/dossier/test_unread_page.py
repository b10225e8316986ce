"""A page that could not be read is in the dossier as its picture, and the dossier says so to eyes, ears and programs."""

import json
from pathlib import Path

import pikepdf
import pytest

from dossier.services import build, check_file
from ingest.models import Handling
from ocr.models import Reading
from ocr.services import keep_unread
from registry.actors import SYSTEM
from tests.cast import NOW
from tests.dossier.cases import LATER, file_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects", "tampering")]


@pytest.mark.parametrize("given_up", [True, False])
def test_it_is_a_picture_and_marked_so(given_up: bool, handling: Handling, tmp_path: Path) -> None:
    """Whether its reading was given up, or nobody has come to it yet."""
    page = handling.case.pages.order_by("material__position", "position")[0]
    material = page.material
    assert material is not None
    Reading.objects.filter(page=page).delete()
    if given_up:
        keep_unread(page=page, engine="rapidocr", attempt=1, why="worker_lost", actor=SYSTEM, now=NOW)
    dossier = build(handling=handling, version=1, actor=SYSTEM, now=LATER)

    path, leaf = file_of(dossier, tmp_path), dossier.leaves[0][1]
    assert check_file(path=path, dossier=dossier).is_valid
    with pikepdf.open(path) as pdf:
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
        told = [
            str(each.Alt) for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and "/Alt" in each
        ]
        assert len(pdf.pages[leaf - 1].get_images()) == 1
    images = [entry["image"] for entry in manifest["pages"] if "image" in entry]
    assert [image["sha256"] for image in images if image["reading"]["unreadable"]] == [page.sha256]
    assert [words for words in told if words.endswith("（文字未能识读）")] == [
        f"{material.name} 第 1 页，共 {material.pages.count()} 页（文字未能识读）"
    ]
