"""The states of a case and of a handling, as tables, and what they permit."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from registry.rules import Unlawful, steps
from registry.terms import Mode, Term
from storage.errors import Refused


class NotNow(Refused):
    """The act is not open in the present state."""


class CaseState(Term):
    DRAFT = "draft", "收件中"
    SUBMITTED = "submitted", "已提交"
    PRE_REVIEW = "pre_review", "预审通过"
    ACCEPTED = "accepted", "已受理"
    SUPPLEMENT = "supplement", "补正"
    DECIDED = "decided", "已办结"
    DELIVERING = "delivering", "送达中"
    CLOSED = "closed", "已归结"
    REFUSED = "refused", "不予受理"
    WITHDRAWN = "withdrawn", "已撤回"


class HandlingState(Term):
    WAITING = "waiting", "待收件"
    PENDING = "pending", "待审核"
    PRE_REVIEW = "pre_review", "预审通过"
    ACCEPTED = "accepted", "已受理"
    SUPPLEMENT = "supplement", "补正"
    DECIDED = "decided", "已决定"
    REFUSED = "refused", "不予受理"
    WITHDRAWN = "withdrawn", "已撤回"


@dataclass(frozen=True)
class Step(steps.Step[steps.S]):
    """An arrow that is open in some modes; none named means in every one."""

    modes: tuple[str, ...] = ()


H, C = HandlingState, CaseState

# Resubmission goes back to where the handling was asked for more; both targets stand in the table.
HANDLING_STEPS: tuple[Step[HandlingState], ...] = (
    Step("submit", "提交", (H.WAITING,), H.PENDING),
    Step(
        "pre_review", "预审通过", (H.PENDING,), H.PRE_REVIEW, (Mode.WINDOW_FORWARD, Mode.JOINT, Mode.ONLINE)
    ),
    Step("accept", "受理", (H.PENDING,), H.ACCEPTED, (Mode.WINDOW_ACCEPT, Mode.JOINT, Mode.ONLINE)),
    Step("accept", "受理", (H.PRE_REVIEW,), H.ACCEPTED, (Mode.WINDOW_FORWARD, Mode.JOINT, Mode.ONLINE)),
    Step("supplement", "要求补正", (H.PENDING, H.PRE_REVIEW, H.ACCEPTED), H.SUPPLEMENT),
    Step("resubmit", "补正后提交", (H.SUPPLEMENT,), H.PENDING),
    Step("resubmit_accepted", "受理后补正提交", (H.SUPPLEMENT,), H.ACCEPTED),
    Step("refuse", "不予受理", (H.PENDING, H.PRE_REVIEW, H.SUPPLEMENT), H.REFUSED),
    Step("decide", "作出决定", (H.ACCEPTED,), H.DECIDED),
    Step(
        "withdraw",
        "撤回",
        (H.WAITING, H.PENDING, H.PRE_REVIEW, H.ACCEPTED, H.SUPPLEMENT),
        H.WITHDRAWN,
    ),
)

CASE_STEPS: tuple[Step[CaseState], ...] = (
    Step("submit", "提交", (C.DRAFT,), C.SUBMITTED),
    Step("follow", "随环节推进", (C.SUBMITTED, C.SUPPLEMENT), C.PRE_REVIEW),
    Step("follow", "随环节推进", (C.SUBMITTED, C.PRE_REVIEW, C.SUPPLEMENT), C.ACCEPTED),
    Step("follow", "随环节推进", (C.SUBMITTED, C.PRE_REVIEW, C.ACCEPTED), C.SUPPLEMENT),
    Step("follow", "随环节推进", (C.SUPPLEMENT, C.PRE_REVIEW, C.ACCEPTED), C.SUBMITTED),
    Step("follow", "随环节推进", (C.ACCEPTED, C.SUBMITTED, C.PRE_REVIEW, C.SUPPLEMENT), C.DECIDED),
    Step("follow", "随环节推进", (C.SUBMITTED, C.PRE_REVIEW, C.SUPPLEMENT), C.REFUSED),
    Step("withdraw", "撤回", (C.DRAFT, C.SUBMITTED, C.PRE_REVIEW, C.ACCEPTED, C.SUPPLEMENT), C.WITHDRAWN),
    Step("deliver", "送达结果", (C.DECIDED,), C.DELIVERING),
    Step("close", "归结", (C.DELIVERING,), C.CLOSED),
)

ENDED: frozenset[str] = frozenset({C.CLOSED, C.REFUSED, C.WITHDRAWN})
_LABELS: dict[str, str] = {member.value: member.label for term in (C, H) for member in term}


def handling_target(act: str, state: str, mode: str) -> HandlingState:
    """Where the act leads from here. Raises NotNow with the reason."""
    return _target(HANDLING_STEPS, act, state, mode)


def case_target(act: str, state: str, mode: str) -> CaseState:
    return _target(CASE_STEPS, act, state, mode)


def check_follows(state: str, target: str) -> None:
    """The table must hold an arrow along which the case can follow its handlings."""
    if not any(
        step.act == "follow" and state in step.sources and step.target == target for step in CASE_STEPS
    ):
        raise NotNow("case_follow", f"办件不能从“{_LABELS[state]}”变为“{_LABELS[target]}”。")


def open_handling_acts(state: str, mode: str) -> tuple[str, ...]:
    """The acts that the state permits, whoever may do them."""
    return tuple(
        step.act
        for step in HANDLING_STEPS
        if state in step.sources and (not step.modes or mode in step.modes)
    )


def _target(table: Iterable[Step[steps.S]], act: str, state: str, mode: str) -> steps.S:
    named = [step for step in table if step.act == act]
    if not named:
        raise KeyError(f"unknown act {act}")
    for step in named:
        if state in step.sources and (not step.modes or mode in step.modes):
            return step.target
    label = named[0].label
    if any(state in step.sources for step in named):
        raise NotNow(f"{act}_mode", f"“{Mode(mode).label}”办件在“{_LABELS[state]}”时不能{label}。")
    sources = "、".join(dict.fromkeys(_LABELS[source] for step in named for source in step.sources))
    raise NotNow(f"{act}_state", f"当前为“{_LABELS[state]}”，只有在“{sources}”时才能{label}。")


def case_state_from(handlings: Iterable[str]) -> CaseState:
    """What the handlings of a submitted case make of the case as a whole.

    The slowest handling that still lives decides; one request for supplement stops the case.
    """
    states = [HandlingState(state) for state in handlings]
    living = [state for state in states if state not in (H.REFUSED, H.WITHDRAWN)]
    if not living:
        return C.REFUSED if H.REFUSED in states else C.WITHDRAWN
    if H.SUPPLEMENT in living:
        return C.SUPPLEMENT
    order = [H.WAITING, H.PENDING, H.PRE_REVIEW, H.ACCEPTED, H.DECIDED]
    slowest = min(living, key=order.index)
    return {
        H.WAITING: C.SUBMITTED,
        H.PENDING: C.SUBMITTED,
        H.PRE_REVIEW: C.PRE_REVIEW,
        H.ACCEPTED: C.ACCEPTED,
        H.DECIDED: C.DECIDED,
    }[slowest]


class IdentityPerson(Term):
    APPLICANT = "applicant", "申请人"
    AGENT = "agent", "委托人"


class IdentityMethod(Term):
    READER = "reader", "读卡器"
    SIGHT = "sight", "人工"


def identity_fault(
    *,
    person: IdentityPerson,
    applicant_name: str,
    applicant_number: str,
    agent_consent: bool,
    name: str,
    number: str,
    valid_until: date | None,
    today: date,
) -> tuple[str, str] | None:
    """Why a card that was read does not identify this person (code, sentence), or None (putian §四(二)).

    An applicant's card must be the applicant's; an agent's card must be somebody else's, and the applicant must have
    agreed to an agent. `valid_until` None means 长期.
    """
    if wrong := person_fault(person, applicant_number=applicant_number, agent_consent=agent_consent):
        return wrong
    if not (is_resident_number(number) and name):
        return "identity_unread", "读卡器没有读出有效的居民身份证，请重放一次，或改为人工核验。"
    if valid_until is not None and valid_until < today:
        return "identity_expired", "该身份证已过有效期，请申请人出示有效证件。"
    same = number == applicant_number
    if person == IdentityPerson.APPLICANT and not (same and name == applicant_name):
        return "identity_differs", "身份证与办件登记的申请人姓名或证件号码不一致，请核对登记信息。"
    if person == IdentityPerson.AGENT and same:
        return "identity_is_applicant", "这是申请人本人的身份证，请把核验对象改为申请人。"
    return None


def person_fault(
    person: IdentityPerson, *, applicant_number: str, agent_consent: bool
) -> tuple[str, str] | None:
    """Why this cannot be who stands at the counter, whatever the document says, or None (putian §四(二)).

    A unit stands there as its handler (经办人); somebody else comes for a person only with that person's consent.
    """
    unit = is_unit_number(applicant_number)
    if unit and person == IdentityPerson.APPLICANT:
        return (
            "identity_of_unit",
            "申请人是单位，请核验其经办人的身份证件：核验对象选“委托人（单位的经办人）”。",
        )
    if person == IdentityPerson.AGENT and not unit and not agent_consent:
        return (
            "identity_no_consent",
            "申请人尚未同意委托，不能由委托人办理。申请人同意的，先在“更改申请人的选择”里记下。",
        )
    return None


def check_looked_at(mode: str, *, checked: Collection[str], unit: bool, vouched: bool) -> None:
    """Somebody's identity was checked before paper that was taken in goes on. Raises Unlawful.

    收件后对申请材料进行形式审查、身份核验，…转交业务属地部门 (zhuji §四(二)); 通办窗口进行形式审查、身份核验…进行代收代办
    (taizhou-2021 §三(二)(三)); 核验申请人或委托人的身份或资质证件…当场予以受理 (putian §四(二)). Of a unit it is its handler who
    is looked at. In 全程网办 nobody stands at a counter: the platform knows whoever signed in (统一身份认证, zaozhuang §二(四),
    zhuji §三(一)). `vouched` says the same of a case that a platform hands on itself. `checked` holds IdentityPerson values.
    """
    if mode == Mode.ONLINE or vouched:
        return
    if not checked:
        who = "经办人" if unit else "申请人或委托人"
        raise Unlawful(
            "identity_open",
            f"尚未核验{who}的身份证件（诸暨 §四(二)、莆田 §四(二)）。请在“身份核验”处刷读卡器，或人工核验并写明原因。",
        )
    if unit and IdentityPerson.AGENT not in checked:
        raise Unlawful(
            "identity_open",
            "申请人是单位，尚未核验其经办人的身份证件（莆田 §四(二)）。请在“身份核验”处核验，核验对象选“委托人（单位的经办人）”。",
        )


_UNIT_NUMBER = re.compile(r"(?=.{0,16}[A-Z])[0-9A-HJ-NP-RTUW-Y]{18}")


def is_unit_number(number: str) -> bool:
    """GB 32100: a unified social credit code, also one with a wrong check character; a person's number is digits up to it."""
    return uscc.is_valid(number) or _UNIT_NUMBER.fullmatch(number) is not None


