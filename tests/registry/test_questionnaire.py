"""审查要点: nothing is accepted while a question is open or answered against acceptance."""

import pytest

from registry.rules import Unlawful
from registry.rules.questionnaire import Answer, Point, check_answers, points_data, points_of
from storage.errors import Refused

POINTS = (Point("q1", "申请表已盖章"), Point("q2", "有不良记录", expect=False))
GOOD = {"q1": Answer(value=True), "q2": Answer(value=False)}


def test_every_point_answered_as_expected_lets_the_case_be_accepted() -> None:
    check_answers(POINTS, GOOD)
    check_answers((), {})


def test_one_refusal_names_every_open_question() -> None:
    with pytest.raises(Unlawful) as refused:
        check_answers(POINTS, {"q1": Answer(value=None)})
    assert refused.value.code == "points_open"
    assert "申请表已盖章" in refused.value.message
    assert "有不良记录" in refused.value.message
    assert "莆田 §四(二)" in refused.value.message


def test_an_answer_against_acceptance_is_named() -> None:
    with pytest.raises(Unlawful) as refused:
        check_answers(POINTS, {**GOOD, "q2": Answer(value=True)})
    assert refused.value.code == "points_against"
    assert "有不良记录" in refused.value.message
    assert "申请表" not in refused.value.message


def test_what_does_not_apply_needs_a_reason() -> None:
    check_answers(POINTS, {**GOOD, "q1": Answer(value=None, reason="个人申请，无公章")})
    with pytest.raises(Unlawful):
        check_answers(POINTS, {**GOOD, "q1": Answer(value=None, reason="  ")})


def test_the_questionnaire_is_kept_as_data_and_comes_back_whole() -> None:
    assert points_of(points_data(POINTS)) == POINTS


@pytest.mark.parametrize(
    "rows",
    [
        [{"code": "q1", "question": ""}],
        [{"code": "", "question": "有吗"}],
        [{"code": "q1", "question": "有吗"}, {"code": "q1", "question": "还有吗"}],
        [{"code": "q1", "question": "有吗", "expect": "yes"}],
    ],
)
def test_what_is_no_questionnaire_is_refused(rows: list[dict[str, object]]) -> None:
    with pytest.raises(Refused) as refused:
        points_of(rows)
    assert refused.value.code == "bad_points"
