"""When a piece of work that failed is tried again, and when it is given up."""

from dataclasses import dataclass
from datetime import timedelta

from storage.errors import Refused

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
# An outside service may be away for a day; a fault of our own will not mend itself.
OUTAGE_ATTEMPTS = 100
FAULT_ATTEMPTS = 5
# A job that took its process down with it this often would do so again.
LOST_ATTEMPTS = 5


class NotYet(Refused):
    """What this work builds on is still being made. Tried again soon, and not counted as an attempt."""

    def __init__(self, code: str = "not_yet") -> None:
        super().__init__(code, "所需的前一步尚未完成，系统会自动继续。", can_retry=True)


class Later(Refused):
    """Not through yet, by a timetable of the work's own. Tried again after `wait`, and not counted as an attempt."""

    def __init__(self, code: str, wait: timedelta) -> None:
        super().__init__(code, "暂未完成，系统会按计划再试。", can_retry=True)
        self.wait = wait


@dataclass(frozen=True)
class Verdict:
    """What follows a failure. `wait` is None when there is no next try. `counts` says whether it was an attempt."""

    code: str
    wait: timedelta | None
    counts: bool = True


def judge(fault: Exception, *, attempts: int, chance: float) -> Verdict:
    """`attempts` includes the one that failed; `chance` in [0, 1) spreads the waits of many that failed together."""
    if isinstance(fault, NotYet):
        return Verdict(fault.code, FIRST_WAIT, counts=False)
    if isinstance(fault, Later):
        return Verdict(fault.code, fault.wait, counts=False)
    if isinstance(fault, Refused):
        limit = OUTAGE_ATTEMPTS if fault.can_retry else 0
        return Verdict(fault.code, backoff(attempts, chance) if attempts < limit else None)
    code = type(fault).__name__
    return Verdict(code, backoff(attempts, chance) if attempts < FAULT_ATTEMPTS else None)


def backoff(attempts: int, chance: float) -> timedelta:
    """Doubles from two seconds to a quarter of an hour, half to all of it by chance."""
    longest = min(FIRST_WAIT * (1 << min(attempts - 1, 20)), LONGEST_WAIT)
    return longest * (0.5 + chance / 2)
