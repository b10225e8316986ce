"""The life of a month's settlement before it is frozen: prepared by one person, approved by another."""

from registry.rules.steps import Step
from registry.terms import Term
from storage.errors import Refused


class ProposalState(Term):
    PREPARED = "prepared", "待复核"
    APPROVED = "approved", "已结算"
    RETURNED = "returned", "已退回"
    OUTDATED = "outdated", "已重新编制"


S = ProposalState

STEPS: tuple[Step[ProposalState], ...] = (
    Step("approve", "另一人复核通过", (S.PREPARED,), S.APPROVED),
    Step("return", "退回", (S.PREPARED,), S.RETURNED),
    Step("replace", "重新编制", (S.PREPARED,), S.OUTDATED),
)


class NotAllowed(Refused):
    """A step that the life of a proposal does not know, or that this person may not take."""


def target_of(act: str, state: str) -> ProposalState:
    """Where an act leads from a state. Raises NotAllowed."""
    for step in STEPS:
        if step.act == act and state in step.sources:
            return step.target
    raise NotAllowed("stale", f"本次编制现为“{ProposalState(state).label}”，请刷新页面。")


def check_second_person(*, prepared_by: str, kind: str, person: str) -> None:
    """Four eyes: whoever prepared a month never approves it, and no machine does. Raises NotAllowed."""
    if kind != "user" or not person:
        raise NotAllowed("no_person", "结算必须由财务人员本人复核。")
    if person == prepared_by:
        raise NotAllowed("same_person", "编制人不能复核自己编制的结算，请由本中心另一位财务人员复核。")
