"""Problem reports, handbook, examples, grades and figures at their pages."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ingest.models import Case, Example, HandbookEntry, Problem, ProblemEntry, Rating
from ingest.rules import CaseState
from ingest.services.problems import Report, report_problem
from ingest.services.rating import ask_satisfaction, rate
from registry.rules.problems import ProblemKind
from tests.cast import APPLICANT, NOW, Cast, further_on, open_case
from tests.config.conftest import SignIn
from tests.config.shared_work import plant

PHONE = "13912345678"


def closed(cast: Cast) -> Case:
    return further_on(open_case(cast), CaseState.CLOSED, closed_at=NOW)


def text(client: Client, name: str, *args: object, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_problem_goes_from_the_case_to_the_handbook(cast: Cast, sign_in: SignIn) -> None:
    case = closed(cast)
    clerk, officer, editor = (sign_in(who) for who in (cast.clerk, cast.officer, cast.administrator))
    assert "填报问题" in text(clerk, "case", case.number)
    assert f'value="{cast.taizhou.name}"' in text(clerk, "problems", case=case.number), (
        "the other side answers"
    )
    told = {"kind": "材料不同", "case": case.number, "office": cast.taizhou.name, "words": "章程要原件吗"}
    assert clerk.post(reverse("report_problem"), told).status_code == 302
    problem = Problem.objects.get()
    assert "章程要原件吗" in text(officer, "problems")
    assert "已超期" not in text(officer, "problems")
    Problem.objects.update(due_on=NOW.date())
    assert "已超期" in text(officer, "problems", list="late")
    officer.post(reverse("answer_problem", args=[problem.pk]), {"words": "复印件即可"})
    assert "确认解决" in text(clerk, "problem", problem.pk)
    clerk.post(reverse("solve_problem", args=[problem.pk]))
    assert "章程要原件吗" in text(editor, "handbook_desk")
    entry = HandbookEntry.objects.get()
    editor.post(
        reverse("review_entry", args=[entry.pk]),
        {"question": "章程交什么", "answer": "复印件加盖公章", "decision": "ready"},
    )
    assert "还没有出版" in text(clerk, "handbook")
    editor.post(reverse("publish_handbook"), {"centre": "centre-331000"})
    assert "章程交什么" in text(clerk, "handbook", q="公章")
    assert "章程交什么" not in text(clerk, "handbook", q="周末")
    file = officer.get(reverse("handbook_file"))
    assert file.content.startswith(b"%PDF")


def test_a_report_that_went_astray_is_passed_on(cast: Cast, objects: None, sign_in: SignIn) -> None:
    problem, officer = plant(closed(cast), cast).problem, sign_in(cast.officer)
    pass_on = reverse("pass_on_problem", args=[problem.pk])
    refused = officer.post(pass_on, {"office": "没有这个局", "why": "不归本局"})
    assert refused.status_code == 409
    assert "不归本局</textarea>" in refused.content.decode()
    told = {"office": cast.wenling.code, "why": "不归本局"}
    assert f"{problem.number} 已转办" in officer.post(pass_on, told, follow=True).content.decode()
    assert "不归本局" in text(sign_in(cast.other_officer), "problem", problem.pk)


def test_a_refused_report_keeps_what_was_typed(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.clerk).post(
        reverse("report_problem"), {"kind": "其他", "office": "没有这个局", "words": "甲乙不一"}
    )
    assert answer.status_code == 409
    assert "没有找到审批部门" in answer.content.decode()
    assert "甲乙不一</textarea>" in answer.content.decode()


def test_who_supervises_sees_the_report_and_not_the_case(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case = closed(cast)
    problem = plant(case, cast).problem
    assert case.number in text(sign_in(cast.officer), "problem", problem.pk)
    assert case.number not in text(sign_in(cast.administrator), "problem", problem.pk)


def test_how_long_answers_may_take_is_set_by_the_administrator(cast: Cast, sign_in: SignIn) -> None:
    told = {"kind": "系统问题", "workdays": "4", "valid_from": "2026-01-01", "source": "会商纪要"}
    client = sign_in(cast.administrator)
    assert client.post(reverse("problem_time"), told).status_code == 302
    assert "会商纪要" in text(client, "problems")
    assert client.post(reverse("problem_time"), {**told, "workdays": "99"}).status_code == 409
    assert sign_in(cast.clerk).post(reverse("problem_time"), told).status_code == 404


def test_a_closed_case_is_told_as_an_example(cast: Cast, sign_in: SignIn) -> None:
    case, clerk, editor = closed(cast), sign_in(cast.clerk), sign_in(cast.administrator)
    words = {"title": "两地同办", "situation": "迁址", "solution": "代办", "effect": "少跑"}
    refused = clerk.post(reverse("example", args=[case.number]), {**words, "effect": APPLICANT.name})
    assert refused.status_code == 409
    assert "改写为不能认出当事人的说法" in refused.content.decode()
    clerk.post(reverse("example", args=[case.number]), words)
    assert "两地同办" in text(editor, "handbook_desk")
    editor.post(reverse("decide_example", args=[Example.objects.get().pk]), {"decision": "approve"})
    assert Example.objects.get().state == "approved"
    assert "已收录" in text(clerk, "example", case.number)


def test_the_applicant_grades_without_login_and_once(cast: Cast, sign_in: SignIn) -> None:
    case = closed(cast)
    address = reverse("rating", args=[ask_satisfaction(case=case, now=case.closed_at or NOW).token_text])
    ask = case.rating_ask
    type(ask).objects.update(asked_at="2126-01-01T00:00:00Z")
    shown = Client().get(address)
    page = shown.content.decode()
    assert case.item.name in page
    assert case.number not in page
    assert APPLICANT.name not in page
    assert (shown["Cache-Control"], shown["Referrer-Policy"]) == ("no-store", "no-referrer")
    forgotten = Client().post(address, {"words": "办得慢"})
    assert forgotten.status_code == 409
    assert "办得慢</textarea>" in forgotten.content.decode()
    given = Client().post(address, {"grade": "bad", "concern": "office", "words": f"打{PHONE}没人接"})
    assert "我们会查找原因并整改" in given.content.decode()
    assert "每件只能评价一次" in Client().post(address, {"grade": "good"}).content.decode()
    assert "您已经评价过" in Client().get(address).content.decode()
    officer = sign_in(cast.officer)
    listed = text(officer, "ratings", bad="1")
    assert "不满意" in listed
    assert PHONE not in listed
    problem = text(officer, "problem", Problem.objects.get().pk)
    assert "差评回访" in problem
    assert "没人接" in problem
    assert PHONE not in problem


def test_a_guessed_link_is_not_found_and_too_many_are_braked(cast: Cast) -> None:
    client = Client()
    assert client.get(reverse("rating", args=["TB1-R-AA-AAAA"])).status_code == 404
    statuses = {client.get(reverse("rating", args=[f"x{number}"])).status_code for number in range(25)}
    assert statuses == {404, 429}


def test_the_clerk_shows_the_code_until_it_was_used(cast: Cast, sign_in: SignIn) -> None:
    case, clerk = closed(cast), sign_in(cast.clerk)
    assert "扫码评价" not in text(clerk, "case", case.number)
    ask = ask_satisfaction(case=case, now=timezone.now())
    page = text(clerk, "case", case.number)
    assert "扫码评价" in page
    assert 'class="qr"' in page
    assert "扫码评价" not in text(sign_in(cast.officer), "case", case.number)
    rate(token=ask.token_text, grade="good", concern="window", words="", caller="x", now=timezone.now())
    assert Rating.objects.exists()
    assert "申请人已评价" in text(clerk, "case", case.number)


def test_whoever_may_read_the_progress_finds_the_question_there(cast: Cast) -> None:
    case = closed(cast)
    ask = ask_satisfaction(case=case, now=timezone.now())
    told = {"number": case.number, "tail": APPLICANT.phone[-4:]}
    link = reverse("rating", args=[ask.token_text])
    assert link in Client().post(reverse("progress"), told).content.decode()
    assert link not in Client().post(reverse("progress"), {**told, "tail": "0000"}).content.decode()
    rate(token=ask.token_text, grade="good", concern="window", words="", caller="x", now=timezone.now())
    assert link not in Client().post(reverse("progress"), told).content.decode()


def test_figures_stand_beside_their_definitions(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    page = text(client, "figures", first="2026-01", last="2026-04")
    for words in ("按期办结率", "不晚于承诺办结日期", "莆田 §一", "—", "2026-03"):
        assert words in page
    assert "0.0%" not in page
    alone = text(client, "figures", first="2026-03", last="2026-03", by="office", key=cast.taizhou.code)
    assert "只看审批部门" in alone
    assert cast.taizhou.name in alone
    refused = client.get(reverse("figures"), {"first": "2026-04", "last": "2026-01"})
    assert refused.status_code == 409
    file = client.get(reverse("figures_file"), {"first": "2026-01", "last": "2026-04"})
    assert "按期办结率分母" in file.content.decode("utf-8-sig")
    chart = client.get(reverse("figures_chart", args=["office"]), {"first": "2026-01", "last": "2026-04"})
    assert chart.status_code == 409


@pytest.mark.parametrize("name", ["problems", "ratings", "handbook_desk"])
def test_more_rows_take_no_more_queries(name: str, cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    counts = []
    for more in (1, 5):
        for _ in range(more):
            report = Report(ProblemKind.OTHER, "甲乙不一", owner_office=cast.taizhou, item=cast.item)
            problem = report_problem(report=report, actor=cast.clerk, now=NOW)
            HandbookEntry.objects.create(problem=problem, kind="other", question="问", answer="答")
            ask = ask_satisfaction(case=closed(cast), now=NOW)
            rate(token=ask.token_text, grade="bad", concern="office", words="慢", caller="x", now=NOW)
            Example.objects.create(
                case=ask.case, title="例", situation="一", solution="二", effect="三",
                place="甲", proposed_by="clerk", proposed_at=NOW,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(name)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 14
    assert ProblemEntry.objects.count() == 12
