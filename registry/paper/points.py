"""审批导图: the papers and the review points of an item as a sheet that anybody may print and tick (putian §五(二)).

A working paper, not a document: it has no number and no seal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from registry.paper.engine import working_paper
from registry.rules.questionnaire import Point


@dataclass(frozen=True)
class PointsSheet:
    """What stands on it; `papers` are names with what is asked of them in words."""

    name: str
    code: str
    version: int
    effective_from: date
    source: str
    papers: Sequence[tuple[str, str]]
    points: Sequence[Point]


def points_pdf(sheet: PointsSheet) -> bytes:
    return working_paper("points.html", {"sheet": sheet})
