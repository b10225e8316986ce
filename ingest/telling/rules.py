"""Which events a platform may be told, when a failed telling is tried again, and when it is given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

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
"""Event of a case → its words, and the state of the case that it stands for."""

HANDLING_KINDS: Mapping[str, str] = {
    "handling.pre_reviewed": "环节：预审通过",
    "handling.accepted": "环节：受理",
    "handling.supplement_asked": "环节：一次性告知",
    "handling.resubmitted": "环节：补正后重新提交",
    "handling.promise_kept": "环节：容缺材料补齐",
    "handling.refused": "环节：不予受理",
    "handling.decided": "环节：作出决定",
    "handling.clock_stopped": "环节：暂停计时",
    "handling.clock_started": "环节：恢复计时",
    "handling.deadline_passed": "环节：承诺期限已过",
}
"""Event of one office's part of a case → its words. In 多地联办 a case has several parts, each with its own events."""
WORDS: Mapping[str, str] = {kind: words for kind, (words, _) in KINDS.items()} | dict(HANDLING_KINDS)
"""Everything that a platform may be told → its words."""

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
LONGEST_ASKED = timedelta(days=1)
"""What a receiver asks for in Retry-After is kept up to here; it cannot put us off for longer."""
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of one try: the HTTP status where there was an answer, a word for what went wrong, and how long the
    receiver asked us to wait.
    """

    status: int | None
    fault: str = ""
    asked: timedelta = timedelta(0)

    @property
    def delivered(self) -> bool:
        return not self.fault

    @classmethod
    def of_status(cls, status: int, *, asked: timedelta = timedelta(0)) -> "Outcome":
        """2xx is delivered; anything else, a redirect too, is not."""
        return cls(status) if 200 <= status < 300 else cls(status, f"http_{status}", asked)


def asked_wait(header: str, *, now: datetime) -> timedelta:
    """What Retry-After asks for, in seconds or as an HTTP date (RFC 9110 §10.2.3), from nothing to a day.

    Nothing for what is neither: a receiver's slip of the pen changes no timetable.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        # A number of many digits is a day all the same; timedelta has a limit of its own.
        return min(timedelta(seconds=int(text[:9])), LONGEST_ASKED)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_ASKED)


def next_wait(attempts: int, chance: float, *, asked: timedelta = timedelta(0)) -> timedelta | None:
    """After `attempts` failures, and not before the receiver `asked`; None when it is given up. `chance` is in [0, 1)."""
    if attempts > len(WAITS):
        return None
    return max(WAITS[attempts - 1] * (1 - JITTER + 2 * JITTER * chance), asked)


def rest(failures: int, *, asked: timedelta = timedelta(0)) -> timedelta:
    """How long an address is left alone after so many failures in a row, and at least as long as it `asked`."""
    return max(min(WAITS[min(failures, len(WAITS)) - 1] * (1 - JITTER), LONGEST_REST), asked)


def must_disable(outcome: Outcome, *, failing_since: datetime, now: datetime) -> str:
    """Why the address gets nothing any more until a person looks; empty when it still does."""
    if outcome.status == GONE:
        return "gone"
    return "failing" if now - failing_since >= DISABLED_AFTER else ""
