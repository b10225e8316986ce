"""Which events a platform may be told, when a failed telling is tried again, and when it is given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

KINDS: Mapping[str, tuple[str, str]] = {
    "case.created": ("收件建档", "draft"),
    "case.submitted": ("提交审批部门", "submitted"),
    "case.pre_review": ("预审通过", "pre_review"),
    "case.accepted": ("受理", "accepted"),
    "case.supplement": ("转入补正", "supplement"),
    "case.decided": ("作出决定", "decided"),
    "case.delivering": ("结果送达中", "delivering"),
    "case.closed": ("归结", "closed"),
    "case.refused": ("不予受理", "refused"),
    "case.withdrawn": ("撤回", "withdrawn"),
    "rating.given": ("申请人评价", "closed"),
}
"""Event → its words, and the state of the case that it stands for."""

WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        5,
        30,
        2 * 60,
        10 * 60,
        30 * 60,
        3600,
        2 * 3600,
        4 * 3600,
        8 * 3600,
        12 * 3600,
        24 * 3600,
        24 * 3600,
    )
)
"""Between one try and the next: thirteen tries in a little more than three days."""
JITTER = 0.2
"""A wait is by chance up to this much shorter or longer, so that what failed together comes back apart."""
LONGEST_REST = timedelta(hours=1)
"""An address that fails is tried again by one notice at least this often, whatever else waits for it."""
DISABLED_AFTER = timedelta(days=5)
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of one try: the HTTP status where there was an answer, and a word for what went wrong."""

    status: int | None
    fault: str = ""

    @property
    def delivered(self) -> bool:
        return not self.fault

    @classmethod
    def of_status(cls, status: int) -> "Outcome":
        """2xx is delivered; anything else, a redirect too, is not."""
        return cls(status, "" if 200 <= status < 300 else f"http_{status}")


def next_wait(attempts: int, chance: float) -> timedelta | None:
    """After `attempts` failures; None when it is given up. `chance` is in [0, 1)."""
    if attempts > len(WAITS):
        return None
    return WAITS[attempts - 1] * (1 - JITTER + 2 * JITTER * chance)


def rest(failures: int) -> timedelta:
    """How long an address is left alone after so many failures in a row."""
    return min(WAITS[min(failures, len(WAITS)) - 1] * (1 - JITTER), LONGEST_REST)


def must_disable(outcome: Outcome, *, failing_since: datetime, now: datetime) -> str:
    """Why the address gets nothing any more until a person looks; empty when it still does."""
    if outcome.status == GONE:
        return "gone"
    return "failing" if now - failing_since >= DISABLED_AFTER else ""
