"""A year's postage budget against what was spent, and what the year will probably cost."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from registry.terms import Term
from storage.errors import Refused

MONTHS = 12
LOOKS_BACK = 3
"""Whole months whose mean stands for a month to come."""
FIRST_YEAR, LAST_YEAR = 2020, 2099
MOST_FEN = 10**13


class Verdict(Term):
    UNSET = "unset", "未设预算"
    WITHIN = "within", "预算内"
    LIKELY_OVER = "likely_over", "预计超支"
    OVER = "over", "已超支"


@dataclass(frozen=True)
class Month:
    """One month of the year, fen. `expected_fen` is what it will have cost: for a past month, what it cost."""

    month: str
    spent_fen: int
    expected_fen: int


@dataclass(frozen=True)
class Outlook:
    """A year: fen. `forecast_fen` is the sum of what its months have cost and will probably cost."""

    year: int
    budget_fen: int
    spent_fen: int
    forecast_fen: int
    months: tuple[Month, ...]

    @property
    def left_fen(self) -> int:
        """What may still be spent; below zero when too much was."""
        return self.budget_fen - self.spent_fen

    @property
    def verdict(self) -> Verdict:
        if not self.budget_fen:
            return Verdict.UNSET
        if self.spent_fen > self.budget_fen:
            return Verdict.OVER
        return Verdict.LIKELY_OVER if self.forecast_fen > self.budget_fen else Verdict.WITHIN


def check_budget(*, year: int, amount_fen: int, reason: str) -> None:
    """Raises Refused for a budget that nobody can mean."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused("budget_year", f"预算年度应在 {FIRST_YEAR} 至 {LAST_YEAR} 之间。")
    if not 0 < amount_fen <= MOST_FEN:
        raise Refused("budget_amount", "预算金额应大于零，请按元填写，如 120000.00。")
    if not reason.strip():
        raise Refused("budget_reason", "请写明预算依据，如批复文号或调整原因。")


def outlook(*, year: int, today: date, spent: Mapping[str, int], budget_fen: int) -> Outlook:
    """`spent`: fen by month ("2026-03"), reaching back into the year before; months without postage may be absent.

    Past months count as they were. A month to come is expected to cost the mean (rounded up to a fen) of the last
    three whole months that had begun to be billed; the current one at least that, and what it has cost already.
    Before the first whole month, the current one is reckoned up by its days.
    """
    typical = _typical(today, spent)
    this_month = f"{today:%Y-%m}"
    months = []
    for number in range(1, MONTHS + 1):
        month = f"{year}-{number:02d}"
        cost = spent.get(month, 0)
        if month < this_month:
            expected = cost
        elif month == this_month:
            expected = max(cost, typical)
        else:
            expected = typical
        months.append(Month(month, cost, expected))
    return Outlook(
        year=year,
        budget_fen=budget_fen,
        spent_fen=sum(month.spent_fen for month in months),
        forecast_fen=sum(month.expected_fen for month in months),
        months=tuple(months),
    )


def _typical(today: date, spent: Mapping[str, int]) -> int:
    this_month = f"{today:%Y-%m}"
    first = min((month for month, fen in spent.items() if fen), default=this_month)
    whole = []
    month = today.replace(day=1)
    for _ in range(LOOKS_BACK):
        month = _before(month)
        if f"{month:%Y-%m}" >= first:
            whole.append(spent.get(f"{month:%Y-%m}", 0))
    if whole:
        return max(0, -(-sum(whole) // len(whole)))
    days = monthrange(today.year, today.month)[1]
    return max(0, -(-spent.get(this_month, 0) * days // today.day))


def _before(month: date) -> date:
    return date(month.year - 1, MONTHS, 1) if month.month == 1 else month.replace(month=month.month - 1)
