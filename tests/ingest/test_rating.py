"""好差评: asked once by an opaque link when the case is closed, answered once, and a bad grade is always followed up."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from ingest.models import Case, Problem, Rating, RatingAsk
from ingest.rules import CaseState
from ingest.services.problems import answer_problem, solve_problem
from ingest.services.rating import BRAKE, NoSuchAsk, ask_of, ask_satisfaction, find_ask, rate, ratings_of
from registry.braking import TooOften
from registry.models import Event
from registry.rules.problems import ProblemKind, ProblemState
from registry.tokens import Purpose, mint, write
from storage.errors import Refused
from tests.cast import APPLICANT, NOW, Cast, assemble, further_on, open_case

HERE = "192.0.2.7"
LATER = NOW + timedelta(days=2)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return further_on(open_case(cast), CaseState.CLOSED, closed_at=NOW)


@pytest.fixture
def ask(case: Case) -> RatingAsk:
    return ask_satisfaction(case=case, now=NOW)


def give(ask: RatingAsk, grade: str = "good", concern: str = "window", words: str = "") -> Rating:
    return rate(token=ask.token_text, grade=grade, concern=concern, words=words, caller=HERE, now=LATER)


def test_a_closed_case_is_asked_once_and_an_open_one_is_not(case: Case, cast: Cast) -> None:
    first, again = (ask_satisfaction(case=case, now=NOW) for _ in range(2))
    assert first == again
    assert Event.objects.filter(kind="rating.asked").count() == 1
    with pytest.raises(Refused, match="归结后才请申请人评价"):
        ask_satisfaction(case=open_case(cast), now=NOW)


def test_the_link_says_nothing_about_anybody(ask: RatingAsk) -> None:
    for known in (ask.case.number, APPLICANT.name, APPLICANT.phone, str(ask.case.pk)):
        assert known not in ask.token_text or len(known) < 4
    assert ask.token_text.startswith("TB1-R-")


def test_it_is_answered_once(ask: RatingAsk) -> None:
    rating = give(ask, "very_good", words="办得快")
    assert (rating.grade, rating.words, rating.problem) == ("very_good", "办得快", None)
    with pytest.raises(Refused, match="每件只能评价一次"):
        give(ask, "bad")
    assert Rating.objects.count() == 1
    assert not Problem.objects.exists()
    assert ask_of(ask.case, now=LATER) is None


@pytest.mark.parametrize(
    ("concern", "by_office"), [("window", False), ("office", True), ("carriage", False), ("nonsense", False)]
)
@pytest.mark.parametrize("grade", ["bad", "very_bad"])
def test_a_bad_grade_opens_a_report_with_an_owner_and_a_day(
    grade: str, concern: str, by_office: bool, ask: RatingAsk, cast: Cast
) -> None:
    rating = give(ask, grade, concern, words="等了很久")
    problem = rating.problem
    assert problem is not None
    assert (problem.kind, problem.state) == (ProblemKind.RATING, ProblemState.OPEN)
    assert problem.owner == (cast.taizhou.name if by_office else cast.zhuji.name)
    assert problem.reporter == "申请人评价"
    assert str(problem.due_on) == "2026-03-17", "three working days from the grade"
    told = Event.objects.get(kind="rating.given")
    assert told.data["problem"] == problem.number
    assert "等了很久" not in str(list(Event.objects.values_list("data", flat=True)))
    assert "等了很久" not in problem.entries.get().words


def test_the_follow_up_is_confirmed_by_who_supervises_and_is_no_question_for_the_handbook(
    ask: RatingAsk, cast: Cast
) -> None:
    problem = give(ask, "bad").problem
    assert problem is not None
    answer_problem(problem=problem, words="已回访并致歉", actor=cast.clerk, now=LATER)
    with pytest.raises(Refused, match="由管理员确认是否解决"):
        solve_problem(problem=problem, actor=cast.clerk, now=LATER)
    solve_problem(problem=problem, actor=cast.administrator, now=LATER)
    assert problem.state == ProblemState.SOLVED
    assert not hasattr(problem, "handbook_entry")


def test_the_database_takes_no_bad_grade_without_a_follow_up(ask: RatingAsk) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(ask=ask, grade="bad", concern="window", at=NOW)


def test_what_is_no_answer_is_refused(ask: RatingAsk) -> None:
    with pytest.raises(Refused, match="请选择一项评价"):
        give(ask, "excellent")
    with pytest.raises(Refused, match="至多 300 个字"):
        give(ask, words="长" * 301)
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    "token",
    [
        "TB1-R-AA-AAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAA",
        "hello",
        "",
    ],
)
def test_a_guessed_link_opens_nothing(token: str, ask: RatingAsk) -> None:
    with pytest.raises(NoSuchAsk, match="链接无效"):
        find_ask(token=token, caller=HERE, now=LATER)


def test_a_genuine_code_of_something_else_opens_nothing(ask: RatingAsk) -> None:
    for token in (write(Purpose.CASE, ask.code).text, mint(Purpose.RATING).text):
        with pytest.raises(NoSuchAsk, match="链接无效"):
            find_ask(token=token, caller=HERE, now=LATER)


def test_grading_ends(ask: RatingAsk) -> None:
    end = NOW + timedelta(days=60)
    assert not find_ask(token=ask.token_text, caller=HERE, now=end - timedelta(seconds=1)).over
    assert ask_of(ask.case, now=end - timedelta(seconds=1)) == ask
    assert ask_of(ask.case, now=end) is None
    assert find_ask(token=ask.token_text, caller=HERE, now=end).over
    with pytest.raises(NoSuchAsk, match="评价期已过"):
        rate(token=ask.token_text, grade="good", concern="window", words="", caller=HERE, now=end)


def test_who_calls_too_often_is_braked(ask: RatingAsk) -> None:
    for _ in range(BRAKE.from_one):
        find_ask(token=ask.token_text, caller=HERE, now=LATER)
    with pytest.raises(TooOften):
        find_ask(token=ask.token_text, caller=HERE, now=LATER)
    find_ask(token=ask.token_text, caller="192.0.2.8", now=LATER)


def test_words_are_encrypted(ask: RatingAsk) -> None:
    give(ask, words="办得快")
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM ingest_rating")
        (stored,) = cursor.fetchone()
    assert "办得快" not in stored


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("clerk", 1), ("officer", 1), ("administrator", 1),
        ("other_clerk", 0), ("other_officer", 0), ("finance", 0), ("auditor", 0),
    ],
)  # fmt: skip
def test_answers_are_for_those_they_concern(who: str, seen: int, ask: RatingAsk, cast: Cast) -> None:
    give(ask)
    assert ratings_of(actor=getattr(cast, who)).count() == seen
    assert ratings_of(actor=getattr(cast, who), bad_only=True).count() == 0


@pytest.mark.usefixtures("append_only")
def test_the_database_lets_nobody_edit_a_grade(ask: RatingAsk) -> None:
    give(ask)
    for statement in ("UPDATE ingest_rating SET grade = 'good'", "DELETE FROM ingest_rating"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
