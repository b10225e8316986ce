"""期限: who is to blame for time that passed, when a promise is amber or red, and whose policy says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from registry.rules.lawful import areas_of
from registry.terms import Term
from registry.workdays import LIBRARY, Calendar, add_workdays, workdays_between


class Delayer(Term):
    """With whom an application lay while nothing could be done."""

    COURIER = "courier", "承运商"
    OFFICE = "office", "审批部门"
    APPLICANT = "applicant", "申请人"


class Light(Term):
    """How a running promise stands."""

    RED = "red", "超期"
    AMBER = "amber", "快到期"
    PAUSED = "paused", "暂停计时"
    GREEN = "green", "期限内"


@dataclass(frozen=True)
class DeadlineRules:
    """What one policy says, all in working days.

    A promise is amber from `amber_days` left on. A courier is late once `courier_days` have passed since the hand-over,
    an office once it has not ticked a delivered parcel for `receipt_days`. Only with `pause_for_courier` does a
    courier's lateness stop the promised time; otherwise it is written down and the time runs on. Whoever has to act on
    an overdue original is told again every `chase_days`, and answers for it once it is late for more than `incident_days`.
    """

    amber_days: int
    courier_days: int
    receipt_days: int
    pause_for_courier: bool
    chase_days: int = 2
    incident_days: int = 5


UNLESS_TOLD = DeadlineRules(amber_days=2, courier_days=3, receipt_days=1, pause_for_courier=False)
"""What holds where nobody has set a policy: no notice says that an office may wait for the courier."""


@dataclass(frozen=True)
class DeadlinePolicyFacts:
    """One policy: for a region and everything in it, or for every region (None), from a day on."""

    region: str | None
    valid_from: date
    rules: DeadlineRules
    area: str = "全部区划"
    source: str = ""

    @property
    def words(self) -> str:
        """Which policy it is, what it says and where that stands, for whoever reads a list made by it."""
        rules = self.rules
        said = (
            f"剩余 {rules.amber_days} 个工作日起提醒，寄递超过 {rules.courier_days} 个工作日算承运商迟延，"
            f"送达后超过 {rules.receipt_days} 个工作日未签收核对算部门迟延，"
            f"承运商迟延时{'暂停' if rules.pause_for_courier else '不暂停'}计时，"
            f"超期原件每 {rules.chase_days} 个工作日催办一次，超期多于 {rules.incident_days} 个工作日登记异常"
        )
        if self is BUILT_IN:
            return f"没有登记期限规则，按系统内置的：{said}。"
        return f"{self.area} {self.valid_from:%Y-%m-%d} 起的期限规则：{said}（依据：{self.source}）。"


BUILT_IN = DeadlinePolicyFacts(None, date.min, UNLESS_TOLD)
"""Stands in for a policy where there is none."""


def rules_for(region: str, day: date, policies: Iterable[DeadlinePolicyFacts]) -> DeadlineRules:
    """What the policy that decides for a region on a day says."""
    return policy_for(region, day, policies).rules


def policy_for(region: str, day: date, policies: Iterable[DeadlinePolicyFacts]) -> DeadlinePolicyFacts:
    """The nearest region that has a policy decides, and of its policies the latest that holds on that day."""
    held = [policy for policy in policies if policy.valid_from <= day]
    for area in (*areas_of(region), None):
        of_area = [policy for policy in held if policy.region == area]
        if of_area:
            return max(of_area, key=lambda policy: policy.valid_from)
    return BUILT_IN


def light(
    deadline: date, *, paused_on: date | None, today: date, amber_days: int, calendar: Calendar = LIBRARY
) -> Light:
    """A promise that was late before it was paused stays red."""
    if deadline < (paused_on or today):
        return Light.RED
    if paused_on is not None:
        return Light.PAUSED
    return Light.AMBER if workdays_between(today, deadline, calendar) <= amber_days else Light.GREEN


def late_since(start: date, days: int, *, until: date, calendar: Calendar = LIBRARY) -> date | None:
    """The last day that was still in time, once `until` lies after it; the lateness counts from that day's end."""
    due = add_workdays(start, days, calendar).day
    return due if until > due else None


@dataclass(frozen=True)
class DelayFacts:
    """A time that somebody took, from the end of one day to the end of another; `stopped` the promised time or not."""

    who: str
    began_on: date
    ended_on: date | None
    stopped: bool


def cause_of_lateness(
    overdue_days: int, delays: Iterable[DelayFacts], *, today: date, calendar: Calendar = LIBRARY
) -> Delayer:
    """Who made a promise late: the courier where its days that did not stop the clock account for every day too many,
    otherwise the office that promised.
    """
    by_courier = sum(
        workdays_between(delay.began_on, delay.ended_on or today, calendar)
        for delay in delays
        if delay.who == Delayer.COURIER and not delay.stopped
    )
    return Delayer.COURIER if by_courier and by_courier >= overdue_days else Delayer.OFFICE
