"""电子结果: an office issues its result as a file, and the applicant's side fetches it; the same file, byte for byte."""

from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from ingest.examining import examine
from ingest.models import Case, Handling, ResultFile
from ingest.rules import (
    ENDED,
    CaseState,
    HandlingState,
    NotNow,
    result_is_held,
)
from ingest.services.delivery import offices_without_result, start_delivery
from ingest.services.enquiring import APPLICANT, open_by_slip
from ingest.services.handlings import LONGEST_NAME
from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.permissions import NotYours, check_may, visible, yours
from registry.rules.talk import checked_words
from registry.terms import Delivery
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import store_file

PDF = "application/pdf"
MOST_FILES = 10
"""Of one office in one case."""


def keep_result(*, path: Path, now: datetime) -> StoredObject:
    """Keeps an issued file as it came, after the limited child and the virus scanner looked at it. Outside a transaction.

    A PDF, because whoever gets it must be able to open it anywhere. Raises Refused when it is not taken in.
    """
    with scratch("result") as folder:
        found = examine(path, folder)
    if found.refused:
        raise Refused("result_unreadable", f"电子结果没有收下：{found.reason}")
    if found.media_type != PDF:
        raise Refused("result_form", "电子结果请上传 PDF 文件（加盖电子印章的原文件，不是照片或扫描件）。")
    return store_file(path=path, kind=Kind.RESULT, media_type=PDF, now=now)


def attach_result(
    *, handling: Handling, name: str, stored: StoredObject, actor: Actor, now: datetime
) -> ResultFile:
    """The office lays its issued file beside its decision. The same bytes twice are one file."""
    check_may(actor, "handling.decide", handling)
    name = checked_words(name, longest=LONGEST_NAME, what="电子结果的名称")
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=handling.case_id)
        part = Handling.objects.select_related("office").get(pk=handling.pk)
        if part.state != HandlingState.DECIDED:
            raise NotNow("result_undecided", "作出决定后才能上传电子结果。")
        if held.state in ENDED:
            raise NotNow("result_over", "办件已结束，不能再上传电子结果。")
        standing = part.result_files.filter(voided_at__isnull=True)
        if known := standing.filter(stored=stored).first():
            return known
        if standing.count() >= MOST_FILES:
            raise NotNow("result_many", f"每个部门最多上传 {MOST_FILES} 份电子结果，请合并后再传。")
        file = ResultFile.objects.create(
            handling=part, name=name, stored=stored, attached_by=actor.label, attached_at=now
        )
        _tell("result.attached", file, actor, now, sha256=stored.sha256)
    return file


def void_result(*, file: ResultFile, actor: Actor, now: datetime) -> None:
    """The office takes back what was wrong, as long as nobody has fetched it."""
    check_may(actor, "handling.decide", file.handling)
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=file.handling.case_id)
        if held.state in ENDED:
            raise NotNow("result_over", "办件已结束，不能再作废电子结果。")
        standing = ResultFile.objects.filter(pk=file.pk, voided_at__isnull=True, fetched_at__isnull=True)
        if not standing.update(voided_at=now):
            raise NotNow("result_fetched", "该电子结果已被取得或已作废；内容有误的请按更正程序另行出具。")
        _tell("result.voided", file, actor, now)


def files_to_fetch(case: Case) -> QuerySet[ResultFile]:
    """What lies ready for the applicant: nothing while an office of a joint case has not decided (taizhou-2021 §三(三))."""
    files = ResultFile.objects.filter(handling__case=case, voided_at__isnull=True)
    if result_is_held(case.handlings.values_list("state", flat=True)):
        return files.none()
    return files.select_related("handling__office", "stored").order_by("-handling__is_lead", "pk")


def look_at_result(*, file: ResultFile, actor: Actor, now: datetime) -> StoredObject:
    """The window or the office opens it; the look is recorded and delivers nothing. A platform's is the applicant's."""
    check_may(actor, "result.see", file)
    case = file.handling.case
    outside = actor.office_id != file.handling.office_id
    if outside and not files_to_fetch(case).filter(pk=file.pk).exists():
        raise NotNow("result_held", "联办办件须等全部部门作出决定后一并送达；作废的电子结果不再提供。")
    if actor.kind == "integration":
        _fetched(file, ResultFile.By.PLATFORM, actor, now)
    else:
        with transaction.atomic():
            _tell("result.looked_at", file, actor, now)
    return file.stored


def fetch_by_slip(*, token: str, phone: str, pk: int, caller: str, now: datetime) -> ResultFile:
    """The applicant takes one file with the code on the slip and the whole phone number.

    `caller` is a network address. Raises NoMatch, LockedOut, TooOften, NotYours for a file that is not (yet) theirs.
    """
    case = open_by_slip(token=token, phone=phone, caller=caller, now=now)
    file = yours(files_to_fetch(case).filter(pk=pk))
    _fetched(file, ResultFile.By.APPLICANT, APPLICANT, now)
    return file


def offer_results(*, case: Case, now: datetime) -> bool:
    """Who chose 电子送达 is being served from the moment on which every result lies ready; told again, nothing changes."""
    if case.delivery != Delivery.ELECTRONIC or case.state != CaseState.DECIDED:
        return False
    if offices_without_result(case) or not files_to_fetch(case).exists():
        return False
    start_delivery(case=case, actor=SYSTEM, now=now)
    return True


def waits_for_fetching(case: Case) -> bool:
    """Whether an electronic delivery is not over: something is there that nobody has fetched, or was taken back."""
    if case.delivery != Delivery.ELECTRONIC:
        return False
    unfetched = files_to_fetch(case).filter(fetched_at__isnull=True)
    return unfetched.exists() or bool(offices_without_result(case))


def results_in_reach(case: Case, actor: Actor) -> list[ResultFile]:
    """For the case page: what this reader may open, the taken back ones too. One query, none for who may not."""
    rows = visible(actor, "result.see", ResultFile.objects.filter(handling__case=case))
    return list(rows.select_related("handling__office", "stored").order_by("-handling__is_lead", "pk"))


def _fetched(file: ResultFile, by: ResultFile.By, actor: Actor, now: datetime) -> None:
    """Every fetching is told; the first one is when it was delivered."""
    with transaction.atomic():
        standing = ResultFile.objects.filter(pk=file.pk, voided_at__isnull=True)
        if not standing.exists():
            raise NotYours
        first = standing.filter(fetched_at__isnull=True).update(fetched_at=now, fetched_by=by)
        _tell("result.fetched", file, actor, now, by=by.value, first=bool(first))
    file.refresh_from_db()


def _tell(kind: str, file: ResultFile, actor: Actor, now: datetime, **data: object) -> None:
    handling = file.handling
    record(
        kind=kind,
        actor=actor,
        subject=file,
        now=now,
        case_number=handling.case.number,
        data={"office": handling.office.code, "file": file.pk, **data},
    )
