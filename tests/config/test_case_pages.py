"""Taking in, reading and moving a case through its pages, as forms without any script."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from ingest.models import Case, Original, Page, SourceFile
from ingest.rules import CaseState, HandlingState
from registry.models import Event
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn
from tests.ingest.paper import hand_in, hand_in_everything, picture
from tests.logistics.road import Road

FORM = {
    "mode": "window_forward",
    "name": "王建国",
    "id_number": "330681199003077731",
    "phone": "13812345678",
    "delivery": "mail",
    "address": "浙江省诸暨市浣纱路12号",
    "agent_consent": "on",
}


def form(cast: Cast, **changes: str) -> dict[str, object]:
    return {**FORM, "item": cast.item.pk, "office": cast.taizhou.pk, **changes}


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_case_is_opened_from_the_counter(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.clerk).post(reverse("new_case"), form(cast))
    case = Case.objects.get()
    assert answer.url == reverse("case", args=[case.number])  # type: ignore[attr-defined]
    assert (case.applicant_name, case.window, case.agent_consent) == ("王建国", cast.zhuji, True)


def test_the_items_that_a_window_takes_in_all_day_stand_first(cast: Cast, sign_in: SignIn) -> None:
    client, address = sign_in(cast.clerk), reverse("new_case")
    before = [item.code for item in client.get(address).context["items"]]
    assert before[0] != cast.item.code
    open_case(cast)
    assert [item.code for item in client.get(address).context["items"]] == before, "once is no habit"
    open_case(cast)
    after = client.get(address).context["items"]
    assert [item.code for item in after] == [
        cast.item.code,
        *(code for code in before if code != cast.item.code),
    ]
    assert "本窗口常收" in text(client, address)
    assert "本窗口常收" not in text(sign_in(cast.other_clerk), address)
    assert [item.code for item in client.get(address, {"q": "没有这样的事项"}).context["items"]] == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id_number": "330681199003077737"}, "校验位不对"),
        ({"phone": "12"}, "请填写手机号码"),
        ({"address": ""}, "选择邮寄时必须填写送达地址"),
        ({"office": ""}, "请选择审批部门"),
        ({"mode": "window_accept"}, "不能按“受审分离”办理"),
    ],
)
def test_a_fault_stands_beside_its_cause_and_nothing_typed_is_lost(
    changes: dict[str, str], sentence: str, cast: Cast, sign_in: SignIn
) -> None:
    answer = sign_in(cast.clerk).post(reverse("new_case"), form(cast, **changes))
    page = answer.content.decode()
    assert answer.status_code in (409, 422)
    assert sentence in page
    assert "王建国" in page
    assert not Case.objects.exists()


def test_a_mode_that_the_rules_forbid_says_which_rule(cast: Cast, sign_in: SignIn) -> None:
    page = text(sign_in(cast.clerk), f"{reverse('new_case')}?item={cast.item.pk}")
    assert "莆田 §四(三)" in page


def test_review_points_are_put_away_where_they_hold_nothing_back(cast: Cast, sign_in: SignIn) -> None:
    case = open_case(cast)
    address, question = reverse("case", args=[case.number]), "申请表填写完整并加盖公章"
    assert "收受分离的件可以不答" in text(sign_in(cast.clerk), address)
    Case.objects.filter(pk=case.pk).update(state=CaseState.PRE_REVIEW, submitted_at=NOW)
    assert question not in text(sign_in(cast.officer), address), "nobody answered"
    Case.objects.filter(pk=case.pk).update(mode="window_accept", state=CaseState.DRAFT, submitted_at=None)
    page = text(sign_in(cast.clerk), address)
    assert ("逐项核对后才能当场受理" in page, "可以不答" in page) == (True, False)
    Case.objects.filter(pk=case.pk).update(mode="window_forward")
    sign_in(cast.clerk).post(reverse("answer_points", args=[case.number]), {"point-q1": "yes"})
    Case.objects.filter(pk=case.pk).update(state=CaseState.PRE_REVIEW, submitted_at=NOW)
    assert question in text(sign_in(cast.officer), address)


def test_personal_data_is_masked_until_it_is_asked_for_and_the_look_is_recorded(
    cast: Cast, sign_in: SignIn
) -> None:
    client = sign_in(cast.clerk)
    client.post(reverse("new_case"), form(cast))
    case = Case.objects.get()
    before = text(client, reverse("case", args=[case.number]))
    assert "330681199003077731" not in before
    assert "王建国" not in before
    answer = client.post(reverse("reveal", args=[case.number]))
    assert "330681199003077731" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert Event.objects.filter(kind="applicant.revealed", case_number=case.number).count() == 1


def test_submitting_too_early_lists_everything_missing_and_changes_nothing(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    answer = sign_in(cast.clerk).post(reverse("submit_case", args=[case.number]))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "缺少“营业执照”" in page
    assert "缺少“资质证书”" in page
    assert Case.objects.get().state == CaseState.DRAFT


def test_files_are_taken_in_without_script_and_the_verdict_is_said(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    material = case.materials.get(position=1)
    good = SimpleUploadedFile("scan.jpg", picture("one", size=(1240, 1754)), content_type="image/jpeg")
    bad = SimpleUploadedFile("fake.pdf", b"just some text", content_type="application/pdf")
    answer = sign_in(cast.clerk).post(
        reverse("upload", args=[case.number]), {"material": material.pk, "files": [good, bad]}, follow=True
    )
    page = answer.content.decode()
    assert "已接收 1 个文件" in page
    assert "“fake.pdf”被拒收" in page
    assert material.pages.count() == 1
    assert SourceFile.objects.filter(verdict="refused").count() == 1


def test_the_tray_gets_one_line_for_each_file_and_a_repeated_file_says_where_it_is(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    client = sign_in(cast.clerk)
    address = reverse("upload", args=[case.number])

    def send() -> str:
        file = SimpleUploadedFile("scan.jpg", picture("same", size=(1240, 1754)), content_type="image/jpeg")
        material = case.materials.get(position=1).pk
        answer = client.post(
            address, {"material": material, "files": file}, headers={"X-Requested-With": "tray"}
        )
        assert answer.status_code == 200
        return answer.content.decode()

    assert "接收" in send()
    assert "没有重复收入" in send()
    assert Page.objects.filter(case=case).count() == 1


def test_a_file_for_a_material_of_another_case_is_not_found(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case, other = open_case(cast), open_case(cast)
    file = SimpleUploadedFile("scan.jpg", picture("x"), content_type="image/jpeg")
    answer = sign_in(cast.clerk).post(
        reverse("upload", args=[case.number]), {"material": other.materials.get(position=1).pk, "files": file}
    )
    assert answer.status_code == 404


def test_a_thumbnail_is_a_small_upright_jpeg_kept_by_the_browser(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    page = hand_in(case.materials.get(position=1))[0]
    Page.objects.filter(pk=page.pk).update(rotation=90)
    client = sign_in(cast.clerk)
    answer = client.get(reverse("thumbnail", args=[page.pk]))
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.format == "JPEG"
        assert image.width > image.height, "a portrait page that lies is shown turned"
        assert max(image.size) <= 256
    again = client.get(reverse("thumbnail", args=[page.pk]), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_the_office_goes_through_its_acts(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case = open_case(cast)
    hand_in_everything(case)
    clerk, officer = sign_in(cast.clerk), sign_in(cast.officer)
    clerk.post(reverse("submit_case", args=[case.number]))
    handling = case.handlings.get()
    officer.post(reverse("pre_review", args=[handling.pk]))
    officer.post(reverse("accept", args=[handling.pk]))
    handling.refresh_from_db()
    assert handling.state == HandlingState.ACCEPTED
    without = officer.post(reverse("decide", args=[handling.pk]), {"result_name": "资质证书"})
    assert without.status_code == 409
    assert "资质证书" in without.content.decode()
    done = officer.post(
        reverse("decide", args=[handling.pk]), {"verdict": "approved", "result_name": "资质证书"}, follow=True
    )
    assert done.status_code == 200
    assert Original.objects.get(kind=Original.Kind.RESULT).place == Original.Place.OFFICE


def test_a_supplement_without_a_word_is_refused_and_with_one_reaches_the_window(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    hand_in_everything(case)
    clerk, officer = sign_in(cast.clerk), sign_in(cast.officer)
    clerk.post(reverse("submit_case", args=[case.number]))
    handling = case.handlings.get()
    assert officer.post(reverse("supplement", args=[handling.pk]), {"reason": " "}).status_code == 409
    officer.post(reverse("supplement", args=[handling.pk]), {"reason": "申请表第 2 页未盖章"})
    assert "申请表第 2 页未盖章" in text(clerk, reverse("case", args=[case.number]))
    clerk.post(reverse("resubmit", args=[handling.pk]))
    handling.refresh_from_db()
    assert handling.state == HandlingState.PENDING


def test_a_second_click_has_no_second_effect(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case = open_case(cast)
    hand_in_everything(case)
    client = sign_in(cast.clerk)
    for _ in range(2):
        client.post(reverse("submit_case", args=[case.number]))
    assert Event.objects.filter(kind="case.submitted").count() == 1


def test_the_case_page_asks_a_constant_number_of_queries(road: Road, sign_in: SignIn) -> None:
    client = sign_in(road.cast.clerk)
    address = reverse("case", args=[road.case.number])
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        counts.append(len(queries))
        for material in road.case.materials.all():
            hand_in(material, pages=3)
    assert counts[0] == counts[1]
    assert counts[0] <= 45


def test_a_search_finds_by_number_by_name_and_by_phone_and_never_in_the_address(
    cast: Cast, sign_in: SignIn
) -> None:
    case = open_case(cast)
    client = sign_in(cast.clerk)
    for words in (case.number, "暨通", "13800138000"):
        answer = client.post(reverse("search"), {"text": words})
        assert answer.status_code == 302, words
        assert answer.url == reverse("case", args=[case.number])  # type: ignore[attr-defined]
    assert client.get(reverse("search")).status_code == 405
    stranger = sign_in(cast.other_clerk).post(reverse("search"), {"text": case.number})
    assert "没有找到" in stranger.content.decode()


def test_withdrawing_asks_for_a_reason(cast: Cast, sign_in: SignIn) -> None:
    case = open_case(cast)
    client = sign_in(cast.clerk)
    assert client.post(reverse("withdraw", args=[case.number]), {"reason": ""}).status_code == 409
    client.post(reverse("withdraw", args=[case.number]), {"reason": "申请人改日再来"})
    assert Case.objects.get().state == CaseState.WITHDRAWN
