"""What an applicant reads about a case: stage, day promised, where the papers are, what is missing, in everyday words.

Nothing here names a person beyond a masked name, and free texts of offices have their phone numbers masked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import OuterRef, Subquery

from ingest.models import Case, Handling, Original
from ingest.rules import CaseState, HandlingState
from ingest.services.results import files_to_fetch
from logistics.models import Loss, Waybill
from logistics.rules.losses import LossState, Remedy
from logistics.rules.parcels import Party, WaybillState
from logistics.rules.tracking import TrackingKind
from logistics.services.papers_owed import PapersOwed, papers_owed
from registry.masking import mask_name, mask_phones_in
from registry.terms import Delivery

_P = Original.Place
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
    Original.Place.MISSING.value: "暂时没有找到，窗口正在查找并会与您联系",
    Original.Place.GONE.value: "经查找确认丢失",
}
REMEDIES: Mapping[str, str] = {
    Remedy.REPLACED.value: "，已为您安排补办",
    Remedy.COMPENSATED.value: "，已向您赔付",
    Remedy.EXPLAINED.value: "，窗口已向您说明",
}
SEND_PAPERS = "还需要您把纸质材料寄给审批部门，请看下面的说明。"
FILES_LIE_READY = ("结果可以下载了", "下载办法见下面的“审批结果（电子文件）”；下载后办件归结。")
ENDED_SEARCHING = ("已办完", "有文件正在查找，情况写在原件一栏；有疑问请向收件窗口询问。")
ENDED_WITHOUT_ALL = ("已办完", "有文件经查找确认丢失，处理情况写在原件一栏；有疑问请向收件窗口询问。")


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
    papers: PapersOwed | None
    files: tuple[tuple[int, str, str], ...]
    """Electronic results that lie ready: which, the office, the name."""


def stage_of(case: Case) -> tuple[str, str]:
    """A heading and a sentence."""
    if case.state == CaseState.CLOSED:
        # What vanished from an archive is looked for although its case has ended.
        absent = (Original.Place.GONE, Original.Place.MISSING)
        places = set(case.originals.filter(place__in=absent).values_list("place", flat=True))
        if places:
            return ENDED_SEARCHING if Original.Place.MISSING in places else ENDED_WITHOUT_ALL
    if case.state == CaseState.DELIVERING and case.delivery == Delivery.ELECTRONIC:
        return FILES_LIE_READY
    return STAGES[case.state]


def progress_of(case: Case, *, now: datetime) -> Progress:
    """A handful of queries, whatever the case has."""
    papers, stage = papers_owed(case=case, now=now), stage_of(case)
    return Progress(
        case=case,
        stage=(stage[0], SEND_PAPERS) if papers and papers.owed else stage,
        papers=papers,
        applicant=mask_name(case.applicant_name),
        parts=tuple(
            _part(handling) for handling in case.handlings.select_related("office").order_by("-is_lead", "pk")
        ),
        originals=tuple(_whereabouts(_places_of(case))),
        sent=tuple(_sent(case)),
        promised=tuple(
            (material.name, material.deferred_until)
            for material in case.materials.filter(deferred_until__isnull=False, promise_kept_at__isnull=True)
            if material.deferred_until is not None
        ),
        delivery=Delivery(case.delivery).label,
        files=tuple((file.pk, file.handling.office.name, file.name) for file in files_to_fetch(case)),
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


def _places_of(case: Case) -> list[tuple[str, str, str]]:
    """Kind and place of each original, and what was done for the applicant where it was written off."""
    confirmed = Loss.objects.filter(original=OuterRef("pk"), state=LossState.CONFIRMED.value)
    # What the applicant still has, or sends, stands with the papers to be sent.
    owed = case.originals.filter(from_applicant=True, stops__reached_at__isnull=True)
    told = case.originals.exclude(pk__in=owed.filter(place__in=[_P.APPLICANT, _P.PARCEL]))
    rows = told.annotate(remedy=Subquery(confirmed.values("remedy")[:1]))
    return [
        (kind, place, remedy or "") for kind, place, remedy in rows.values_list("kind", "place", "remedy")
    ]


def _whereabouts(rows: Iterable[tuple[str, str, str]]) -> Iterable[str]:
    """“2 份申请材料原件在收件窗口保管”: counted, not named."""
    for (kind, place, remedy), count in sorted(Counter(rows).items()):
        yield f"{count} 份{Original.Kind(kind).label}{PLACES[place]}{REMEDIES.get(remedy, '')}"


def _sent(case: Case) -> Iterable[Sent]:
    waybills = (
        Waybill.objects.filter(
            parcel__items__original__case=case,
            parcel__handed_over_at__isnull=False,
            state=WaybillState.BOOKED.value,
        )
        .exclude(parcel__sender_kind=Party.APPLICANT.value)
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
