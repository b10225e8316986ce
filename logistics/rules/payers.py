"""Who pays for a parcel and how the waybill says so: 谁审批谁付费 as a table that a policy carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from logistics.rules.money import split_evenly
from registry.terms import Level, Term
from storage.errors import Refused


class Leg(Term):
    """What a parcel is for."""

    MATERIALS = "materials", "申请材料寄送"
    SUPPLEMENT = "supplement", "补正材料寄送"
    TRANSFER = "transfer", "联办材料流转"
    RESULT = "result", "审批结果寄送"
    ORIGINAL_RETURN = "original_return", "原件退还"
    JOINT_RESULT = "joint_result", "联办结果统一寄送"
    ONLINE_APPLICATION = "online_application", "网办材料寄送"


class PaymentTerm(Term):
    """The payment term that a waybill carries."""

    COLLECT = "collect", "到付"
    SENDER_MONTHLY = "sender_monthly", "寄付月结"
    SENDER_CASH = "sender_cash", "寄付现结"


class Bearer(Term):
    """Whom a policy rule makes pay."""

    DECIDING = "deciding", "审批部门"
    RECEIVER = "receiver", "收件部门"
    SENDER = "sender", "寄件部门"
    EACH_DECIDING = "each_deciding", "各审批部门均摊"
    APPLICANT = "applicant", "申请人"


LEVEL_WORDS: Mapping[str, str] = {
    Level.PROVINCE: "省级部门",
    Level.CITY: "市级部门",
    Level.COUNTY: "县级部门",
    Level.TOWN: "乡镇（街道）部门",
}
# putian §五(七): centres of two levels bear the postage of the offices of their level; a town has none.
CENTRE_LEVEL: Mapping[str, str] = {
    Level.PROVINCE: Level.PROVINCE,
    Level.CITY: Level.CITY,
    Level.COUNTY: Level.COUNTY,
    Level.TOWN: Level.COUNTY,
}


class NoPayer(Refused):
    """The policy or the directory does not say who pays."""


@dataclass(frozen=True)
class Centre:
    """A service centre that can bear postage."""

    id: int
    name: str
    level: str


@dataclass(frozen=True)
class OfficeFacts:
    """An office with the one centre that pays for it."""

    id: int
    name: str
    level: str
    centre: Centre


@dataclass(frozen=True)
class Shipment:
    """What the policy looks at. `deciding` names the lead office first; a party that is no office is None.

    `covered`: the item is in the catalogue and was taken in at a window outside the office's region.
    `sending_centre`: the centre of the sending window or office, which pays when the rule does not cover it.
    """

    leg: Leg
    mode: str
    deciding: tuple[OfficeFacts, ...]
    sender: OfficeFacts | None
    receiver: OfficeFacts | None
    covered: bool
    sending_centre: Centre | None


@dataclass(frozen=True)
class PolicyRule:
    """One row of a policy: the first that fits leg, mode and level decides. Empty tuples fit everything."""

    code: str
    leg: Leg
    bearer: Bearer
    term: PaymentTerm
    modes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    because: str = ""

    def fits(self, shipment: Shipment) -> bool:
        lead = shipment.deciding[0].level if shipment.deciding else ""
        return (
            self.leg == shipment.leg
            and (not self.modes or shipment.mode in self.modes)
            and (not self.levels or lead in self.levels)
        )


@dataclass(frozen=True)
class Policy:
    """A version of the postage policy, in force from `valid_from` up to, not including, `valid_until`."""

    code: str
    source: str
    valid_from: date
    valid_until: date | None
    rules: tuple[PolicyRule, ...]
    outside_term: PaymentTerm = PaymentTerm.SENDER_MONTHLY

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)


@dataclass(frozen=True)
class Share:
    """Who bears one part: an office through its centre, or a centre alone (`office_id` None)."""

    centre_id: int
    office_id: int | None
    amount_fen: int = 0


@dataclass(frozen=True)
class Decision:
    """Who pays, on which term and account, and why. `shares` is empty when the applicant pays."""

    term: PaymentTerm
    rule_code: str
    policy_code: str
    words: str
    shares: tuple[Share, ...] = field(default=())

    @property
    def payer_centre_id(self) -> int | None:
        """The centre whose account the waybill names; None when the applicant pays."""
        return self.shares[0].centre_id if self.shares else None

    @property
    def payer_office_id(self) -> int | None:
        return self.shares[0].office_id if self.shares else None

    def share_out(self, total_fen: int) -> tuple[Share, ...]:
        """The whole in equal shares, the remainder fen with the lead office."""
        if not self.shares:
            return ()
        parts = split_evenly(total_fen, len(self.shares))
        return tuple(
            Share(share.centre_id, share.office_id, part)
            for share, part in zip(self.shares, parts, strict=True)
        )


PUTIAN = Policy(
    code="putian-2021",
    source="莆田 §五(七)",
    valid_from=date(2021, 4, 21),
    valid_until=None,
    rules=(
        PolicyRule("materials", Leg.MATERIALS, Bearer.DECIDING, PaymentTerm.COLLECT),
        PolicyRule("supplement", Leg.SUPPLEMENT, Bearer.DECIDING, PaymentTerm.COLLECT),
        PolicyRule(
            "transfer", Leg.TRANSFER, Bearer.RECEIVER, PaymentTerm.COLLECT, because="需要材料作出审批"
        ),
        PolicyRule("result", Leg.RESULT, Bearer.SENDER, PaymentTerm.SENDER_MONTHLY),
        PolicyRule("original_return", Leg.ORIGINAL_RETURN, Bearer.SENDER, PaymentTerm.SENDER_MONTHLY),
        PolicyRule("joint_result", Leg.JOINT_RESULT, Bearer.EACH_DECIDING, PaymentTerm.SENDER_MONTHLY),
        PolicyRule("online_application", Leg.ONLINE_APPLICATION, Bearer.APPLICANT, PaymentTerm.SENDER_CASH),
    ),
)


def decide(shipment: Shipment, policy: Policy) -> Decision:
    """Apply a policy version to a parcel. Raises NoPayer when nobody can be named."""
    if not shipment.covered and shipment.leg != Leg.ONLINE_APPLICATION:
        return _outside(shipment, policy)
    rule = next((rule for rule in policy.rules if rule.fits(shipment)), None)
    if rule is None:
        raise NoPayer(
            "no_postage_rule", f"邮资政策没有规定“{shipment.leg.label}”由谁付费，请管理员补充政策。"
        )
    if rule.bearer == Bearer.APPLICANT:
        words = f"{rule.term.label}，由申请人承担：{rule.leg.label}（{policy.source}）"
        return Decision(rule.term, rule.code, policy.code, words)
    offices = _bearers(rule, shipment)
    return Decision(
        term=rule.term,
        rule_code=rule.code,
        policy_code=policy.code,
        words=_words(rule, offices, policy),
        shares=tuple(Share(office.centre.id, office.id) for office in offices),
    )


def rules_from_data(data: Sequence[Mapping[str, Any]]) -> tuple[PolicyRule, ...]:
    """Rules as stored in a policy row. Raises Refused when a row says something unknown."""
    try:
        return tuple(
            PolicyRule(
                code=str(row["code"]),
                leg=Leg(row["leg"]),
                bearer=Bearer(row["bearer"]),
                term=PaymentTerm(row["term"]),
                modes=tuple(row.get("modes", ())),
                levels=tuple(row.get("levels", ())),
                because=str(row.get("because", "")),
            )
            for row in data
        )
    except (KeyError, ValueError) as fault:
        raise Refused("bad_policy", f"邮资政策的规则有误（{fault}），请对照模板修改。") from fault


def rules_to_data(rules: Sequence[PolicyRule]) -> list[dict[str, Any]]:
    """Rules as a policy row stores them; the inverse of `rules_from_data`."""
    return [
        {
            "code": rule.code,
            "leg": str(rule.leg),
            "bearer": str(rule.bearer),
            "term": str(rule.term),
            "modes": list(rule.modes),
            "levels": list(rule.levels),
            "because": rule.because,
        }
        for rule in rules
    ]


def _bearers(rule: PolicyRule, shipment: Shipment) -> tuple[OfficeFacts, ...]:
    chosen: tuple[OfficeFacts | None, ...] = {
        Bearer.DECIDING: shipment.deciding[:1] if shipment.receiver is None else (shipment.receiver,),
        Bearer.RECEIVER: (shipment.receiver,),
        Bearer.SENDER: (shipment.sender,),
        Bearer.EACH_DECIDING: shipment.deciding,
    }[rule.bearer]
    offices = tuple(office for office in chosen if office is not None)
    if not offices:
        raise NoPayer("no_paying_office", f"“{rule.leg.label}”的付费部门不明，请先选定收寄部门。")
    for office in offices:
        _must_be_own_level(office)
    return offices


def _must_be_own_level(office: OfficeFacts) -> None:
    if office.centre.level != CENTRE_LEVEL.get(office.level):
        raise NoPayer(
            "payer_level",
            f"{office.name}的付费中心“{office.centre.name}”不是本级中心，请管理员核对部门设置。",
        )


def _words(rule: PolicyRule, offices: Sequence[OfficeFacts], policy: Policy) -> str:
    centres = "、".join(dict.fromkeys(office.centre.name for office in offices))
    term = rule.term.label
    if len(offices) > 1:
        names = "、".join(office.name for office in offices)
        return (
            f"{term}，由{centres}均摊，余数归牵头部门{offices[0].name}：{names}联合审批，"
            f"各部门由本级中心承担（{policy.source}）"
        )
    office = offices[0]
    because = f"，{rule.because}" if rule.because else ""
    return (
        f"{term}，由{centres}承担：{office.name}审批，{LEVEL_WORDS[office.level]}{because}（{policy.source}）"
    )


def _outside(shipment: Shipment, policy: Policy) -> Decision:
    if shipment.sending_centre is None:
        words = f"{PaymentTerm.SENDER_CASH.label}，由寄件人承担：不属于通办清单内的异地收件业务（{policy.source}）"
        return Decision(PaymentTerm.SENDER_CASH, "outside", policy.code, words)
    centre = shipment.sending_centre
    office_id = shipment.sender.id if shipment.sender else None
    words = f"{policy.outside_term.label}，由寄件方{centre.name}承担：不属于通办清单内的异地收件业务（{policy.source}）"
    return Decision(policy.outside_term, "outside", policy.code, words, (Share(centre.id, office_id),))