def is_resident_number(number: str) -> bool:
    """GB 11643: eighteen characters of which the last is the check character of ISO 7064 MOD 11-2."""
    return len(number) == 18 and number.isascii() and number.isalnum() and mod_11_2.is_valid(number)


@dataclass(frozen=True)
class MaterialFacts:
    """One row of the checklist as it stands: pages counted without those set aside."""

    name: str
    pages: int
    minimum_pages: int
    required: bool
    deferred: bool
    shared_data: bool
    deferrable: bool = False
    form: str = ""
    """原件 or 复印件."""


@dataclass(frozen=True)
class Gap:
    """One thing for which a case cannot be submitted: what, what is wrong with it, and what to bring."""

    name: str
    fault: str
    demand: str


def gaps(materials: Iterable[MaterialFacts]) -> list[Gap]:
    """Everything that is missing on the checklist, at once (一次性告知, putian §五(六))."""
    found = []
    for material in materials:
        if not material.required or material.deferred or material.shared_data:
            continue
        later = "暂时不能提交的，可以书面承诺容缺后补。" if material.deferrable else ""
        lacking = material.minimum_pages - material.pages
        if material.pages == 0:
            demand = f"请提交{material.form}，不少于 {material.minimum_pages} 页。"
            found.append(Gap(material.name, "缺少", demand + later))
        elif lacking > 0:
            fault = f"应有 {material.minimum_pages} 页，现有 {material.pages} 页"
            found.append(Gap(material.name, fault, f"请补齐缺少的 {lacking} 页。{later}"))
    return found


