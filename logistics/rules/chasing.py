"""催办: when whoever has to act on an overdue original is told again, when the desk has to answer for it, and in which words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from logistics.rules.overdue import Late
from registry.rules.deadlines import DeadlineRules
from registry.terms import Term
from registry.workdays import LIBRARY, Calendar, is_workday, workdays_between

MOST_NAMES = 5
"""Papers that one line names; of more it says how many they are."""


class ChaseStep(Term):
    TELL = "tell", "催办"
    INCIDENT = "incident", "登记异常"


@dataclass(frozen=True)
class Pursuit:
    """An overdue paper. `since` is the last day that was in time, `chased_on` when its desk was last told.

    `waits`: an incident about it is open. `answered_on`: when the last one was closed.
    """

    since: date
    chased_on: date | None = None
    answered_on: date | None = None
    waits: bool = False


@dataclass(frozen=True)
class Told:
    """One paper of a line; `parcel` is the number of the parcel in which it lies, empty on a desk."""

    name: str
    late: Late
    since: date
    parcel: str = ""


def next_step(
    paper: Pursuit, *, rules: DeadlineRules, today: date, calendar: Calendar = LIBRARY
) -> ChaseStep | None:
    """What is done today: nothing on a day off, and nothing more while the desk answers for it.

    Told on the first working day that is late and every `chase_days` from then on; once more than `incident_days` are
    late, it is an incident, though never before the desk was told. An answer that moved nothing gives it the same time
    once more.
    """
    if paper.waits or not is_workday(today, calendar)[0]:
        return None
    began = max(paper.since, paper.answered_on or paper.since)
    late = workdays_between(began, today, calendar)
    told = max(
        (day for day in (paper.chased_on, paper.answered_on) if day and day > paper.since), default=None
    )
    if told is None:
        return ChaseStep.TELL if late > 0 else None
    waited = workdays_between(told, today, calendar)
    if late > rules.incident_days and waited > 0:
        return ChaseStep.INCIDENT
    return ChaseStep.TELL if waited >= rules.chase_days else None


def chasing_words(desk: str, papers: Iterable[Told], *, answers: bool) -> str:
    """One line for one desk and one case; `answers` says that an incident was opened about some of it."""
    kinds: dict[tuple[Late, date, str], list[str]] = {}
    for paper in papers:
        kinds.setdefault((paper.late, paper.since, paper.parcel), []).append(paper.name)
    lines = [f"原件超期，请{desk}处理："]
    for (late, since, parcel), names in sorted(kinds.items(), key=lambda kind: kind[0][1:]):
        shown = "、".join(names[:MOST_NAMES]) + (f" 等 {len(names)} 件" if len(names) > MOST_NAMES else "")
        where = f"，寄件 {parcel}" if parcel else ""
        ask = "，请向承运商查询" if late == Late.ROAD else ""
        lines.append(f"{late.label}：{shown}（期限 {since:%Y-%m-%d}{where}{ask}）")
    if answers:
        lines.append(f"催办后仍未处理，已登记异常，由{desk}负责。")
    return "\n".join(lines)
