"""The administrator's catalogue, agreements and grants, and the guides that anybody reads."""

import re
from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from config.pages.guides import PRINTING
from ingest.models import MonthTally, ReviewAnswer
from registry.models import Agreement, ColourPolicy, Grant, ServiceItem
from registry.time import local_day
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn


def test_a_guide_needs_no_login_and_tells_whom_to_ask(cast: Cast) -> None:
    page = Client().get(reverse("guide", args=[cast.item.code])).content.decode()
    for words in (
        cast.item.name,
        "资质证书",
        "5 个工作日",
        "营业执照载明的名称与申请表一致",
        cast.taizhou.name,
    ):
        assert words in page
    assert cast.item.name in Client().get(reverse("guides"), {"q": "资质"}).content.decode()
    assert Client().get(reverse("guide", args=["nothing"])).status_code == 404


def test_grades_are_made_public_for_each_item_once_there_are_enough(cast: Cast) -> None:
    month = local_day(timezone.now()).replace(day=1)

    def guide() -> str:
        return Client().get(reverse("guide", args=[cast.item.code])).content.decode()

    tally = MonthTally.objects.create(
        month=month, dimension="item", key=cast.item.code, handed_in=9, online=0, decided=9, same_day=0,
        punctual=9, graded=4, satisfied=4,
    )  # fmt: skip
    assert "满意率" not in guide(), "four grades could tell who gave them"
    MonthTally.objects.filter(pk=tally.pk).update(graded=8, satisfied=7)
    assert "近一年满意率 87.5%（8 次评价）" in guide()
    MonthTally.objects.filter(pk=tally.pk).update(month=month - timedelta(days=400))
    assert "满意率" not in guide()


def test_the_review_points_are_a_pdf_that_anybody_may_take_along(cast: Cast) -> None:
    answer = Client().get(reverse("guide_points", args=[cast.item.code]))
    assert answer["Content-Type"] == "application/pdf"
    with pypdfium2.PdfDocument(answer.content) as document:
        text = "".join(page.get_textpage().get_text_bounded() for page in document)
    plain = re.sub(r"\s", "", text)
    assert cast.item.name in plain
    assert all(re.sub(r"\s", "", point["question"]) in plain for point in cast.item.review_points)
    assert "资质证书" in plain
    guide = Client().get(reverse("guide", args=[cast.item.code])).content.decode()
    assert reverse("guide_points", args=[cast.item.code]) in guide
    assert Client().get(reverse("guide_points", args=["nothing"])).status_code == 404


def test_making_sheets_for_strangers_is_braked(cast: Cast) -> None:
    for _ in range(PRINTING.from_one):
        PRINTING.count(caller="127.0.0.1", now=timezone.now())
    assert Client().get(reverse("guide_points", args=[cast.item.code])).status_code == 429


def test_a_negative_item_is_not_offered_but_says_so(cast: Cast) -> None:
    ServiceItem.objects.filter(pk=cast.item.pk).update(negative=True)
    assert cast.item.name not in Client().get(reverse("guides")).content.decode()
    assert "负面清单" in Client().get(reverse("guide", args=[cast.item.code])).content.decode()


def test_versions_are_compared_by_anybody(cast: Cast) -> None:
    ServiceItem.objects.create(
        code=cast.item.code,
        version=2,
        name=cast.item.name,
        region=cast.item.region,
        scope=cast.item.scope,
        effective_from=local_day(timezone.now()) + timedelta(days=30),
        promised_days=2,
    )
    page = Client().get(reverse("guide_versions", args=[cast.item.code])).content.decode()
    assert "承诺时限" in page
    assert "审查要点" in page
    coming = Client().get(reverse("guide", args=[cast.item.code]), {"version": "2"}).content.decode()
    assert "起施行" in coming