def missing_materials(materials: Iterable[MaterialFacts]) -> list[str]:
    """The same in words."""
    return [
        f"缺少“{gap.name}”" if gap.fault == "缺少" else f"“{gap.name}”{gap.fault}" for gap in gaps(materials)
    ]


@dataclass(frozen=True)
class Stop:
    """One office on an original's way; `over` when its handling needs no paper any more."""

    handling: int
    office: int
    reached: bool
    over: bool


@dataclass(frozen=True)
class PartFacts:
    """What one office's part of a case has for the applicant once it is over."""

    office: str
    approved: bool
    has_paper: bool
    has_file: bool


def without_electronic_result(parts: Iterable[PartFacts]) -> list[str]:
    """The offices that granted something and have neither a file nor a paper for an applicant who chose 电子送达
    (网络送达办理结果, taizhou-2021 §三(二), zaozhuang §二(五)).
    """
    return [part.office for part in parts if part.approved and not (part.has_paper or part.has_file)]


def result_is_held(states: Iterable[str]) -> bool:
    """Whether a result waits for the others: no office's before every office of the case is done (taizhou-2021 §三(三))."""
    return any(state not in NEEDS_NO_PAPER for state in states)


NEEDS_NO_PAPER: frozenset[str] = frozenset({H.DECIDED, H.REFUSED, H.WITHDRAWN})


