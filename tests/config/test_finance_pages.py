"""Finance at its pages: letters, two people closing a month, and what each of them is shown."""

import html
import io
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from logistics.models import (
    DisputeLetter,
    PostageBudget,
    PostageException,
    PostagePolicy,
    Settlement,
    SettlementProposal,
    Statement,
)
from logistics.postage.services import dispute_all, import_statement, reconcile_statement
from logistics.rules.payers import PUTIAN
from tests.cast import APPLICANT, NOW, assemble
from tests.config.conftest import SignIn
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv


@pytest.fixture
def world(db: None, objects: None) -> PostageWorld:
    return PostageWorld.build(assemble())


@pytest.fixture
def march(world: PostageWorld, tmp_path: Path) -> Statement:
    """Four yuan too dear, and disputed."""
    finance = world.cast.finance
    rows = [world.row(world.charged().waybill.number, "15.00")]
    path = write_csv(tmp_path / "a.csv", rows)
    made = import_statement(path=path, carrier=world.carrier, month=MONTH, actor=finance, now=NOW)
    reconcile_statement(statement=made.statement, actor=finance, now=NOW)
    dispute_all(statement_id=made.statement.pk, reason="与合同不符", actor=finance, now=NOW)
    return made.statement


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_letter_is_written_and_downloaded_at_the_statement(
    world: PostageWorld, march: Statement, sign_in: SignIn
) -> None:
    client = sign_in(world.cast.finance)
    assert "出具争议函" in text(client, reverse("statement", args=[march.pk]))
    answer = client.post(reverse("write_letter", args=[march.pk]), follow=True)
    assert "通办异字〔" in answer.content.decode()
    letter = DisputeLetter.objects.get()
    assert letter.claimed_fen == 400
    file = client.get(reverse("letter_file", args=[letter.pk, "xlsx"]))
    assert file.status_code == 200
    assert b"".join(file.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    assert client.get(reverse("letter_file", args=[letter.pk, "pdf"])).status_code == 503


def test_a_month_passes_through_two_pairs_of_hands(
    world: PostageWorld, march: Statement, sign_in: SignIn
) -> None:
    first, second = sign_in(world.cast.finance), sign_in(world.cast.second_finance)
    asked = first.post(reverse("settlements"), {"carrier": "ems", "month": MONTH})
    proposal = SettlementProposal.objects.get()
    address = reverse("proposal", args=[proposal.pk])
    assert asked.url == address  # type: ignore[attr-defined]
    assert "须由本中心另一位财务人员复核" in text(first, address)
    refused = first.post(reverse("approve_settlement", args=[proposal.pk]))
    assert refused.status_code == 409
    assert "不能复核自己编制的结算" in refused.content.decode()
    shown = text(second, address)
    assert "复核通过并冻结" in shown
    assert "11.00 元" in shown
    assert APPLICANT.name not in shown
    done = second.post(reverse("approve_settlement", args=[proposal.pk]), follow=True)
    assert "finance 于" in done.content.decode()
    settled = Settlement.objects.get()
    assert settled.closed_by == "second-finance"
    answer = first.get(reverse("settlement_file", args=[settled.number, "json"]))
    assert answer.json()["totals_fen"]["payable"] == settled.payable_fen
    assert APPLICANT.name not in answer.content.decode()


def test_a_prepared_month_is_sent_back_with_its_reason(
    world: PostageWorld, march: Statement, sign_in: SignIn
) -> None:
    second = sign_in(world.cast.second_finance)
    sign_in(world.cast.finance).post(reverse("settlements"), {"carrier": "ems", "month": MONTH})
    proposal = SettlementProposal.objects.get()
    refused = second.post(reverse("return_settlement", args=[proposal.pk]), {"reason": " "})
    assert "请写明退回的理由" in refused.content.decode()
    back = second.post(
        reverse("return_settlement", args=[proposal.pk]), {"reason": "漏了补充账单"}, follow=True
    )
    assert "漏了补充账单" in back.content.decode()
    assert not Settlement.objects.exists()


def new_version(**changes: str) -> dict[str, str]:
    form = {"code": "taizhou-2", "source": "台州 §一", "valid_from": "2030-01-01"}
    for rule in PUTIAN.rules:
        form |= {f"bearer-{rule.leg}": rule.bearer.value, f"term-{rule.leg}": rule.term.value}
    return {**form, **changes}


def test_a_policy_is_tried_then_taken_in(world: PostageWorld, sign_in: SignIn) -> None:
    charge = world.charged()
    client = sign_in(world.cast.finance)
    changed = new_version(act="try", first="2026-03", last="2026-03", **{"term-materials": "sender_monthly"})
    shown = client.post(reverse("policies"), changed).content.decode()
    assert "共 1 件，付费方或付款方式会改变的 1 件" in shown
    assert charge.parcel.number in shown
    assert "-1.00 元" in shown
    assert 'value="taizhou-2"' in shown, "what was typed stays"
    assert not PostagePolicy.objects.exists()
    refused = client.post(reverse("policies"), new_version(**{"term-result": "collect"}))
    assert refused.status_code == 409
    assert "不能用“到付”" in refused.content.decode()
    assert "新版本已登记" in client.post(reverse("policies"), new_version(), follow=True).content.decode()
    row = PostagePolicy.objects.get()
    ended = client.post(reverse("end_policy", args=[row.pk]), {"on": "2031-01-01"}, follow=True)
    assert "2031-01-01" in ended.content.decode()


def test_an_exception_is_asked_by_one_and_approved_by_another(world: PostageWorld, sign_in: SignIn) -> None:
    first, second = sign_in(world.cast.finance), sign_in(world.cast.second_finance)
    asked = {"case": world.case.number, "leg": "result", "reason": "困难群众"}
    assert (
        "等待另一位财务人员批准" in first.post(reverse("ask_exception"), asked, follow=True).content.decode()
    )
    row = PostageException.objects.get()
    assert reverse("decide_exception", args=[row.pk]) not in text(first, reverse("policies"))
    assert reverse("decide_exception", args=[row.pk]) in text(second, reverse("policies"))
    second.post(reverse("decide_exception", args=[row.pk]), {"act": "approve"})
    row.refresh_from_db()
    assert row.state == "approved"
    assert APPLICANT.name not in text(second, reverse("policies"))


def test_a_contract_is_checked_then_taken_in_and_quoted(
    world: PostageWorld, sign_in: SignIn, tmp_path: Path
) -> None:
    client = sign_in(world.cast.finance)
    exported = client.get(reverse("tariff_file", args=[world.contract.pk])).content
    client.post(reverse("end_tariff", args=[world.contract.pk]), {"on": "2026-07-01"})
    book = load_workbook(io.BytesIO(exported))
    book["合同"]["B4"], book["合同"]["B5"], book["分区"]["F2"] = "2026-2", "2026-07-01", "贵"
    address = reverse("tariffs")

    def send(act: str) -> str:
        book.save(tmp_path / "tariff.xlsx")
        with (tmp_path / "tariff.xlsx").open("rb") as file:
            return client.post(address, {"act": act, "carrier": "ems", "file": file}).content.decode()

    assert "有 1 处错误" in send("import")
    book["分区"]["F2"] = 12
    assert "尚未导入" in send("check")
    assert world.contract.carrier.tariffs.count() == 1
    assert "已导入" in send("import")
    assert world.contract.carrier.tariffs.count() == 2
    asked = {
        "carrier": "ems",
        "origin": "330681",
        "destination": "331000",
        "weight": "1500",
        "extra": "collect",
    }
    shown = client.get(address, asked).content.decode()
    assert "到付手续费" in shown
    refused = client.get(address, asked | {"origin": "火星"})
    assert refused.status_code == 409
    assert "没有找到唯一的地区" in refused.content.decode()


def test_a_budget_is_set_and_a_wrong_one_keeps_what_was_typed(world: PostageWorld, sign_in: SignIn) -> None:
    client = sign_in(world.cast.finance)
    typed = {"year": "2026", "amount": "一万", "reason": "台财预〔2026〕3 号"}
    refused = client.post(reverse("set_budget"), typed)
    assert refused.status_code == 409
    assert "台财预〔2026〕3 号" in refused.content.decode()
    done = client.post(reverse("set_budget"), {**typed, "amount": "12,000.00"}, follow=True)
    assert "预算已登记。" in done.content.decode()
    assert PostageBudget.objects.get().amount_fen == 1_200_000


def test_the_figures_lead_to_their_lines(world: PostageWorld, sign_in: SignIn) -> None:
    charge = world.charged()
    client = sign_in(world.cast.finance)
    span = {"first": "2026-03", "last": "2026-03"}
    page = client.get(reverse("spending"), span).content.decode()
    for source in re.findall(r'<img src="([^"]*)"', page):
        drawn = client.get(html.unescape(source))
        assert drawn["Content-Type"] == "image/svg+xml"
    assert "11.00 元" in client.get(reverse("spending_chart", args=["leg"]), span).content.decode()
    assert client.get(reverse("spending_chart", args=["nothing"]), span).status_code == 404
    link = html.unescape(re.findall(r'href="([^"]*lines/[^"]*leg=materials)"', page)[0])
    lines = text(client, link)
    assert charge.parcel.number in lines
    assert "1 笔，合计 11.00 元" in lines
    assert APPLICANT.name not in lines + page
    assert client.get(reverse("spending"), {"first": "2026-04", "last": "2026-03"}).status_code == 409
    assert (
        "这段时间没有邮资"
        in client.get(reverse("spending"), {"first": "2026-01", "last": "2026-01"}).content.decode()
    )
