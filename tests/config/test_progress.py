"""办理进度 as the applicant reads it: in everyday words, masked, without an account."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse

from config.pages.progress_sheet import PLACES, STAGES
from ingest.models import Case, Material, Original
from ingest.rules import CaseState
from ingest.services.enquiring import WRONG_TAILS_A_DAY
from ingest.services.handlings import ask_supplement
from ingest.slips import receipt_of
from logistics.services.custody import hand_over
from registry.actors import SYSTEM
from registry.models import Event
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.terms import Delivery
from tests.cast import APPLICANT, NOW
from tests.config.conftest import SignIn
from tests.logistics.road import Road

TAIL = APPLICANT.phone[-4:]


def ask(case: Case, tail: str = TAIL) -> tuple[int, str]:
    answer = Client().post("/progress/", {"number": case.number, "tail": tail})
    return answer.status_code, answer.text


def link_of(case: Case) -> str:
    """The path in the code of the receipt that the applicant was given."""
    slip = issue(
        kind=SlipKind.RECEIPT,
        subject=case,
        data=receipt_of(case, received_at=NOW),
        actor=SYSTEM,
        now=NOW,
    )
    return "/P/" + str(slip.data["code"]).rpartition("/")[2]


def test_every_stage_and_place_has_everyday_words() -> None:
    assert set(STAGES) == set(CaseState.values())
    assert set(PLACES) == set(Original.Place.values)


def test_anybody_finds_the_form(db: None) -> None:
    page = Client().get("/progress/")
    assert (page.status_code, "不需要登录" in page.text) == (200, True)
    assert page["Cache-Control"] == "no-store"


def test_a_parcel_on_the_road_is_told_with_its_number(road: Road) -> None:
    waybill = road.pre_reviewed().registered()
    status, before = ask(road.case)
    assert (status, waybill.number in before) == (200, False)
    assert "2 份申请材料原件在寄送途中" not in before
    hand_over(token=waybill.parcel.token_text, actor=road.cast.clerk, now=NOW + timedelta(minutes=5))
    page = ask(road.case)[1]
    for words in (
        "初步审查已通过",
        "2 份申请材料原件在寄送途中",
        "中性快递",
        waybill.number,
        "邮寄",
        "已同意",
    ):
        assert words in page


def test_what_is_personal_is_not_shown(road: Road) -> None:
    Case.objects.filter(pk=road.case.pk).update(applicant_name="张三丰")
    Material.objects.filter(case=road.case, position=1).update(deferred_until=NOW.date())
    page = ask(road.case)[1]
    assert "张**" in page
    for secret in ("张三丰", APPLICANT.phone, APPLICANT.id_number, APPLICANT.address):
        assert secret not in page


def test_what_is_missing_is_said_line_by_line(road: Road) -> None:
    notice = "缺少营业执照副本；申请表第 2 页未签字，请联系 13912345678"
    ask_supplement(handling=road.handling, reason=notice, actor=road.cast.officer, now=NOW)
    page = ask(road.case)[1]
    assert "需要您补交材料" in page
    assert "<li>缺少营业执照副本</li>" in page
    assert "13912345678" not in page


def test_the_link_on_the_slip_shows_the_stage_alone(road: Road) -> None:
    link = link_of(road.case)
    page = Client().get(link).text
    assert "已交审批部门" in page
    for kept_back in (road.case.number, road.case.item.name, "暨通", "承诺"):
        assert kept_back not in page.replace("承诺日期", "")
    assert Event.objects.filter(kind="progress.stage_seen").count() == 1
    opened = Client().post(link, {"tail": TAIL})
    assert road.case.item.name in opened.text
    assert Client().post(link, {"tail": "1234"}).status_code == 404


def test_refusals_have_fitting_statuses_and_sentences(road: Road) -> None:
    assert Client().get("/P/nonsense").status_code == 404
    assert ask(road.case, "12")[0] == 409
    answers = [ask(road.case, "1234") for _ in range(WRONG_TAILS_A_DAY + 1)]
    assert [status for status, _ in answers] == [404] * WRONG_TAILS_A_DAY + [429]
    assert "到收件窗口查询" in answers[-1][1]


def test_the_clerk_changes_the_choice_and_the_applicant_reads_it(road: Road, sign_in: SignIn) -> None:
    clerk, number = sign_in(road.cast.clerk), road.case.number
    address = reverse("change_choices", args=[number])
    assert "更改申请人的选择" in clerk.get(reverse("case", args=[number])).text
    answer = clerk.post(address, {"delivery": Delivery.WINDOW.value, "agent_consent": "on"}, follow=True)
    assert "已按申请人的意思更改" in answer.text
    assert "窗口领取" in ask(road.case)[1]
    refused = clerk.post(address, {"delivery": Delivery.WINDOW.value})
    assert (refused.status_code, "请撤回办件" in refused.text) == (409, True)
