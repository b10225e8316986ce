"""What a parcel may go through, as tables, and who stands at its ends."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.rules import may_post_originals
from logistics.rules.payers import Leg
from logistics.rules.tracking import TrackingKind
from registry.rules.steps import Step
from registry.terms import Delivery, Mode, Term
from storage.errors import Refused


class NotNow(Refused):
    """The act is not open in the present state of the parcel or the case."""


class ParcelState(Term):
    PACKING = "packing", "装件中"
    SEALED = "sealed", "已封装"
    HANDED_OVER = "handed_over", "已交寄"
    IN_TRANSIT = "in_transit", "运输中"
    DELIVERED = "delivered", "承运商已送达"
    RECEIVED = "received", "已签收核对"
    RETURNED = "returned", "已退回寄件方"
    LOST = "lost", "已报失"
    CANCELLED = "cancelled", "已取消"


class Party(Term):
    """The kinds of ends a parcel's way has."""

    WINDOW = "window", "窗口"
    OFFICE = "office", "审批部门"
    APPLICANT = "applicant", "申请人"


class WaybillState(Term):
    REQUESTED = "requested", "下单中"
    BOOKED = "booked", "已下单"
    CANCELLING = "cancelling", "取消中"
    CANCELLED = "cancelled", "已取消"
    FAILED = "failed", "下单失败"


class IncidentKind(Term):
    MISSING_ITEM = "missing_item", "清单内原件缺失"
    EXTRA_ITEM = "extra_item", "清单外物品"
    UNSCANNED_HANDOVER = "unscanned_handover", "未扫码即被揽收"
    RETURNING = "returning", "退回途中"
    REFUSED = "refused", "收件人拒收"
    DAMAGED = "damaged", "破损"
    LOST = "lost", "丢失"
    CARRIER_CANCELLED = "carrier_cancelled", "承运商取消运单"
    EXCEPTION = "exception", "运输异常"
    DELIVERY_REVERSED = "delivery_reversed", "签收被撤销"
    SILENCE = "silence", "长时间无轨迹"
    ARRIVAL_DIFFERS = "arrival_differs", "到件与卷宗不符"
    MISSING_AT_DESK = "missing_at_desk", "原件在原处查无"
    OVERDUE = "overdue", "原件超期未处理"


REPORTED_BY_HAND: frozenset[str] = frozenset(
    {IncidentKind.DAMAGED, IncidentKind.REFUSED, IncidentKind.RETURNING, IncidentKind.EXCEPTION}
)
"""What a person may tell of; the others follow from a scan, a list, a report of loss or the courier's silence."""

S = ParcelState

STEPS: tuple[Step[ParcelState], ...] = (
    Step("seal", "封装", (S.PACKING,), S.SEALED),
    Step("unseal", "拆封重装", (S.SEALED,), S.PACKING),
    Step("cancel", "取消寄件", (S.PACKING, S.SEALED), S.CANCELLED),
    Step("hand_over", "交寄", (S.SEALED,), S.HANDED_OVER),
    Step("move", "运输", (S.HANDED_OVER,), S.IN_TRANSIT),
    Step("deliver", "送达", (S.HANDED_OVER, S.IN_TRANSIT), S.DELIVERED),
    Step("undo_delivery", "撤销送达", (S.DELIVERED,), S.IN_TRANSIT),
    # The office may hold the envelope before the courier's message arrives: what it ticks counts.
    Step("receive", "签收核对", (S.HANDED_OVER, S.IN_TRANSIT, S.DELIVERED, S.LOST), S.RECEIVED),
    Step("take_back", "收回退件", (S.HANDED_OVER, S.IN_TRANSIT, S.DELIVERED, S.LOST), S.RETURNED),
    Step("report_lost", "报失", (S.HANDED_OVER, S.IN_TRANSIT, S.DELIVERED), S.LOST),
    # Only what an applicant said to have sent: no scan of ours vouches for it, so it may prove not to be on the road.
    Step("call_off", "撤销寄出登记", (S.HANDED_OVER, S.IN_TRANSIT, S.DELIVERED), S.CANCELLED),
)

OPEN: frozenset[str] = frozenset({S.PACKING, S.SEALED, S.HANDED_OVER, S.IN_TRANSIT, S.DELIVERED})
"""States in which the parcel holds its originals, or will."""

ON_THE_ROAD: frozenset[str] = frozenset({S.HANDED_OVER, S.IN_TRANSIT, S.DELIVERED})

ENDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    Leg.MATERIALS: (frozenset({Party.WINDOW}), frozenset({Party.OFFICE})),
    Leg.SUPPLEMENT: (frozenset({Party.WINDOW, Party.APPLICANT}), frozenset({Party.OFFICE})),
    Leg.TRANSFER: (frozenset({Party.OFFICE}), frozenset({Party.OFFICE})),
    Leg.RESULT: (frozenset({Party.OFFICE}), frozenset({Party.APPLICANT, Party.WINDOW})),
    Leg.ORIGINAL_RETURN: (frozenset({Party.OFFICE}), frozenset({Party.APPLICANT, Party.WINDOW})),
    Leg.JOINT_RESULT: (frozenset({Party.OFFICE}), frozenset({Party.APPLICANT, Party.WINDOW})),
    Leg.ONLINE_APPLICATION: (frozenset({Party.APPLICANT}), frozenset({Party.OFFICE})),
}
"""Who may send and who may receive on each leg."""

INBOUND: frozenset[str] = frozenset({Leg.MATERIALS, Leg.SUPPLEMENT, Leg.ONLINE_APPLICATION})
OUTBOUND: frozenset[str] = frozenset({Leg.RESULT, Leg.ORIGINAL_RETURN, Leg.JOINT_RESULT})

INCIDENT_OF: dict[TrackingKind, IncidentKind] = {
    TrackingKind.REFUSED: IncidentKind.REFUSED,
    TrackingKind.RETURNING: IncidentKind.RETURNING,
    TrackingKind.RETURNED: IncidentKind.RETURNING,
    TrackingKind.DAMAGED: IncidentKind.DAMAGED,
    TrackingKind.LOST: IncidentKind.LOST,
    TrackingKind.CANCELLED: IncidentKind.CARRIER_CANCELLED,
    TrackingKind.EXCEPTION: IncidentKind.EXCEPTION,
}
"""What a person has to look at when the courier says it."""

DUE_IN: dict[str, timedelta] = {
    IncidentKind.LOST: timedelta(days=1),
    IncidentKind.MISSING_ITEM: timedelta(days=1),
    IncidentKind.MISSING_AT_DESK: timedelta(days=1),
    IncidentKind.DAMAGED: timedelta(days=1),
    IncidentKind.DELIVERY_REVERSED: timedelta(days=1),
    IncidentKind.ARRIVAL_DIFFERS: timedelta(days=1),
}
DUE_OTHERWISE = timedelta(days=3)
HEAVIEST_G = 30_000


def target(act: str, state: str) -> ParcelState:
    """Where the act leads from this state. Raises NotNow with the reason."""
    step = next((step for step in STEPS if step.act == act), None)
    if step is None:
        raise KeyError(act)
    if state in step.sources:
        return step.target
    sources = "、".join(ParcelState(source).label for source in step.sources)
    raise NotNow(
        f"parcel_{act}", f"寄件当前为“{ParcelState(state).label}”，只有在“{sources}”时才能{step.label}。"
    )


def open_acts(state: str) -> tuple[str, ...]:
    """The acts that the state permits, whoever may do them."""
    return tuple(step.act for step in STEPS if state in step.sources)


def check_ends(leg: str, *, sender: str, receiver: str) -> None:
    """The leg fits both ends."""
    senders, receivers = ENDS[leg]
    if sender not in senders or receiver not in receivers:
        raise NotNow(
            "parcel_ends",
            f"“{Leg(leg).label}”不能由{Party(sender).label}寄往{Party(receiver).label}，请改选寄件类型。",
        )


def check_release(leg: str, *, mode: str, handling_state: str, all_decided: bool, closed: bool) -> None:
    """Whether the paper of this handling may travel on this leg now (putian §四(二)–(四)).

    `all_decided`: every living handling of the case is decided; `closed`: the handling was refused or withdrawn, so
    that its papers only go back.
    """
    if leg in {Leg.MATERIALS, Leg.SUPPLEMENT} and not may_post_originals(mode, handling_state):
        when = "预审通过" if mode == Mode.WINDOW_FORWARD else "受理" if mode == Mode.WINDOW_ACCEPT else "提交"
        raise NotNow(
            "parcel_too_early", f"“{Mode(mode).label}”办件须在{when}后才能寄出原件，请等待审批部门处理。"
        )
    if leg == Leg.TRANSFER and mode != Mode.JOINT:
        raise NotNow("parcel_not_joint", "只有多地联办的办件才能在审批部门之间流转原件。")
    if leg == Leg.JOINT_RESULT and not all_decided:
        raise NotNow("parcel_results_held", "多地联办须待所有部门作出决定后一并送达，请等待其余部门。")
    if leg == Leg.RESULT and mode == Mode.JOINT:
        raise NotNow("parcel_joint_result", "多地联办的结果由牵头部门一并寄出，请改选“联办结果寄出”。")
    if leg == Leg.RESULT and handling_state != "decided":
        raise NotNow("parcel_undecided", "尚未作出决定，不能寄出审批结果。")
    if leg == Leg.ORIGINAL_RETURN and not (closed or handling_state == "decided"):
        raise NotNow("parcel_still_needed", "办件尚未办结，原件仍需留存，不能退还。")


