"""Versions of the postage policy: what makes one sound, exceptions to it, and what another would have changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from logistics.rules.payers import (
    Bearer,
    Centre,
    Decision,
    Leg,
    NoPayer,
    PaymentTerm,
    Policy,
    Share,
    Shipment,
    decide,
    rules_from_data,
)
from registry.terms import Level, Mode, Term
from storage.errors import Refused

# Which payment terms can make a bearer pay: 到付 makes the receiving end pay, 寄付 the sending one.
TERMS_OF: Mapping[Bearer, frozenset[PaymentTerm]] = {
    Bearer.APPLICANT: frozenset({PaymentTerm.SENDER_CASH}),
    Bearer.SENDER: frozenset({PaymentTerm.SENDER_MONTHLY}),
    Bearer.RECEIVER: frozenset({PaymentTerm.COLLECT}),
    Bearer.DECIDING: frozenset({PaymentTerm.COLLECT, PaymentTerm.SENDER_MONTHLY}),
    Bearer.EACH_DECIDING: frozenset({PaymentTerm.SENDER_MONTHLY}),
}
EXCEPTION = "exception"


class PolicyFault(Refused):
    """A policy version that leaves a leg without an answer, contradicts itself, or meets another version."""


class ExceptionState(Term):
    ASKED = "asked", "待批准"
    APPROVED = "approved", "已批准"
    REFUSED = "refused", "不同意"


@dataclass(frozen=True)
class Granted:
    """An approved exception: this centre bears one leg of one case, whoever would have paid."""

    number: int
    centre: Centre
    office_id: int | None
    reason: str
    approver: str


@dataclass(frozen=True)
class Past:
    """A charge as it was made: what the policy looked at, and who bore how much (fen) then."""

    key: str
    month: str
    shipment: Shipment
    term: PaymentTerm
    shares: tuple[Share, ...]
    amount_fen: int


@dataclass(frozen=True)
class Changed:
    """A charge that somebody else would have borne, or on another term."""

    past: Past
    decision: Decision
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class WhatIf:
    """The past months under another policy. Payers by centre id, None is the applicant; amounts in fen."""

    checked: int
    changed: tuple[Changed, ...]
    before: Mapping[int | None, int]
    after: Mapping[int | None, int]
    unpriced: tuple[str, ...] = field(default=())
    unanswered: tuple[str, ...] = field(default=())


def check_policy(policy: Policy, others: Sequence[Policy] = ()) -> None:
    """Raises PolicyFault unless the version answers every leg once and its period is free."""
    if policy.valid_until is not None and policy.valid_until <= policy.valid_from:
        raise PolicyFault("policy_dates", "失效日期必须晚于生效日期。")
    codes = Counter(rule.code for rule in policy.rules)
    doubled = next((code for code, count in codes.items() if count > 1), "")
    if doubled:
        raise PolicyFault("policy_code", f"规则代码“{doubled}”重复，请改为不同的代码。")
    for leg in Leg:
        _check_leg(policy, leg)
    for other in others:
        if _meet(policy, other):
            raise PolicyFault("policies_overlap", f"与政策“{other.code}”的有效期重叠，请先终止旧版本。")


def policy_from_data(data: Mapping[str, Any]) -> Policy:
    """A version as a file describes it. Raises Refused naming what is wrong."""
    try:
        until = data.get("valid_until")
        return Policy(
            code=str(data["code"]),
            source=str(data["source"]),
            valid_from=date.fromisoformat(data["valid_from"]),
            valid_until=date.fromisoformat(until) if until else None,
            rules=rules_from_data(data["rules"]),
            outside_term=PaymentTerm(data.get("outside_term", PaymentTerm.SENDER_MONTHLY.value)),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise PolicyFault("bad_policy", f"邮资政策文件有误（{fault}），请对照模板修改。") from fault


def decide_exception(shipment: Shipment, granted: Granted) -> Decision:
    """Who pays under an approved exception: 到付 when the granting centre receives, else its monthly account."""
    receives = shipment.receiver is not None and shipment.receiver.centre.id == granted.centre.id
    term = PaymentTerm.COLLECT if receives else PaymentTerm.SENDER_MONTHLY
    words = f"{term.label}，由{granted.centre.name}承担：经{granted.approver}批准的例外（{granted.reason}）"
    share = Share(granted.centre.id, granted.office_id)
    return Decision(term, EXCEPTION, f"{EXCEPTION}-{granted.number}", words, (share,))


def what_if(past: Iterable[Past], policy: Policy, price: Callable[[Past, Decision], int | None]) -> WhatIf:
    """Decide every past charge again. `price` gives the fen it would cost then, None when no contract says so."""
    before: Counter[int | None] = Counter()
    after: Counter[int | None] = Counter()
    changed, unpriced, unanswered, checked = [], [], [], 0
    for one in past:
        checked += 1
        _bear(before, one.shares, one.amount_fen)
        try:
            decision = decide(one.shipment, policy)
        except NoPayer:
            unanswered.append(one.key)
            continue
        if _same(one, decision):
            _bear(after, one.shares, one.amount_fen)
            continue
        amount = price(one, decision)
        if amount is None:
            unpriced.append(one.key)
        shares = decision.share_out(amount or 0)
        _bear(after, shares, amount or 0)
        changed.append(Changed(one, decision, shares))
    return WhatIf(checked, tuple(changed), dict(before), dict(after), tuple(unpriced), tuple(unanswered))


def _check_leg(policy: Policy, leg: Leg) -> None:
    rules = [rule for rule in policy.rules if rule.leg == leg]
    closed = False
    for rule in rules:
        if closed:
            raise PolicyFault(
                "policy_unreachable", f"“{leg.label}”的规则“{rule.code}”永远用不到，请调整次序。"
            )
        if set(rule.modes) - set(Mode.values()) or set(rule.levels) - set(Level.values()):
            raise PolicyFault("bad_policy", f"规则“{rule.code}”的办理模式或层级不存在。")
        if rule.term not in TERMS_OF[rule.bearer]:
            raise PolicyFault(
                "policy_term", f"“{leg.label}”由{rule.bearer.label}承担时，不能用“{rule.term.label}”。"
            )
        closed = not rule.modes and not rule.levels
    if not closed:
        raise PolicyFault(
            "policy_gap", f"政策没有规定“{leg.label}”在其余情形下由谁付费，请补一条不限模式和层级的规则。"
        )


def _meet(one: Policy, other: Policy) -> bool:
    return (one.valid_until is None or other.valid_from < one.valid_until) and (
        other.valid_until is None or one.valid_from < other.valid_until
    )


def _same(past: Past, decision: Decision) -> bool:
    then = [(share.centre_id, share.office_id) for share in past.shares]
    now = [(share.centre_id, share.office_id) for share in decision.shares]
    return then == now and past.term == decision.term


def _bear(sums: Counter[int | None], shares: Sequence[Share], amount_fen: int) -> None:
    if not shares:
        sums[None] += amount_fen
    for share in shares:
        sums[share.centre_id] += share.amount_fen
