"""提交前一次性告知: what a draft still lacks, on one paper to take home; said in the offices' name, under their grants."""

import pytest
from django.test import Client
from django.urls import reverse

from ingest.models import Case, Handling
from ingest.rules import CaseState, Gap, MaterialFacts, NotNow, gaps
from ingest.services.handlings import ask_supplement
from ingest.services.intake import Incomplete, submit
from ingest.services.shortfall import tell_shortfall
from registry.granting import revoke_grant
from registry.models import Event, Grant, Slip, User
from registry.paper.issue import print_slip, slip_pdf
from registry.permissions import NotYours
from registry.rules import Unlawful
from registry.terms import Right
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in, hand_in_everything
from workers.reactions import REACTIONS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """A draft without consent, without a look at anybody, with one page of two."""
    case = open_case(cast)
    Case.objects.filter(pk=case.pk).update(agent_consent=False)
    first = case.materials.get(position=1)
    first.requirement.minimum_pages = 2
    first.requirement.save()
    hand_in(first)
    case.refresh_from_db()
    return case


def tell(case: Case, cast: Cast, remarks: str = "") -> Slip:
    return tell_shortfall(case=case, remarks=remarks, actor=cast.clerk, now=NOW)


def lines(slip: Slip) -> list[tuple[str, str]]:
    return [(line["name"], line["fault"]) for line in slip.data["missing"]]


def test_everything_for_which_it_could_not_be_submitted_stands_on_one_paper(case: Case, cast: Cast) -> None:
    slip = tell(case, cast, "申请表未盖章\n\n请带公章")
    told = lines(slip)
    with pytest.raises(Incomplete) as refused:
        submit(case=case, actor=cast.clerk, now=NOW)
    assert ("申请表", "应有 2 页，现有 1 页") in told
    missing = [name for name, fault in told if fault == "缺少"]
    assert missing
    assert all(f"缺少“{name}”" in refused.value.message for name in missing)
    assert told[-4:] == [
        ("代办委托", "申请人尚未同意由窗口代办"),
        ("身份证件", "尚未核验"),
        ("申请表", "申请表未盖章"),
        ("其他", "请带公章"),
    ]
    assert (slip.number, slip.window, slip.case_number) == (
        "通办补字〔2026〕00001号",
        cast.zhuji,
        case.number,
    )


def test_the_same_gaps_are_the_same_paper_and_others_the_next_one(case: Case, cast: Cast) -> None:
    first = tell(case, cast)
    assert tell(case, cast) == first
    hand_in(case.materials.get(position=1))
    second = tell(case, cast)
    assert (second.revision, second.number) == (2, "通办补字〔2026〕00002号")
    assert len(lines(second)) == len(lines(first)) - 1
    assert Event.objects.filter(kind="case.shortfall_told").count() == 2


def test_it_is_kept_as_it_was_handed_out_and_bears_the_grant(case: Case, cast: Cast) -> None:
    slip = tell(case, cast)
    made = slip_pdf(slip)
    assert made.startswith(b"%PDF")
    assert slip_pdf(print_slip(slip=slip, now=NOW)) == made
    event = Event.objects.get(kind="case.shortfall_told")
    right = Grant.objects.get(office=cast.taizhou, right=Right.NOTIFY.value, region_id="330681")
    assert event.data == {"number": slip.number, "lines": len(lines(slip)), "grants": [right.pk]}
    assert "print_slip" in {reaction.name for reaction in REACTIONS["slip.issued"]}


def test_without_the_right_to_notify_nothing_is_told_and_the_sentence_says_whom_to_ask(
    case: Case, cast: Cast
) -> None:
    right = Grant.objects.get(office=cast.taizhou, right=Right.NOTIFY.value, region_id="330681")
    revoke_grant(grant=right, reason="改由部门告知", actor=cast.administrator, now=NOW)
    with pytest.raises(Unlawful) as refused:
        tell(case, cast)
    assert refused.value.code == "no_grant_notify"
    assert "联络员" in refused.value.message
    assert not Slip.objects.exists()


def test_no_clock_runs_and_the_offices_one_notice_remains(case: Case, cast: Cast) -> None:
    tell(case, cast)
    handling = case.handlings.get()
    assert (case.state, handling.deadline, handling.noticed_at) == (CaseState.DRAFT, None, None)
    assert not handling.delays.exists()
    Case.objects.filter(pk=case.pk).update(agent_consent=True)
    case.refresh_from_db()
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    handling = Handling.objects.get(pk=handling.pk)
    ask_supplement(handling=handling, reason="经营范围不符", actor=cast.officer, now=NOW)
    assert handling.noticed_at == NOW
    with pytest.raises(NotNow) as refused:
        tell(case, cast)
    assert refused.value.code == "shortfall_state"


def test_a_complete_draft_has_nothing_to_be_told(cast: Cast) -> None:
    case = open_case(cast)
    hand_in_everything(case)
    with pytest.raises(Incomplete) as refused:
        tell(case, cast)
    assert refused.value.code == "shortfall_none"
    assert lines(tell(case, cast, "申请表未盖章")) == [("申请表", "申请表未盖章")]


def test_only_the_window_of_the_case_tells(case: Case, cast: Cast) -> None:
    for stranger in (cast.other_clerk, cast.officer, cast.finance, cast.administrator, cast.auditor):
        with pytest.raises(NotYours):
            tell_shortfall(case=case, remarks="", actor=stranger, now=NOW)


def test_one_click_on_the_draft_prints_it_and_the_case_keeps_it(
    case: Case, cast: Cast, client: Client
) -> None:
    client.force_login(User.objects.get(username="clerk"))
    address = reverse("tell_shortfall", args=[case.number])
    assert address in client.get(reverse("case", args=[case.number])).text
    answers = [client.post(address) for _ in range(2)]
    assert [answer["Content-Type"] for answer in answers] == ["application/pdf"] * 2
    assert answers[0].content == answers[1].content
    assert "no-store" in answers[0]["Cache-Control"]
    slip = Slip.objects.get()
    page = client.get(reverse("case", args=[case.number])).text
    assert slip.number in page
    assert "收件前一次性告知书" in page
    long = client.post(address, {"remarks": "缺" * 201})
    assert (long.status_code, "至多 200 个字" in long.text) == (409, True)


def test_a_gap_says_what_to_bring() -> None:
    row = MaterialFacts(
        name="户口簿",
        pages=0,
        minimum_pages=2,
        required=True,
        deferred=False,
        shared_data=False,
        deferrable=True,
        form="原件",
    )
    assert gaps([row]) == [
        Gap(
            "户口簿",
            "缺少",
            "请提交原件，不少于 2 页。暂时不能提交的，可以书面承诺容缺后补。",
        )
    ]
