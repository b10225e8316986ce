"""到期: how long before their last day agreements, grants and items are spoken of, and what holds when they are over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from registry.terms import Right

OVER = -1
"""The step at which something no longer holds."""
LAST_DAY = 0
FURTHEST = 365
"""Nobody is warned longer before than this, in days."""
LOOK_BACK = 30
"""What ran out longer ago is not spoken of any more, in days: whoever installs this system is not told of old years."""


@dataclass(frozen=True)
class ExpiryRules:
    """How many calendar days ahead it is said, furthest first, and where that stands; no source: built in."""

    days_ahead: tuple[int, ...]
    valid_from: date | None = None
    source: str = ""

    @property
    def furthest(self) -> int:
        return max(self.days_ahead, default=LAST_DAY)


UNLESS_TOLD = ExpiryRules((30, 7, LAST_DAY))
"""What holds where nobody has set a policy: no notice says how long ahead."""

AGREEMENT_HOLDS = (
    "到期前已提交的办件继续有效，办到办结为止；到期后两地之间不能再收新件，还没有提交的收件也不能再提交。"
)
ITEM_HOLDS = "到期前已提交的办件按原来的版本办到办结；到期后不能再收新件，还没有提交的收件也不能再提交。"
GRANT_HOLDS: Mapping[Right, str] = {
    Right.ACCEPT: "到期前已受理的办件继续有效，承诺期限照算；到期后窗口不能再凭它收件、提交和当场受理。",
    Right.NOTIFY: "已发出的一次性告知继续有效；到期后由审批部门告知。",
    Right.VERIFY_ORIGINAL: "已核验的原件不必重新核验；到期后的原件由审批部门核验。",
    Right.DELIVER: "已送达的审批结果继续有效；到期后的结果由审批部门直接寄给申请人。",
}
"""What is under way when a right runs out (授权信任, putian §五(六)): done is done, the next act needs a right in force."""


def step_due(last_day: date, today: date, days_ahead: Iterable[int]) -> int | None:
    """The nearest announced distance that has been reached, `OVER` after the last day; None while it is too early.

    A grant given for five days is told at once at the seventh day, and not at the thirtieth as well.
    """
    left = (last_day - today).days
    if left < LAST_DAY:
        return OVER
    return min((days for days in days_ahead if left <= days), default=None)


def area_prefix(area: str) -> str:
    """What the codes of all regions within an area begin with (GB/T 2260): what `lies_within` says yes to."""
    if len(area) != 6:
        return area
    return area[:2] if area.endswith("0000") else area[:4] if area.endswith("00") else area


def side_prefix(party: str, *, shared_citywide: bool) -> str:
    """The same for one side of an agreement: with 一地签约、全市共享 the whole city (taizhou-2023 §二(一))."""
    prefix = area_prefix(party)
    return prefix[:4] if shared_citywide else prefix
