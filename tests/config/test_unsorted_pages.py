"""The tray of a window as forms without any script: upload a stack, bring pages home, set them aside."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.pages import unsorted
from ingest.models import Material, Page, StackPage
from registry.tokens import Purpose, write
from tests.cast import Cast, open_case
from tests.config.conftest import SignIn
from tests.ingest.paper import hand_in
from tests.ingest.stacks import blank, paper, scan, sheets_of, spoiled

pytestmark = pytest.mark.usefixtures("objects")


def test_a_stack_goes_in_by_form_and_its_stray_page_comes_home_by_button_list_or_scan(
    cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    case = open_case(cast)
    client = sign_in(cast.clerk)
    printed = client.post(reverse("separators", args=[case.number]))
    assert (printed.status_code, printed["Content-Type"]) == (200, "application/pdf")
    sheet = sheets_of(printed.content)
    strays = [paper("二"), paper("三"), paper("四")]
    path = scan(tmp_path / "a.pdf", [sheet[0], paper("一"), spoiled(sheet[1]), *strays, blank()])
    upload = SimpleUploadedFile("SCAN.pdf", path.read_bytes(), "application/pdf")
    answer = client.post(reverse("upload_stack"), {"files": upload}, follow=True).content.decode()
    assert "共 7 页，分隔页 2 张，1 页已归入 1 个办件，3 页未归类，1 页搁置。" in answer
    assert "没有重复收入" not in answer
    assert "前面的分隔页读不出二维码" in answer
    second = case.materials.get(position=2)
    assert f"归入 {case.number}“{second.name}”" in answer
    waiting = [page.pk for page in StackPage.objects.filter(fate="waiting").order_by("number")]
    third = case.materials.get(position=3)
    client.post(reverse("separators", args=[case.number]))  # printed again: the same codes
    token = write(Purpose.MATERIAL, Material.objects.get(pk=third.pk).token).text
    ways: list[dict[str, object]] = [
        {"material": second.pk},
        {"home": f"{case.number} · 3 {third.name}"},
        {"home": token},
    ]
    for pk, typed in zip(waiting, ways, strict=True):
        assert client.post(reverse("bring_home"), {"page": pk, **typed}).status_code == 302
    homes = Page.objects.filter(case=case).order_by("number").values_list("number", "material__position")
    assert list(homes) == [(2, 1), (4, 2), (5, 3), (6, 3)]
    shown = client.get(reverse("unsorted")).content.decode()
    assert "没有未归类的页面" in shown
    assert "1 页已搁置" in shown
    upload.seek(0)
    again = client.post(reverse("upload_stack"), {"files": upload}, follow=True).content.decode()
    assert "扫描上传过，没有重复收入。共 7 页" in again
    kept = StackPage.objects.get(fate="aside")
    client.post(reverse("take_back"), {"page": kept.pk})
    assert client.post(reverse("put_aside"), {"page": kept.pk}, follow=True).status_code == 200


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "请先勾选"),
        ({"page": "own"}, "请选择要归入的办件"),
        ({"page": "own", "home": "330681 · 9"}, "没有找到这份材料"),
        ({"page": "own", "home": "https://example.cn"}, "不是本系统打印的二维码"),
    ],
)
def test_what_is_not_a_home_is_said_and_nothing_moves(
    typed: dict[str, str], sentence: str, cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    case = open_case(cast)
    client = sign_in(cast.clerk)
    upload = SimpleUploadedFile("a.pdf", scan(tmp_path / "a.pdf", [paper("一")]).read_bytes())
    client.post(reverse("upload_stack"), {"files": upload})
    page = StackPage.objects.get()
    values: dict[str, object] = (
        {**typed, "page": page.pk} if "page" in typed else {"material": case.materials.all()[0].pk}
    )
    answer = client.post(reverse("bring_home"), values)
    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    assert StackPage.objects.get().fate == StackPage.Fate.WAITING


def test_what_one_screen_does_not_show_is_counted_and_one_click_away(
    cast: Cast, sign_in: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsorted, "MOST_WAITING", 2)
    client = sign_in(cast.clerk)
    path = scan(tmp_path / "a.pdf", [paper("一"), paper("二"), paper("三")])
    client.post(reverse("upload_stack"), {"files": SimpleUploadedFile("a.pdf", path.read_bytes())})
    first = client.get(reverse("unsorted")).content.decode()
    assert "共 3 页未归类，这里是第 1–2 页" in first
    assert 'href="/unsorted/?from=2"' in first
    rest = client.get(reverse("unsorted"), {"from": "2"}).content.decode()
    assert "这里是第 3–3 页" in rest
    assert 'href="/unsorted/?from=0"' in rest

    client.post(reverse("put_aside"), {"page": [page.pk for page in StackPage.objects.all()]})
    shown = client.get(reverse("unsorted"), {"aside": "9"}).content.decode()
    assert "3 页已搁置" in shown
    assert "这里是第 3–3 页" in shown
    assert 'href="/unsorted/?aside=0#aside"' in shown


def test_the_tray_costs_the_same_however_many_cases_are_open(
    cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    client = sign_in(cast.clerk)
    upload = SimpleUploadedFile("a.pdf", scan(tmp_path / "a.pdf", [paper("一"), paper("二")]).read_bytes())
    client.post(reverse("upload_stack"), {"files": upload})
    counts = []
    for _ in range(2):
        open_case(cast)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("unsorted")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_the_tray_costs_the_same_however_many_runs_wait_in_it(
    cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    """Each run stands behind a placed page, and has a home of its own to be offered."""
    client = sign_in(cast.clerk)
    counts, offered = [], []
    for number in range(2):
        leaves = []
        for _ in range(1 + 2 * number):
            case = open_case(cast)
            sheet = sheets_of(client.post(reverse("separators", args=[case.number])).content)
            leaves += [sheet[0], paper("一"), spoiled(sheet[1]), paper("二")]
        path = scan(tmp_path / f"{number}.pdf", leaves)
        client.post(reverse("upload_stack"), {"files": SimpleUploadedFile("a.pdf", path.read_bytes())})
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse("unsorted")).content.decode()
        counts.append(len(queries))
        offered.append(answer.count('name="material"'))
    assert offered == [1, 4]
    assert counts[1] == counts[0] + 1, "one more scan among the latest, and nothing for its runs"


def test_the_page_editor_says_what_it_did(cast: Cast, sign_in: SignIn) -> None:
    case = open_case(cast)
    first, second = hand_in(case.materials.get(position=1), pages=2)
    client = sign_in(cast.clerk)
    address = reverse("place_page", args=[first.pk])
    steps = (
        ({"act": "turn", "degrees": "90"}, "顺时针 90 度"),
        ({"act": "later"}, "已后移一页"),
        ({"act": "at", "place": "1"}, "已移到第 1 页"),
        ({"act": "at", "place": "2"}, "已移到第 2 页"),
        ({"act": "aside"}, "已搁置"),
        ({"act": "back"}, "已放回"),
        ({"act": "move", "material": str(case.materials.get(position=2).pk)}, "已移到"),
    )
    for typed, sentence in steps:
        answer = client.post(address, typed, follow=True)
        assert answer.status_code == 200
        assert sentence in answer.content.decode()
    for typed in ({"act": "turn", "degrees": "7"}, {"act": "move"}, {"act": "later"}, {"act": "at"}, {}):
        assert client.post(address, typed).status_code == 409
    assert Page.objects.get(pk=second.pk).position == 0
