"""报失核销: when a missing original may be written off, by whom, and what was done for the applicant."""

from datetime import datetime

from logistics.rules.parcels import NotNow
from registry.rules.steps import Step
from registry.terms import Term

LONGEST = 200
"""Characters of a reason, of what was done, and of an answer."""


class LossState(Term):
    DECLARED = "declared", "待复核"
    CONFIRMED = "confirmed", "已核销"
    RETURNED = "returned", "已退回继续查找"
    FOUND = "found", "已找到"


class Remedy(Term):
    """What was done for the applicant, who is left without the paper."""

    REPLACED = "replaced", "补办"
    COMPENSATED = "compensated", "赔付"
    EXPLAINED = "explained", "说明"


STEPS: tuple[Step[LossState], ...] = (
    Step("confirm", "复核核销", (LossState.DECLARED,), LossState.CONFIRMED),
    Step("send_back", "退回", (LossState.DECLARED,), LossState.RETURNED),
    Step("find", "找到", (LossState.DECLARED, LossState.CONFIRMED), LossState.FOUND),
)

STANDING: frozenset[str] = frozenset({LossState.DECLARED, LossState.CONFIRMED})
"""States in which somebody says that the original is lost."""


def loss_target(act: str, state: str) -> LossState:
    """Where the act leads from this state. Raises NotNow with the reason."""
    step = next((step for step in STEPS if step.act == act), None)
    if step is None:
        raise KeyError(act)
    if state not in step.sources:
        raise NotNow(f"loss_{act}", f"这份报失核销{LossState(state).label}，不能再{step.label}，请刷新页面。")
    return step.target


def check_searched(name: str, *, due_at: datetime, due: str, now: datetime) -> None:
    """Nothing is written off before the incident's time to look for it is over; `due` says that time in words."""
    if now < due_at:
        raise NotNow(
            "loss_too_early", f"“{name}”的异常处理期限是 {due}，请先查找；期限过后仍未找到的才能报失核销。"
        )


def check_second(*, declared_by: str, decided_by: str) -> None:
    """One declares, another decides: both are ids of accounts."""
    if declared_by == decided_by:
        raise NotNow("loss_same_person", "报失核销须由申报人以外的另一人复核，请交同事或对方单位复核。")
