"""合作: the duty to tell within three days, the four colours, and who is connected with whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from registry.rules.lawful import AgreementFacts, covers
from registry.terms import Term

UPDATE_DAYS = 3


class Colour(Term):
    """Classes of partner regions (taizhou-2023 §二(四))."""

    RED = "red", "红色“重点”"
    GREEN = "green", "绿色“人口”"
    BLUE = "blue", "蓝色“合作”"
    YELLOW = "yellow", "黄色“潜力”"


@dataclass(frozen=True)
class Thresholds:
    """From which index value on (0 to 100) a region counts as high; policy data with dates, not code."""

    population: int
    cooperation: int


@dataclass(frozen=True)
class Link:
    """How two regions are connected: an agreement of their own, or one that covers them."""

    own: bool
    covered: bool


def colour_of(*, population: int, cooperation: int, thresholds: Thresholds) -> Colour:
    """从人口潜力指数和合作潜力指数两个维度出发划出 (taizhou-2023 §二(四)): high in both is red, in none yellow."""
    many, willing = population >= thresholds.population, cooperation >= thresholds.cooperation
    if many and willing:
        return Colour.RED
    if many:
        return Colour.GREEN
    return Colour.BLUE if willing else Colour.YELLOW


def update_due(signed_on: date) -> date:
    """在建立通办合作关系后，3日内在通办联络群、通办通讯录、通办合作表上在线更新 (taizhou-2023 §三(三)1)."""
    return signed_on + timedelta(days=UPDATE_DAYS)


def update_overdue(*, signed_on: date, updated_on: date | None, today: date) -> int:
    """By how many days the update is late; 0 when it was done in time or may still be."""
    end = updated_on or today
    return max((end - update_due(signed_on)).days, 0)


def link(one: str, other: str, agreements: Iterable[AgreementFacts]) -> Link:
    """凡与本市任意一地签订…无需再与本市其余县（市、区）签订 (taizhou-2023 §二(一)): own signature, or covered by one."""
    own = covered = False
    for agreement in agreements:
        if {agreement.region_a, agreement.region_b} == {one, other}:
            own = True
        elif covers(agreement, window_region=one, office_region=other):
            covered = True
    return Link(own, covered)


def matrix(
    rows: Sequence[str], columns: Sequence[str], agreements: Sequence[AgreementFacts]
) -> list[list[Link]]:
    """One row for each region of `rows`, one link for each region of `columns`."""
    return [[link(row, column, agreements) for column in columns] for row in rows]
