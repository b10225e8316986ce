"""The review points of a case as its page asks them."""

from dataclasses import dataclass

from ingest.models import Case, ReviewAnswer
from ingest.rules import CaseState
from registry.rules.questionnaire import Point, points_of


@dataclass(frozen=True)
class Asked:
    """One point, and what was answered so far."""

    point: Point
    answer: ReviewAnswer | None

    @property
    def value(self) -> str:
        if self.answer is None:
            return ""
        return {True: "yes", False: "no", None: "none"}[self.answer.value]

    @property
    def against(self) -> bool:
        return self.answer is not None and self.answer.value is (not self.point.expect)


def asked(case: Case) -> list[Asked]:
    """One query; none for an item without points."""
    points = points_of(case.item.review_points)
    given = {row.point: row for row in case.answers.all()} if points else {}
    return [Asked(point, given.get(point.code)) for point in points]


def may_answer(case: Case) -> bool:
    return case.state in (CaseState.DRAFT, CaseState.SUBMITTED, CaseState.SUPPLEMENT)
