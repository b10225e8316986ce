"""问题反馈单: the kinds of problems, their life, and how many working days an answer may take."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from registry.rules.steps import Step
from registry.terms import Term
from registry.workdays import LIBRARY, Calendar, add_workdays
from storage.errors import Refused

USUAL_WORKDAYS = 5
"""Working days for an answer where nobody has laid down how many."""


class ProblemKind(Term):
    """标准不一、材料不同、流程有差 (taizhou-2023 §三(三)3), and what else goes wrong between two places."""

    STANDARD = "standard", "标准不一"
    MATERIAL = "material", "材料不同"
    PROCESS = "process", "流程有差"
    SYSTEM = "system", "系统问题"
    CARRIAGE = "carriage", "寄递问题"
    RATING = "rating", "差评回访"
    OTHER = "other", "其他"


REPORTED: tuple[ProblemKind, ...] = tuple(kind for kind in ProblemKind if kind is not ProblemKind.RATING)
"""What people report; 差评回访 comes of an applicant's grade alone."""


class ProblemState(Term):
    OPEN = "open", "待答复"
    ANSWERED = "answered", "已答复"
    SOLVED = "solved", "已解决"
    REOPENED = "reopened", "重新打开"


S = ProblemState
STEPS: tuple[Step[ProblemState], ...] = (
    Step("answer", "答复", (S.OPEN, S.REOPENED), S.ANSWERED),
    Step("solve", "确认解决", (S.ANSWERED,), S.SOLVED),
    Step("reopen", "重新打开", (S.ANSWERED, S.SOLVED), S.REOPENED),
)
WAITING: frozenset[str] = frozenset({S.OPEN, S.REOPENED})
"""Where the owner's time runs."""


@dataclass(frozen=True)
class AnswerTime:
    """How many working days an answer to one kind may take, from a day on; policy data with dates."""

    kind: str
    workdays: int
    valid_from: date


def problem_target(act: str, state: str) -> ProblemState:
    """Where the act leads from here. Raises Refused with the reason."""
    step = next((step for step in STEPS if step.act == act), None)
    if step is None:
        raise KeyError(f"unknown act {act}")
    if state not in step.sources:
        sources = "、".join(ProblemState(source).label for source in step.sources)
        raise Refused(
            f"problem_{act}",
            f"反馈单现在是“{ProblemState(state).label}”，只有“{sources}”时才能{step.label}。",
        )
    return step.target


def workdays_for(kind: str, day: date, times: Iterable[AnswerTime]) -> int:
    """What is laid down for the kind on that day; the newest counts, 5 where nothing is."""
    valid = [time for time in times if time.kind == kind and time.valid_from <= day]
    return max(valid, key=lambda time: time.valid_from).workdays if valid else USUAL_WORKDAYS


def answer_due(kind: str, day: date, times: Iterable[AnswerTime], calendar: Calendar = LIBRARY) -> date:
    """The last day for the answer to a problem that was reported, or opened again, on `day`."""
    return add_workdays(day, workdays_for(kind, day, times), calendar).day


def is_overdue(*, state: str, due_on: date, today: date) -> bool:
    return state in WAITING and today > due_on