def check_destination(
    leg: str, *, delivery: str, receiver_kind: str, at_case: bool, chosen: str, name: str
) -> None:
    """A result goes where its applicant wants it, and nothing goes to another window than the case's own (选择邮寄或现场取件,
    taizhou-2021 §三(二)). `at_case`: the receiver is the case's applicant or window; `chosen` names where it should go.
    An applicant who chose 电子送达 gets what is nevertheless on paper by either way.
    """
    if leg not in OUTBOUND:
        return
    if not at_case:
        raise NotNow("parcel_wrong_receiver", f"“{name}”不应寄往该收件方，请核对后分开装件。")
    wanted = {Delivery.MAIL: Party.APPLICANT, Delivery.WINDOW: Party.WINDOW}.get(Delivery(delivery))
    if leg in {Leg.RESULT, Leg.JOINT_RESULT} and wanted is not None and receiver_kind != wanted:
        raise NotNow(
            "parcel_not_as_chosen",
            f"申请人选择“{Delivery(delivery).label}”，“{name}”应寄往{chosen}；申请人改变主意的，请收件窗口先更改送达方式。",
        )


def check_weight(weight_g: int) -> None:
    """A weight in grams that a scale can have shown."""
    if not 1 <= weight_g <= HEAVIEST_G:
        raise NotNow("parcel_weight", f"重量应在 1 克到 {HEAVIEST_G // 1000} 千克之间，请重新称重。")


LONGEST_OFFLINE = timedelta(days=3)
CLOCKS_DIFFER = timedelta(minutes=5)


def scan_moment(scanned_at: datetime, *, sealed_at: datetime | None, now: datetime) -> datetime:
    """When a scan that was kept while the network was away happened, or NotNow.

    The counter's clock may run a little ahead; a scan older than three days, or from before the bag was closed, is
    one that nobody vouches for.
    """
    if not now - LONGEST_OFFLINE <= scanned_at <= now + CLOCKS_DIFFER:
        raise NotNow(
            "scan_time", "离线扫码的时间不可信（早于三天前，或晚于现在），请核对电脑时间后重新扫码。"
        )
    if sealed_at is None or scanned_at + CLOCKS_DIFFER < sealed_at:
        raise NotNow("scan_before_seal", "这次扫码之后寄件又拆封过，请核对实物后重新扫码交寄。")
    return min(max(scanned_at, sealed_at), now)


S10 = re.compile(r"[A-Z]{2}(\d{8})(\d)[A-Z]{2}")
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def waybill_number(text: str) -> str:
    """A typed waybill number in its one spelling. Only the form UPU S10 has a published check digit, so only there a
    typing error can be seen; the carrier is never guessed from the number.
    """
    number = "".join(text.split()).upper()
    if not (number.isascii() and number.isalnum() and 6 <= len(number) <= 32):
        raise NotNow("waybill_number", "运单号应为 6 到 32 位字母或数字，请核对后重新输入。")
    shape = S10.fullmatch(number)
    if shape and s10_check_digit(shape.group(1)) != shape.group(2):
        raise NotNow("waybill_check_digit", "运单号校验位不符，可能输入有误，请对照面单重新输入。")
    return number


def s10_check_digit(serial: str) -> str:
    """The check digit of the eight digits of a UPU S10 number."""
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(S10_WEIGHTS, serial, strict=True)) % 11
    return {10: "0", 11: "5"}.get(rest, str(rest))


@dataclass(frozen=True)
class Ticking:
    """What the receiver found: ids that are there, those of them that are damaged, ids missing, and a number of things
    that are not on the list.
    """

    present: frozenset[int]
    damaged: frozenset[int]
    missing: frozenset[int]
    extra: int


def compare_contents(
    listed: Iterable[int], ticked: Iterable[int], *, extra: int, damaged: Iterable[int] = ()
) -> Ticking:
    """The packing list against what is in the envelope; what is damaged is there.

    Something ticked that is not listed is a wrong request.
    """
    wanted, broken = frozenset(listed), frozenset(damaged)
    found = frozenset(ticked) | broken
    if found - wanted:
        raise NotNow("parcel_not_listed", "勾选的原件不在本寄件清单内，请登记为清单外物品。")
    return Ticking(present=found, damaged=broken, missing=wanted - found, extra=max(extra, 0))


def due_in(kind: str) -> timedelta:
    """How soon somebody has to answer for an incident."""
    return DUE_IN.get(kind, DUE_OTHERWISE)