def test_a_list_is_checked_then_taken_in(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    book = load_workbook(BytesIO(client.get(reverse("catalogue_xlsx")).content))
    sheet = book["事项"]
    day = local_day(timezone.now()) + timedelta(days=1)
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == cast.item.code:
            row[7].value, row[13].value = day.isoformat(), 9
    contacts = book["责任部门"]
    for row in contacts.iter_rows(min_row=2):
        row[2].value, row[3].value = row[2].value or "赵六", row[3].value or "0576-1"
    out = BytesIO()
    book.save(out)
    answers = []
    for act in ("check", "import"):
        file = SimpleUploadedFile("list.xlsx", out.getvalue())
        answers.append(client.post(reverse("catalogue"), {"file": file, "act": act}))
    assert "尚未导入" in answers[0].content.decode()
    assert "已导入" in answers[1].content.decode(), answers[1].content.decode()[-3000:]
    assert ServiceItem.objects.get(code=cast.item.code, version=2).promised_days == 9


def test_a_bad_list_shows_row_and_column(cast: Cast, sign_in: SignIn) -> None:
    content = sign_in(cast.administrator).get(reverse("catalogue_csv")).content
    file = SimpleUploadedFile("list.csv", content.replace("全省通办".encode(), "全球通办".encode(), 1))
    answer = sign_in(cast.administrator).post(reverse("catalogue"), {"file": file, "act": "import"})
    assert answer.status_code == 409
    assert "全球通办" in answer.content.decode()
    assert "通办范围" in answer.content.decode()


def test_a_grant_is_given_and_revoked_on_the_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    told = {
        "office": cast.wenling.code,
        "window": cast.zhuji.code,
        "right": ["accept"],
        "effective_from": "2026-01-01",
        "reason": "专题会议纪要",
    }
    assert client.post(reverse("grants"), told).status_code == 302
    grant = Grant.objects.get(office=cast.wenling, window=cast.zhuji)
    assert "专题会议纪要" in client.get(reverse("grants")).content.decode()
    client.post(reverse("revoke_grant", args=[grant.pk]), {"reason": "人员调整"})
    assert "专题会议纪要" not in client.get(reverse("grants")).content.decode()
    assert "人员调整" in client.get(reverse("grants"), {"state": "all"}).content.decode()


def test_a_refused_grant_keeps_what_was_typed(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.administrator).post(reverse("grants"), {"office": "没有这个局", "reason": "纪要甲"})
    assert answer.status_code == 409
    assert "没有找到审批部门" in answer.content.decode()
    assert "纪要甲" in answer.content.decode()


def test_an_agreement_is_signed_told_late_and_put_right(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    signed = local_day(timezone.now()) - timedelta(days=10)
    told = {
        "region_a": "330681",
        "region_b": "511300",
        "signed_on": signed.isoformat(),
        "shared_citywide": "1",
    }
    assert client.post(reverse("sign_agreement"), told).status_code == 302
    agreement = Agreement.objects.get(region_a="330681", region_b="511300")
    assert "已迟 7 天" in client.get(reverse("agreements"), {"late": "1"}).content.decode()
    update = {"group_name": "诸南群", "contact_a": "甲", "phone_a": "1", "contact_b": "乙", "phone_b": "2"}
    client.post(reverse("update_directory", args=[agreement.pk]), update)
    assert "诸南群" in client.get(reverse("agreements")).content.decode()
    assert "已迟 7 天" not in client.get(reverse("agreements"), {"late": "1"}).content.decode()


def test_the_address_book_finds_whom_to_ask(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.clerk)
    whole = client.get(reverse("address_book")).content.decode()
    assert "市住建局审批处联络员" in whole
    assert "椒江区 — 南充市" in whole
    found = client.get(reverse("address_book"), {"q": "医保"}).content.decode()
    assert "医保局通办联络员" in found or "医疗保障" in found
    assert "市住建局审批处联络员" not in found


def test_the_matrix_shows_own_and_covered_connections(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.clerk).get(reverse("connections"), {"province": "33"}).content.decode()
    assert "自签" in page
    assert "共享" in page


def test_thresholds_are_data_with_a_day(cast: Cast, sign_in: SignIn) -> None:
    told = {"population": "60", "cooperation": "50", "valid_from": "2026-01-01", "source": "会商"}
    client = sign_in(cast.administrator)
    assert client.post(reverse("colour_thresholds"), told).status_code == 302
    assert ColourPolicy.objects.get().population == 60
    assert client.post(reverse("colour_thresholds"), {**told, "population": "101"}).status_code == 409


def colours_on(page: str) -> str:
    """What the section of the colours says."""
    return page.split('id="colours"', 1)[1].split("</section>", 1)[0]


def test_a_fresh_installation_says_which_figures_are_missing_and_where_they_are_entered(
    cast: Cast, sign_in: SignIn
) -> None:
    """No notice names a threshold, so that none is brought along (docs/decisions/0053)."""
    assert not ColourPolicy.objects.exists()
    administrator, clerk = sign_in(cast.administrator), sign_in(cast.clerk)
    for client, where in (
        (administrator, "请按会商结果在下方填写人口界限、合作界限、生效日期和依据"),
        (clerk, "界限由管理员在本页登记"),
    ):
        said = colours_on(client.get(reverse("agreements")).content.decode())
        assert "还没有分类标准，地区暂不分色" in said
        assert "系统不代为设定" in said
        assert where in said
        assert "个地区还没有指数，不分色：" in said
        assert "南充市" in said


def test_what_was_entered_is_missing_no_more(cast: Cast, sign_in: SignIn) -> None:
    client, tomorrow = sign_in(cast.administrator), local_day(timezone.now()) + timedelta(days=1)
    told = {"population": "60", "cooperation": "50", "source": "会商"}
    client.post(reverse("colour_thresholds"), {**told, "valid_from": tomorrow.isoformat()})
    client.post(reverse("region_index"), {**told, "region": "511300", "valid_from": "2026-01-01"})
    said = colours_on(client.get(reverse("agreements")).content.decode())
    assert "在此之前地区不分色" in said
    assert "系统不代为设定" not in said
    assert "南充市" not in said.split("个地区还没有指数", 1)[1].split("。", 1)[0]
    client.post(reverse("colour_thresholds"), {**told, "population": "55", "valid_from": "2026-01-01"})
    page = client.get(reverse("agreements")).content.decode()
    assert "人口潜力指数 55 以上、合作潜力指数 50 以上为高（会商）" in colours_on(page)
    assert "起改为 60 和 50（会商）" in colours_on(page)
    assert "不分色。" not in colours_on(page)
    assert "南充市：红色“重点”" in page


@pytest.mark.parametrize("name", ["catalogue", "agreements", "grants"])
def test_more_rows_take_no_more_queries(name: str, cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    counts = []
    for more in (0, 8):
        for index in range(more):
            day = local_day(NOW) + timedelta(days=index)
            Grant.objects.create(office=cast.taizhou, right="accept", window=cast.zhuji, effective_from=day)
            agreement = Agreement.objects.create(
                region_a_id="330681", region_b_id="511300", signed_on=day, effective_from=day
            )
            agreement.items.add(cast.item)
            ServiceItem.objects.create(
                code=f"N-{index}", name="新", region=cast.item.region, scope="city",
                effective_from=local_day(NOW), promised_days=1,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(name)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_the_clerk_answers_the_points_on_the_case_page(cast: Cast, sign_in: SignIn) -> None:
    case, client = open_case(cast), sign_in(cast.clerk)
    assert "资质证书原件已核对" in client.get(reverse("case", args=[case.number])).content.decode()
    answer = client.post(
        reverse("answer_points", args=[case.number]),
        {"point-q1": "yes", "why-q1": "", "point-q2": "none", "why-q2": "个人申请"},
    )
    assert answer.status_code == 302
    assert dict(ReviewAnswer.objects.values_list("point", "value")) == {"q1": True, "q2": None}
