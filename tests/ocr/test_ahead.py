"""Pages for readers in other processes are unpacked by the warm child that has just inspected them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest.inspect import PageImage, Unpacked, inspect_file, shared_pool
from ocr import ahead
from ocr.ahead import for_reader
from ocr.pictures import open_picture
from tests.ocr.paper import Paper


@pytest.fixture
def page(tmp_path: Path) -> PageImage:
    path = Paper().letter().save(tmp_path / "letter.jpg")
    return inspect_file(path, tmp_path / "pages").pages[0]


def test_the_child_that_inspected_unpacks(page: PageImage, tmp_path: Path) -> None:
    before = shared_pool().idle_pids()
    given = for_reader(page, tmp_path, jobs=2)
    assert isinstance(given, Unpacked)
    assert shared_pool().idle_pids() == before
    assert np.array_equal(open_picture(given).gray, open_picture(page.path).gray)
    assert not given.path.exists()


def test_who_reads_in_this_process_is_given_the_page_itself(page: PageImage, tmp_path: Path) -> None:
    assert for_reader(page, tmp_path, jobs=1) == page.path


def test_what_would_take_too_much_room_or_cannot_be_decoded_is_left_to_its_reader(
    page: PageImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    assert for_reader(replace(page, path=broken), tmp_path, jobs=2) == broken
    monkeypatch.setattr(ahead, "LARGEST", page.width * page.height - 1)
    assert for_reader(page, tmp_path, jobs=2) == page.path
