"""Finance settles a month, the administrator restarts failed work, the auditor checks the chain."""

from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from logistics.models import CarrierAccount, Discrepancy, Settlement, Statement
from registry.models import Event
from tests.browser.conftest import Enter, work_off
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import NOWHERE
from tests.logistics.road import neutral_account
from workers.models import Job, JobState

# Tables of which a part lies beyond the edge.
BEYOND = "tables => tables.filter(table => table.scrollWidth > table.clientWidth).length"
STATEMENT = """运单号,收寄日期,计费重量(克),运费,合计金额,付款方式,月结账号
1099900000011,2026-03-12,500,12.00,12.00,到付,T-331000-8868
1099900000022,2026-03-13,500,15.50,15.50,到付,T-331000-8868
"""


@pytest.fixture
def account(cast: Cast) -> CarrierAccount:
    return neutral_account(cast, NOWHERE)


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    path = tmp_path / "statement.csv"
    path.write_text(STATEMENT, encoding="utf-8")
    return path


def no_table_is_wider_than_a_phone(page: Page) -> None:
    """What is owed and by how much two figures differ is read without moving a table sideways."""
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(".table").count() > 0
    assert page.locator(".table").evaluate_all(BEYOND) == 0
    page.set_viewport_size({"width": 1366, "height": 768})


def test_finance_imports_decides_and_settles(
    cast: Cast, account: CarrierAccount, statement: Path, enter: Enter, tmp_path: Path
) -> None:
    page = enter(cast.finance)
    page.get_by_label("账期").fill("2026-03")
    page.get_by_label("对账单文件").set_input_files(statement)
    page.get_by_role("button", name="导入对账单").click()
    expect(page.get_by_role("heading", name="正在逐行读取")).to_be_visible()
    work_off()
    expect(page.get_by_text("已核对")).to_be_visible()
    expect(page.locator("#differences").get_by_text("运单号不存在")).to_have_count(2)
    expect(page.locator("#differences")).to_contain_text("15.50 元")

    no_table_is_wider_than_a_phone(page)
    page.get_by_label("全部选择").check()
    page.get_by_label("处理", exact=True).select_option("disputed")
    page.get_by_label("理由").fill("我方没有这两个运单")
    page.get_by_role("button", name="处理所选差异").click()
    expect(page.get_by_text("已处理 2 条差异。")).to_be_visible()
    assert set(Discrepancy.objects.values_list("state", flat=True)) == {"disputed"}

    page.get_by_role("link", name="结算").click()
    page.get_by_label("账期").fill("2026-03")
    page.get_by_role("button", name="编制此月结算").click()
    expect(page.get_by_text("应付金额").first).to_be_visible()
    no_table_is_wider_than_a_phone(page)
    assert not Settlement.objects.exists()

    second = enter(cast.second_finance)
    second.get_by_role("link", name="结算").click()
    second.get_by_role("link", name="2026-03").click()
    second.get_by_role("button", name="复核通过并冻结 2026-03").click()
    expect(second.get_by_text("复核并结算")).to_be_visible()
    no_table_is_wider_than_a_phone(second)
    with second.expect_download() as download:
        second.get_by_role("link", name="XLSX").first.click()
    target = tmp_path / "settlement.xlsx"
    download.value.save_as(target)
    assert load_workbook(target).sheetnames == ["汇总", "按事项", "按办件", "明细", "差异"]
    assert Settlement.objects.get().withheld_fen == 2750


def test_a_statement_that_cannot_be_read_says_what_to_do(
    cast: Cast, account: CarrierAccount, tmp_path: Path, enter: Enter
) -> None:
    broken = tmp_path / "statement.csv"
    broken.write_text("%PDF-1.7 这不是表格", encoding="utf-8")
    page = enter(cast.finance)
    page.get_by_label("对账单文件").set_input_files(broken)
    page.get_by_role("button", name="导入对账单").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_text("还没有对账单")).to_be_visible()


def test_a_column_that_nobody_knows_is_named_once(
    cast: Cast, account: CarrierAccount, tmp_path: Path, enter: Enter
) -> None:
    page = enter(cast.finance)
    for month in ("2026-03", "2026-04"):
        path = tmp_path / f"{month}.csv"
        path.write_text(f"运单号,实付\n1099900000011,{month[-1]}.00\n", encoding="utf-8")
        page.get_by_role("link", name="对账").first.click()
        page.get_by_label("账期").fill(month)
        page.get_by_label("对账单文件").set_input_files(path)
        page.get_by_role("button", name="导入对账单").click()
        if month == "2026-03":
            expect(page.get_by_text("还缺“金额”列")).to_be_visible()
            page.get_by_label("实付").select_option("amount")
            page.get_by_role("button", name="导入并逐行核对").click()
        expect(page.get_by_role("heading", name="正在逐行读取")).to_be_visible()
        work_off()
        expect(page.get_by_text("已核对")).to_be_visible()
    assert set(Statement.objects.values_list("month", "amount_fen")) == {("2026-03", 300), ("2026-04", 400)}


def test_the_administrator_queues_failed_work_again(cast: Cast, enter: Enter) -> None:
    open_case(cast)
    job = Job.objects.create(
        event=Event.objects.get(kind="case.created"),
        reaction="build_dossier",
        state=JobState.FAILED.value,
        attempts=5,
        next_try_at=NOW,
        created_at=NOW,
        finished_at=NOW,
        last_error="seal_unusable",
    )
    page = enter(cast.administrator)
    page.get_by_role("link", name="任务").click()
    expect(page.get_by_text("制作卷宗并签章")).to_be_visible()
    page.get_by_role("button", name="重新执行").click()
    expect(page.get_by_text("已重新排队。")).to_be_visible()
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    page.get_by_role("link", name="推送收件箱").click()
    expect(page.get_by_text("没有推送")).to_be_visible()


@pytest.mark.usefixtures("empty_objects")
def test_the_auditor_sees_an_entry_that_was_slipped_in(cast: Cast, enter: Enter) -> None:
    case = open_case(cast)
    page = enter(cast.auditor)
    expect(page.get_by_text("收件建档")).to_be_visible()
    page.get_by_role("button", name="校验全部记录").click()
    expect(page.get_by_text("逐条相扣，没有改动")).to_be_visible()
    # The database lets nobody change an entry; one that pretends to follow is found by the chain.
    Event.objects.create(
        kind="case.withdrawn",
        at=NOW,
        actor_kind="user",
        actor_label="nobody",
        subject_type="ingest.case",
        subject_id=str(case.pk),
        case_number=case.number,
        stream=case.number,
        sequence=2,
        hash="0" * 64,
    )
    page.get_by_role("button", name="校验全部记录").click()
    expect(page.get_by_role("alert")).to_contain_text(f"{case.number} 第 2 条被改动")