def next_stop(stops: Iterable[Stop]) -> Stop | None:
    """Where an original goes next, of its stops in their order: an original needed by several offices travels from one
    to the next (putian §四(四)), and passes by those that have decided or ended meanwhile.
    """
    return next((stop for stop in stops if not stop.reached and not stop.over), None)


MAY_POST: Mapping[str, frozenset[str]] = {
    Mode.ONLINE: frozenset({H.PENDING, H.PRE_REVIEW, H.ACCEPTED, H.SUPPLEMENT, H.DECIDED}),
    Mode.WINDOW_ACCEPT: frozenset({H.ACCEPTED, H.SUPPLEMENT, H.DECIDED}),
    Mode.WINDOW_FORWARD: frozenset({H.PRE_REVIEW, H.ACCEPTED, H.SUPPLEMENT, H.DECIDED}),
    Mode.JOINT: frozenset({H.PENDING, H.PRE_REVIEW, H.ACCEPTED, H.SUPPLEMENT, H.DECIDED}),
}
"""In which states of its handling an original may leave the window (putian §四(二)(三)): 受审分离 after acceptance; 收受分离 only
after the office's pre-review; 多地联办 and 全程网办 once submitted.
"""


def may_post_originals(mode: str, handling_state: str) -> bool:
    """Whether originals may leave the window now."""
    return handling_state in MAY_POST[mode]
