"""好差评: the five grades, which of them must be followed up, by whom, and until when an applicant may grade."""

from datetime import datetime, timedelta

from registry.terms import Term

OPEN_FOR = timedelta(days=60)
"""From the closing of the case; afterwards the months' figures stand."""


class Grade(Term):
    """五级评价, from best to worst."""

    VERY_GOOD = "very_good", "非常满意"
    GOOD = "good", "满意"
    FAIR = "fair", "基本满意"
    BAD = "bad", "不满意"
    VERY_BAD = "very_bad", "非常不满意"


CONTENT: frozenset[str] = frozenset({Grade.VERY_GOOD, Grade.GOOD, Grade.FAIR})
"""Grades that count as satisfied; the other two are 差评."""


class Concern(Term):
    """What the grade is about, in the applicant's eyes."""

    WINDOW = "window", "窗口服务"
    OFFICE = "office", "部门审批"
    CARRIAGE = "carriage", "材料寄递"


def is_bad(grade: str) -> bool:
    """差评 has to be followed up (完善“好差评”评价体系，加强评价结果运用, zhuji §五(三))."""
    return grade not in CONTENT


def followed_up_by_office(concern: str) -> bool:
    """Whether the lead office owns the follow-up; the window does for all else: it faces the applicant."""
    return concern == Concern.OFFICE


def grading_ends(closed_at: datetime) -> datetime:
    return closed_at + OPEN_FOR
