"""超期原件: what should happen to a paper that lies on a desk, and how long it may lie there."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.rules import NEEDS_NO_PAPER, may_post_originals
from registry.terms import Term


class Late(Term):
    """What was not done in time."""

    ROAD = "road", "寄递超期"
    UNTICKED = "unticked", "送达后未签收核对"
    UNSENT = "unsent", "应寄未寄"
    RESULT_HELD = "result_held", "结果未送出"
    KEPT = "kept", "办结后未退还也未归档"
    UNCOLLECTED = "uncollected", "在窗口待领"


DAYS: Mapping[Late, int] = {
    Late.UNSENT: 2,
    Late.RESULT_HELD: 2,
    Late.KEPT: 5,
    Late.UNCOLLECTED: 10,
}
"""Working days that a paper may lie. What travels follows the deadline policy of its region."""


@dataclass(frozen=True)
class Lying:
    """A paper on a desk. `state` is that of the handling at whose office it is needed next, or lay last."""

    at_window: bool
    result: bool
    mailed: bool
    mode: str
    state: str
    needed_next: bool
    all_decided: bool


def waits_for(paper: Lying) -> Late | None:
    """What the desk has to do with it; None while nothing is to be done."""
    if paper.result:
        if paper.at_window:
            return Late.UNCOLLECTED
        return Late.RESULT_HELD if paper.all_decided else None
    if paper.needed_next:
        # From an office it goes on once that office is done with it; from the window once it may be sent.
        may_go = not paper.at_window or (paper.mailed and may_post_originals(paper.mode, paper.state))
        return Late.UNSENT if may_go else None
    if paper.state in NEEDS_NO_PAPER:
        return Late.UNCOLLECTED if paper.at_window else Late.KEPT
    return None
