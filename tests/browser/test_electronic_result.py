"""电子送达 before two screens: the office lays its file beside the decision, takes it back, lays the right one, and it is fetched."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from ingest.models import Case, ResultFile
from ingest.rules import CaseState
from ingest.services.handlings import accept, decide
from ingest.slips import receipt_of
from logistics.models import CustodyEvent
from registry.actors import SYSTEM
from registry.models import Event
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.terms import Delivery
from tests.browser.conftest import Enter, look, work_off
from tests.browser.test_every_page import NOWHERE
from tests.browser.test_progress import faults_of
from tests.cast import APPLICANT, NOW, Cast
from tests.ingest.hostile import pdf_with_text
from tests.logistics.road import Road, build_road

WRONG, RIGHT = "施工许可证（草稿）", "施工许可证（电子证照）"


@pytest.fixture
def decided(cast: Cast) -> Road:
    """Granted without a paper, for an applicant who wants a file; the papers that came stay with the office."""
    road = build_road(cast, NOWHERE).pre_reviewed()
    Case.objects.filter(pk=road.case.pk).update(delivery=Delivery.ELECTRONIC)
    road.handling.refresh_from_db()
    accept(handling=road.handling, actor=cast.officer, now=NOW)
    decide(handling=road.handling, approved=True, result_name="", actor=cast.officer, now=NOW)
    return road


def issued(folder: Path, name: str) -> Path:
    return pdf_with_text(folder / f"{name}.pdf", name)


def attach(officer: Page, name: str, file: Path) -> None:
    """The button is hit twice, as hurried people do."""
    officer.get_by_label("名称").fill(name)
    officer.get_by_label("PDF 文件").set_input_files(file)
    officer.get_by_role("button", name="上传", exact=True).dblclick()
    expect(officer.get_by_text("电子结果已上传。")).to_be_visible()


def test_laid_down_taken_back_laid_down_again_and_fetched(
    decided: Road, enter: Enter, phone: Page, tmp_path: Path
) -> None:
    case, wrong, right = decided.case, issued(tmp_path, "DRAFT"), issued(tmp_path, "LICENCE")
    officer = enter(decided.cast.officer)
    officer.goto(reverse("case", args=[case.number]))
    expect(officer.locator("#next")).to_contain_text("上传电子结果")
    officer.get_by_role("link", name="上传电子结果").click()
    look(officer, "result-owed")
    attach(officer, WRONG, wrong)
    assert told("result.attached") == 1
    look(officer, "result-laid")

    # Back, and the same form again: the same file is one.
    officer.go_back()
    officer.goto(reverse("case", args=[case.number]))
    officer.locator("#results summary").click()
    attach(officer, WRONG, wrong)
    assert (told("result.attached"), ResultFile.objects.count()) == (1, 1)

    row = officer.locator("#results tr").filter(has_text=WRONG)
    row.get_by_role("button", name="作废").dblclick()
    expect(officer.get_by_text("电子结果已作废，申请人不再看到。")).to_be_visible()
    assert told("result.voided") == 1
    attach(officer, RIGHT, right)
    expect(officer.locator("#results tr").filter(has_text=RIGHT)).to_contain_text("未取得")
    look(officer, "result-right")
    work_off()

    fetch(phone, link_of(case), right.read_bytes())
    officer.goto(reverse("case", args=[case.number]))
    expect(officer.locator("#results tr").filter(has_text=RIGHT)).to_contain_text("已取得")
    expect(officer.locator("#results").get_by_role("button", name="作废")).to_have_count(0)


def fetch(phone: Page, link: str, content: bytes) -> None:
    """From the code on the slip: four digits for the progress, the whole number for the file."""
    phone.goto(link)
    phone.get_by_label("手机号后四位").fill(APPLICANT.phone[-4:])
    phone.get_by_role("button", name="查询").click()
    expect(phone.get_by_role("heading", name="审批结果（电子文件）")).to_be_visible()
    expect(phone.get_by_text(WRONG)).to_have_count(0)
    assert faults_of(phone) == []
    look(phone, "result-to-fetch")
    phone.get_by_label("收件时登记的完整手机号").fill(APPLICANT.phone)
    with phone.expect_download() as download:
        phone.get_by_role("button", name=f"下载“{RIGHT}”").click()
    assert download.value.path().read_bytes() == content
    assert told("result.fetched") == 1


def test_fetched_once_nothing_else_on_its_way_the_case_closes(
    decided: Road, enter: Enter, phone: Page, tmp_path: Path
) -> None:
    case, right = decided.case, issued(tmp_path, "LICENCE")
    officer, clerk = enter(decided.cast.officer), enter(decided.cast.clerk)
    officer.goto(reverse("case", args=[case.number]))
    attach(officer, RIGHT, right)
    clerk.goto(reverse("case", args=[case.number]))
    for original in decided.originals:  # what was kept at the counter goes home first
        row = clerk.locator("#originals tr").filter(has_text=original.name)
        row.get_by_role("button", name="交给申请人").dblclick()
        expect(clerk.get_by_text(f"“{original.name}”已交给申请人。")).to_be_visible()
    work_off()
    fetch(phone, link_of(case), right.read_bytes())
    work_off()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    clerk.reload()
    expect(clerk.locator(".page-head")).to_contain_text("已归结")
    look(clerk, "result-closed")
    assert told("case.closed") == 1
    assert CustodyEvent.objects.count() == len(decided.originals)


def told(kind: str) -> int:
    return Event.objects.filter(kind=kind).count()


def link_of(case: Case) -> str:
    """Where the code on the receipt leads."""
    data = receipt_of(case, received_at=NOW)
    slip = issue(kind=SlipKind.RECEIPT, subject=case, data=data, actor=SYSTEM, now=NOW)
    return reverse("progress_by_slip", args=[str(slip.data["code"]).rpartition("/")[2]])
