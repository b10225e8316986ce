"""What an applicant reads about a case: stage, day promised, where the papers are, what is missing, in everyday words.

Nothing here names a person beyond a masked name, and free texts of offices have their phone numbers masked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ingest.models import Case, Handling, Original
from ingest.rules import CaseState, HandlingState
from logistics.models import Waybill
from logistics.rules.parcels import Party, WaybillState
from logistics.rules.tracking import TrackingKind
from registry.masking import mask_name, mask_phones_in
from registry.terms import Delivery

STAGES: Mapping[str, tuple[str, str]] = {
    CaseState.DRAFT.value: ("窗口正在收件", "材料收齐后，窗口会提交给审批部门。"),
    CaseState.SUBMITTED.value: ("已交审批部门", "审批部门正在看材料，您不需要做什么。"),
    CaseState.PRE_REVIEW.value: ("初步审查已通过", "审批部门收到所需原件后正式受理，您不需要做什么。"),
    CaseState.ACCEPTED.value: ("已受理，正在办理", "审批部门会在承诺的日期前作出决定。"),
    CaseState.SUPPLEMENT.value: (
        "需要您补交材料",
        "请按下面写的一次补齐，交到收件窗口。补齐前办理时间暂停计算。",
    ),
    CaseState.DECIDED.value: ("已作出决定", "正在准备把结果送给您。"),
    CaseState.DELIVERING.value: ("结果正在送达", "请留意快递或窗口的通知。"),
    CaseState.CLOSED.value: ("已办完", "结果和原件都已送达。"),
    CaseState.REFUSED.value: ("不予受理", "理由写在《不予受理决定书》上，请向收件窗口领取。"),
    CaseState.WITHDRAWN.value: ("已撤回", "您的申请已撤回，不再办理。"),
}
PLACES: Mapping[str, str] = {
    Original.Place.WINDOW.value: "在收件窗口保管",
    Original.Place.PARCEL.value: "在寄送途中",
    Original.Place.OFFICE.value: "在审批部门",
    Original.Place.APPLICANT.value: "已交到您手中",
    Original.Place.ARCHIVE.value: "由审批部门存档",
    Original.Place.LOST.value: "暂时没有找到，窗口正在查找并会与您联系",
}


@dataclass(frozen=True)
class Part:
    """One office's part. `missing` are the lines of its one notice while it waits for them."""

    office: str
    phone: str
    promised: date | None
    certain: bool
    paused: bool
    decision: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """A parcel that has left, with the courier's own number."""

    to_applicant: bool
    carrier: str
    number: str
    says: str


@dataclass(frozen=True)
class Progress:
    """Everything the page shows once the tail was right."""

    case: Case
    stage: tuple[str, str]
    applicant: str
    parts: tuple[Part, ...]
    originals: tuple[str, ...]
    sent: tuple[Sent, ...]
    promised: tuple[tuple[str, date], ...]
    delivery: str


def stage_of(case: Case) -> tuple[str, str]:
    """A heading and a sentence."""
    return STAGES[case.state]


def progress_of(case: Case) -> Progress:
    """Four queries, whatever the case has."""
    return Progress(
        case=case,
        stage=stage_of(case),
        applicant=mask_name(case.applicant_name),
        parts=tuple(
            _part(handling) for handling in case.handlings.select_related("office").order_by("-is_lead", "pk")
        ),
        originals=tuple(_whereabouts(case.originals.values_list("kind", "place"))),
        sent=tuple(_sent(case)),
        promised=tuple(
            (material.name, material.deferred_until)
            for material in case.materials.filter(deferred_until__isnull=False, promise_kept_at__isnull=True)
            if material.deferred_until is not None
        ),
        delivery=Delivery(case.delivery).label,
    )


def _part(handling: Handling) -> Part:
    waiting = handling.state == HandlingState.SUPPLEMENT
    lines = handling.notice.replace("；", "\n").splitlines() if waiting else []
    return Part(
        office=handling.office.name,
        phone=handling.office.phone,
        promised=handling.deadline,
        certain=handling.deadline_certain,
        paused=handling.paused_on is not None,
        decision={"approved": "准予", "rejected": "不予许可"}.get(handling.decision, ""),
        missing=tuple(mask_phones_in(line.strip()) for line in lines if line.strip()),
    )


def _whereabouts(rows: Iterable[tuple[str, str]]) -> Iterable[str]:
    """「2 份申请材料原件在收件窗口保管」: counted, not named."""
    for (kind, place), count in sorted(Counter(rows).items()):
        yield f"{count} 份{Original.Kind(kind).label}{PLACES[place]}"


def _sent(case: Case) -> Iterable[Sent]:
    waybills = (
        Waybill.objects.filter(
            parcel__items__original__case=case,
            parcel__handed_over_at__isnull=False,
            state=WaybillState.BOOKED.value,
        )
        .select_related("parcel", "carrier")
        .order_by("pk")
        .distinct()
    )
    for waybill in waybills:
        yield Sent(
            to_applicant=waybill.parcel.receiver_kind == Party.APPLICANT,
            carrier=waybill.carrier.name,
            number=waybill.number,
            says=TrackingKind(waybill.latest_kind).label if waybill.latest_kind else "已交寄",
        )
