"""The talks of a window and an office at their pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingest.models import Case, Message
from ingest.rules import CaseState
from ingest.services.talking import write_message
from tests.cast import APPLICANT, NOW, Cast, further_on, open_case
from tests.config.conftest import SignIn

PHONE = "13912345678"


def submitted(cast: Cast) -> Case:
    return further_on(open_case(cast), CaseState.SUBMITTED)


def test_a_question_is_asked_and_answered(cast: Cast, sign_in: SignIn) -> None:
    case, clerk, officer = submitted(cast), sign_in(cast.clerk), sign_in(cast.officer)
    talk, write = reverse("talk", args=[case.number]), reverse("write_message", args=[case.number])
    assert "还没有留言" in clerk.get(talk).content.decode()
    answer = clerk.post(write, {"text": "章程要原件吗"}, follow=True).content.decode()
    assert "已留言" in answer
    assert "章程要原件吗" in answer
    listed = officer.get(reverse("talks"), {"unread": "1"}).content.decode()
    assert case.number in listed
    assert "有未读" in officer.get(reverse("case", args=[case.number])).content.decode()
    work = reverse("worklist", args=["running"])
    assert "有未读留言" not in clerk.get(work).content.decode()
    assert "章程要原件吗" in officer.get(talk).content.decode()
    assert "没有未读的留言" in officer.get(reverse("talks"), {"unread": "1"}).content.decode()
    officer.post(write, {"text": "复印件即可"})
    assert "有未读留言" in clerk.get(work).content.decode()
    shown = clerk.get(talk).content.decode()
    assert cast.taizhou.name in shown
    assert "复印件即可" in shown
    assert "通办中" in shown


def test_before_submission_the_office_sees_the_question_and_not_the_applicant(
    cast: Cast, sign_in: SignIn
) -> None:
    case = open_case(cast)
    officer = sign_in(cast.officer)
    talk = reverse("talk", args=[case.number])
    assert officer.get(talk).status_code == 404
    sign_in(cast.clerk).post(reverse("write_message", args=[case.number]), {"text": "能办吗"})
    shown = officer.get(talk).content.decode()
    assert "能办吗" in shown
    assert "通办前" in shown
    assert APPLICANT.name not in shown
    assert officer.get(reverse("case", args=[case.number])).status_code == 404


def test_a_number_is_asked_back_then_masked_then_shown_on_record(cast: Cast, sign_in: SignIn) -> None:
    case, clerk = submitted(cast), sign_in(cast.clerk)
    write = reverse("write_message", args=[case.number])
    refused = clerk.post(write, {"text": f"联系人 {PHONE}"})
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "请删去后再提交" in page
    assert f"联系人 {PHONE}</textarea>" in page, "what was typed is kept"
    clerk.post(write, {"text": f"联系人 {PHONE}", "keep": "1"})
    officer = sign_in(cast.officer)
    masked = officer.get(reverse("talk", args=[case.number])).content.decode()
    assert PHONE not in masked
    assert "显示号码" in masked
    shown = officer.post(reverse("reveal_numbers", args=[Message.objects.get().pk]))
    assert PHONE in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"


def test_a_message_is_taken_back_by_its_writer(cast: Cast, sign_in: SignIn) -> None:
    case = submitted(cast)
    message = write_message(case=case, text="写错了件", actor=cast.clerk, now=NOW)
    retract = reverse("retract_message", args=[message.pk])
    assert sign_in(cast.officer).post(retract).status_code == 409
    page = sign_in(cast.clerk).post(retract, follow=True).content.decode()
    assert "已撤回" in page
    assert "写错了件" not in page


def test_messages_are_text_and_never_markup(cast: Cast, sign_in: SignIn) -> None:
    case = submitted(cast)
    write_message(case=case, text="<b>粗</b>", actor=cast.clerk, now=NOW)
    page = sign_in(cast.officer).get(reverse("talk", args=[case.number])).content.decode()
    assert "<b>粗</b>" not in page
    assert "&lt;b&gt;粗" in page


@pytest.mark.parametrize("who", ["clerk", "officer"])
def test_more_talks_take_no_more_queries(who: str, cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(getattr(cast, who))
    counts = []
    for more in (1, 6):
        for _ in range(more):
            case = submitted(cast)
            for text in ("一", "二"):
                write_message(case=case, text=text, actor=cast.clerk, now=NOW)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("talks")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 8


def test_talks_are_read_page_by_page_the_newest_first(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.pages.talk.PAGE_SIZE", 2)
    cases = [submitted(cast) for _ in range(3)]
    for case in (*cases, cases[0]):
        write_message(case=case, text="好", actor=cast.clerk, now=NOW)
    client = sign_in(cast.officer)
    first = client.get(reverse("talks"))
    second = client.get(reverse("talks"), {"after": first.context["next"]})
    seen = [row[0].case for answer in (first, second) for row in answer.context["rows"]]
    assert seen == [cases[0], cases[2], cases[1]]
