"""A whole folder at once: chosen or dropped, every file in it has a line with its progress and its verdict."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from ingest.models import SourceFile
from tests.browser.conftest import Enter, look
from tests.cast import Cast, open_case
from tests.ingest.paper import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scans, one of them a folder deeper, a text that is no scan, and what systems leave in folders."""
    deeper = tmp_path / "材料" / "第二份"
    deeper.mkdir(parents=True)
    (deeper.parent / "一.jpg").write_bytes(picture("one"))
    (deeper / "二.jpg").write_bytes(picture("two"))
    (deeper / "说明.txt").write_text("不是扫描件")
    for litter in (".DS_Store", "Thumbs.db"):
        (deeper / litter).write_bytes(b"litter")
    return deeper.parent


def drop(page: Page, where: str, path: Path) -> None:
    """Let go of something of the file system over the page, as a person with a mouse does."""
    box = page.locator(where).first.bounding_box()
    assert box is not None
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
            },
        )


@pytest.mark.parametrize("way", ["chosen", "dropped"])
def test_every_file_of_a_folder_has_its_line(way: str, cast: Cast, enter: Enter, folder: Path) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    row = page.locator(".checklist > li").first
    row.scroll_into_view_if_needed()
    if way == "chosen":
        row.locator("input[webkitdirectory]").set_input_files(folder)
    else:
        drop(page, ".checklist > li .tray-drop", folder)
    lines = row.locator(".tray-files li")
    expect(lines).to_have_count(3)
    expect(row.locator(".tray-files li .said")).to_have_count(3)
    expect(lines.filter(has_text="第 1 页请重扫")).to_have_count(2)  # so small a picture cannot be read
    refused = row.locator(".tray-files li.late")
    expect(refused).to_contain_text("说明.txt")
    expect(refused).to_contain_text("这是文本或网页，不是扫描件")
    look(page, f"folder-{way}")
    assert SourceFile.objects.filter(case=case, verdict="accepted").count() == 2


def test_a_folder_without_files_is_said_so(cast: Cast, enter: Enter, tmp_path: Path) -> None:
    case = open_case(cast)
    empty = tmp_path / "空的"
    (empty / "里面").mkdir(parents=True)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    page.locator(".checklist > li .tray-drop").first.scroll_into_view_if_needed()
    drop(page, ".checklist > li .tray-drop", empty)
    line = page.locator(".checklist > li").first.locator(".tray-files li")
    expect(line).to_contain_text("空的")
    expect(line).to_contain_text("文件夹里没有可以上传的文件")
