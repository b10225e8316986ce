"""The life of a discrepancy: open, disputed with the carrier, credited by it or accepted by us."""

from collections.abc import Mapping

from registry.terms import Term
from storage.errors import Refused


class DiscrepancyState(Term):
    OPEN = "open", "待处理"
    DISPUTED = "disputed", "已提出异议"
    CREDITED = "credited", "承运商已冲减"
    ACCEPTED = "accepted", "已认可"
    CLEARED = "cleared", "复核后消除"


S = DiscrepancyState

# `cleared` is not a person's decision: a later reconciliation found that the facts have changed.
MOVES: Mapping[DiscrepancyState, frozenset[DiscrepancyState]] = {
    S.OPEN: frozenset({S.DISPUTED, S.CREDITED, S.ACCEPTED, S.CLEARED}),
    S.DISPUTED: frozenset({S.CREDITED, S.ACCEPTED}),
    S.CLEARED: frozenset({S.OPEN}),
    S.CREDITED: frozenset(),
    S.ACCEPTED: frozenset(),
}
DECIDED_BY_PEOPLE = frozenset({S.DISPUTED, S.CREDITED, S.ACCEPTED})
# What the centre does not pay for now.
WITHHELD = frozenset({S.OPEN.value, S.DISPUTED.value, S.CREDITED.value})


class NotAllowed(Refused):
    """A step that the life of a discrepancy does not know."""


def check_move(old: DiscrepancyState, new: DiscrepancyState) -> None:
    """Raises NotAllowed unless a discrepancy may go from `old` to `new`."""
    if new not in MOVES[old]:
        raise NotAllowed("discrepancy_move", f"差异现为“{old.label}”，不能改为“{new.label}”。")


def check_reason(new: DiscrepancyState, reason: str) -> None:
    """A decision by a person carries its reason."""
    if new in DECIDED_BY_PEOPLE and not reason.strip():
        raise NotAllowed("discrepancy_reason", "请写明处理理由。")
