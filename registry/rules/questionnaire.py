"""审查要点: the questions of the 审批导图 that a window answers before it accepts (putian §四(二), §五(二))."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.rules.lawful import Unlawful
from storage.errors import Refused


@dataclass(frozen=True)
class Point:
    """One question that is answered 是 or 否; `expect` is the answer with which the case may go on."""

    code: str
    question: str
    expect: bool = True


@dataclass(frozen=True)
class Answer:
    """What the clerk found. Only a question that does not apply to this case may stay open, with its reason."""

    value: bool | None
    reason: str = ""


def points_of(data: Iterable[Mapping[str, Any]]) -> tuple[Point, ...]:
    """The questionnaire as an item version keeps it. Raises Refused for what is no questionnaire."""
    points = tuple(
        Point(str(row.get("code", "")).strip(), str(row.get("question", "")).strip(), _expected(row))
        for row in data
    )
    codes = [point.code for point in points]
    if any(not point.code or not point.question for point in points):
        raise Refused("bad_points", "每个审查要点都要有编号和问题。")
    if len(set(codes)) != len(codes):
        raise Refused("bad_points", "审查要点的编号不能重复。")
    return points


def points_data(points: Iterable[Point]) -> list[dict[str, Any]]:
    """The reverse of `points_of`."""
    return [{"code": point.code, "question": point.question, "expect": point.expect} for point in points]


def check_answers(points: Sequence[Point], answers: Mapping[str, Answer]) -> None:
    """按照审批导图进行问卷把关，符合法定受理标准要求…的，当场予以受理 (putian §四(二)).

    Raises Unlawful that names every question still open and every answer that stands against acceptance.
    """
    open_points = [point for point in points if not _answered(answers.get(point.code))]
    against = [
        point
        for point in points
        if (answer := answers.get(point.code)) is not None
        and answer.value is not None
        and answer.value is not point.expect
    ]
    if open_points:
        names = "、".join(f"“{point.question}”" for point in open_points)
        raise Unlawful("points_open", f"审查要点尚未答完：{names}。请逐项核对后再受理（莆田 §四(二)）。")
    if against:
        names = "、".join(f"“{point.question}”" for point in against)
        raise Unlawful(
            "points_against",
            f"审查要点不符合受理标准：{names}。请一次性告知申请人补齐，或先询问审批部门（莆田 §四(二)）。",
        )


def _answered(answer: Answer | None) -> bool:
    return answer is not None and (answer.value is not None or bool(answer.reason.strip()))


def _expected(row: Mapping[str, Any]) -> bool:
    expected = row.get("expect", True)
    if not isinstance(expected, bool):
        raise Refused("bad_points", "审查要点的应答只能是“是”或“否”。")
    return expected
