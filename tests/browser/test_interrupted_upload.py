"""The network drops, or the page is closed, in the middle of a large scan: the upload goes on where it stopped."""

from pathlib import Path
from typing import Any

from django.urls import reverse
from playwright.sync_api import Page, Request, expect

from ingest.models import Arrival, SourceFile
from registry.models import Event
from tests.browser.conftest import Enter, look
from tests.cast import Cast, open_case
from tests.ingest.paper import long_picture, picture

MIB = 1 << 20
UPLOADS = "**/api/v1/uploads/*"


def large(folder: Path) -> Path:
    path = folder / "施某某 房产证.jpg"
    path.write_bytes(long_picture("large", 3 * MIB))
    return path


def pieces(page: Page) -> list[int]:
    """Where each piece begins that the page sends from now on."""
    sent: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            sent.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return sent


def cut_after_first(page: Page, act: Any) -> None:
    """The first piece goes through; when the second is asked for, `act(route)` happens instead."""
    seen = []

    def meet(route: Any) -> None:
        if route.request.method == "PATCH":
            seen.append(route)
        if len(seen) == 2 and route.request.method == "PATCH":
            act(route)
        else:
            route.continue_()

    page.route(UPLOADS, meet)


def test_an_upload_goes_on_when_the_network_is_back(cast: Cast, enter: Enter, tmp_path: Path) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    sent = pieces(page)

    def cut(route: Any) -> None:
        page.context.set_offline(True)
        route.abort("internetdisconnected")

    cut_after_first(page, cut)
    row = page.locator(".checklist > li").first
    row.locator("input[type=file]").first.set_input_files(large(tmp_path))
    line = row.locator(".tray-files li")
    expect(line).to_contain_text("网络中断，恢复后自动继续")
    look(page, "offline")
    assert not SourceFile.objects.exists()
    page.context.set_offline(False)
    expect(row.locator(".tray-files li.ok, .tray-files li.attention")).to_contain_text("接收")
    assert sent[:3] == [0, MIB, MIB], "what had arrived is not sent again"
    assert sent[-1] == 3 * MIB
    file = SourceFile.objects.get()
    assert (file.size, file.pages.count()) == ((tmp_path / file.original_name).stat().st_size, 1)
    assert page.evaluate("localStorage.getItem('tongban.unfinished-uploads')") == "{}"


def test_an_upload_goes_on_after_the_page_was_loaded_anew(cast: Cast, enter: Enter, tmp_path: Path) -> None:
    case = open_case(cast)
    path = large(tmp_path)
    page = enter(cast.clerk)
    page.on("dialog", lambda dialog: dialog.accept())  # leaving while files are on their way
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    cut_after_first(page, lambda route: None)  # the second piece hangs
    row = page.locator(".checklist > li").first
    with page.expect_request(lambda request: request.headers.get("upload-offset") == str(MIB)):
        row.locator("input[type=file]").first.set_input_files(path)
    kept = page.evaluate("localStorage.getItem('tongban.unfinished-uploads')")
    assert "施某某" not in kept
    assert case.number not in kept
    page.reload()
    page.unroute_all(behavior="ignoreErrors")
    row = page.locator(".checklist > li").first
    expect(row.get_by_text("上次有 1 个文件没有传完")).to_be_visible()
    expect(page.locator("[data-unfinished]:visible")).to_have_count(1)
    look(page, "reloaded")
    sent = pieces(page)
    row.locator("input[type=file]").first.set_input_files(path)
    expect(row.locator(".tray-files li.ok, .tray-files li.attention")).to_contain_text("接收")
    assert sent == [MIB, 2 * MIB, 3 * MIB]
    expect(row.get_by_text("没有传完")).to_be_hidden()
    assert Arrival.objects.count() == 1
    assert SourceFile.objects.get().size == path.stat().st_size
    # The same file once more is another upload of bytes that are known.
    row.locator("input[type=file]").first.set_input_files(path)
    expect(row.locator(".tray-files li").last).to_contain_text("没有重复收入")
    assert Event.objects.filter(kind="file.received").count() == 1


def test_a_network_that_lets_no_pieces_through_is_served_by_the_plain_form(
    cast: Cast, enter: Enter, tmp_path: Path
) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    page.route("**/api/v1/uploads", lambda route: route.fulfill(status=405))
    row = page.locator(".checklist > li").first
    row.locator("input[type=file]").first.set_input_files(large(tmp_path))
    expect(row.locator(".tray-files li.ok, .tray-files li.attention")).to_contain_text("接收")
    assert not Arrival.objects.exists()
    assert SourceFile.objects.count() == 1


def test_a_file_that_is_taken_away_does_not_keep_the_next_from_its_turn(
    cast: Cast, enter: Enter, tmp_path: Path
) -> None:
    case = open_case(cast)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.locator("html.js")).to_be_attached()
    lost, kept = large(tmp_path), tmp_path / "kept.jpg"
    kept.write_bytes(picture("kept"))

    def take_away(route: Any) -> None:
        lost.unlink(missing_ok=True)
        route.continue_()

    cut_after_first(page, take_away)
    row = page.locator(".checklist > li").first
    row.locator("input[type=file]").first.set_input_files([lost, kept])
    expect(row.locator(".tray-files li.late")).to_contain_text("上传失败")
    expect(row.locator(".tray-files li.ok, .tray-files li.attention")).to_contain_text("接收")
    expect(page.locator("[data-tray].busy")).to_have_count(0)
    assert SourceFile.objects.get().original_name == "kept.jpg"


def test_without_script_the_plain_form_takes_the_file(cast: Cast, enter: Enter, tmp_path: Path) -> None:
    case = open_case(cast)
    page = enter(cast.clerk, scripts=False)
    page.goto(reverse("case", args=[case.number]))
    row = page.locator(".checklist > li").first
    row.locator("input[type=file]").first.set_input_files(large(tmp_path))
    row.get_by_role("button", name="上传").click()
    expect(page.get_by_text("已接收 1 个文件")).to_be_visible()
    assert not Arrival.objects.exists()
