"""Who acts next on a case and with what: a pure reading of its states, for lists and the line of truth."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ingest.rules import CaseState, HandlingState, may_post_originals
from registry.terms import Delivery, Mode


class Who(StrEnum):
    WINDOW = "窗口"
    OFFICE = "审批部门"
    CARRIER = "承运商"
    APPLICANT = "申请人"
    NOBODY = ""


class Paper(StrEnum):
    """Where papers lie, as far as the next act depends on it."""

    WINDOW = "window"
    PARCEL = "parcel"
    APPLICANT = "applicant"
    OFFICE = "office"
    OTHER_OFFICE = "other_office"
    LOST = "lost"
    MISSING = "missing"


@dataclass(frozen=True)
class Papers:
    """Places of the originals that must travel, and of the results."""

    materials: Collection[str] = ()
    results: Collection[str] = ()
    onward: str = ""
    """The office to which an original at this office goes next."""


@dataclass(frozen=True)
class NextStep:
    """`act` names the form or link on the case page; empty where nothing is to be done."""

    who: Who
    sentence: str
    act: str = ""


@dataclass(frozen=True)
class CaseFacts:
    """What the next step depends on. `handling` is the state of the part looked at."""

    state: str
    mode: str
    handling: str
    delivery: str
    papers: Papers
    all_decided: bool = True
    lead: bool = True
    """Whether the part looked at is the one that delivers a joint result."""
    awaits_file: bool = False
    """Whether the applicant chose 电子送达 and this part has granted without giving anything to fetch."""


_ENDED: Mapping[str, str] = {
    CaseState.CLOSED: "已归结，无后续事项",
    CaseState.REFUSED: "不予受理，已结束",
    CaseState.WITHDRAWN: "已撤回，已结束",
}


def next_step(case: CaseFacts) -> NextStep:
    """The one likely next act."""
    if case.state == CaseState.DRAFT:
        return NextStep(Who.WINDOW, "收齐材料后提交", "submit")
    if case.state in _ENDED:
        return _after_end(case)
    if case.handling == HandlingState.SUPPLEMENT:
        return NextStep(Who.WINDOW, "补齐材料后重新提交", "resubmit")
    if case.handling == HandlingState.PENDING:
        if case.mode == Mode.WINDOW_ACCEPT:
            return NextStep(Who.WINDOW, "当场受理", "accept")
        return NextStep(Who.OFFICE, "预审材料", "pre_review")
    if case.handling in (HandlingState.PRE_REVIEW, HandlingState.ACCEPTED):
        return _while_deciding(case)
    if case.handling == HandlingState.DECIDED:
        return _after_decision(case)
    return NextStep(Who.NOBODY, "本环节已结束")


def _while_deciding(case: CaseFacts) -> NextStep:
    """Between pre-review and decision the paper moves beside the digital case."""
    papers = case.papers.materials
    if Paper.WINDOW in papers and may_post_originals(case.mode, case.handling):
        return NextStep(Who.WINDOW, "寄出原件", "pack")
    if Paper.PARCEL in papers:
        return NextStep(Who.OFFICE, "签收并核对原件", "receive")
    if case.handling == HandlingState.PRE_REVIEW:
        return NextStep(Who.OFFICE, "受理", "accept")
    if Paper.APPLICANT in papers and case.mode == Mode.ONLINE:
        return NextStep(Who.APPLICANT, "等待申请人寄来原件", "receive_papers")
    return NextStep(Who.OFFICE, "作出决定", "decide")


def _after_decision(case: CaseFacts) -> NextStep:
    results = case.papers.results
    if case.papers.onward:
        return NextStep(Who.OFFICE, f"把原件转给{case.papers.onward}", "pack")
    if case.awaits_file:
        return NextStep(Who.OFFICE, "上传电子结果", "attach_result")
    if case.mode == Mode.JOINT and (step := _before_delivering_together(case)):
        return step
    if Paper.OFFICE in results:
        return NextStep(Who.OFFICE, "寄出审批结果", "pack")
    if Paper.PARCEL in results:
        to = "窗口签收审批结果" if case.delivery == Delivery.WINDOW else "投递审批结果"
        who = Who.WINDOW if case.delivery == Delivery.WINDOW else Who.CARRIER
        return NextStep(who, to, "receive" if who == Who.WINDOW else "")
    if Paper.WINDOW in results:
        return NextStep(Who.WINDOW, "把审批结果交给申请人", "hand_out")
    if Paper.WINDOW in case.papers.materials:
        return NextStep(Who.WINDOW, "退还留在窗口的原件")
    if {Paper.LOST, Paper.MISSING} & {*results, *case.papers.materials}:
        return NextStep(Who.NOBODY, "先找到或核销下落不明的原件，再归结")
    if case.state == CaseState.DELIVERING:
        fetched = case.delivery == Delivery.ELECTRONIC
        return NextStep(Who.WINDOW, "申请人下载后归结" if fetched else "确认送达后归结", "close")
    return NextStep(Who.WINDOW, "送达审批结果", "deliver")


def _before_delivering_together(case: CaseFacts) -> NextStep | None:
    """A joint result waits for every decision and for every paper; only the lead office sends it."""
    results = case.papers.results
    if not case.all_decided:
        return NextStep(Who.OFFICE, "等待其余部门作出决定")
    if not case.lead:
        if Paper.OFFICE in results:
            return NextStep(Who.OFFICE, "把审批结果转给牵头部门", "pack")
        return NextStep(Who.NOBODY, "由牵头部门一并送达")
    return NextStep(Who.OFFICE, "等待其余部门转来审批结果") if Paper.OTHER_OFFICE in results else None


def _after_end(case: CaseFacts) -> NextStep:
    if Paper.OFFICE in case.papers.materials:
        return NextStep(Who.OFFICE, "退还原件", "pack")
    return NextStep(Who.NOBODY, _ENDED[case.state])
