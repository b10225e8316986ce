"""Cases over the wire: what a platform or a person's own script may file, read and submit."""

from datetime import date, datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import File, Router, Schema, Status, UploadedFile
from pydantic import Field

from ingest.models import Case, Handling, Material, ResultFile, SourceFile
from ingest.piecewise import check_size, find, finish_file
from ingest.rules import HandlingState, IdentityPerson
from ingest.services.handlings import resubmit
from ingest.services.identifying import CardRead, identify_by_card
from ingest.services.intake import Applicant, create_case, submit
from ingest.services.results import files_to_fetch, look_at_result
from ingest.services.withdrawing import withdraw
from ingest.uploads import also_in, receive_file, to_scan_again
from registry.actors import Actor
from registry.auth import actor_of, session_or_key
from registry.masking import mask_name, mask_phones_in
from registry.models import Office, ServiceItem, Window
from registry.permissions import check_may, visible, yours
from registry.terms import Delivery, Mode
from registry.time import local_day
from storage.downloads import download
from storage.errors import Refused
from storage.scratch import scratch

router = Router(tags=["办件"], auth=session_or_key)
PAGE_SIZE = 50


class ApplicantIn(Schema):
    name: str = Field(max_length=100)
    id_number: str = Field(default="", max_length=40)
    phone: str = Field(default="", max_length=40)
    address: str = Field(default="", max_length=200)


class CaseIn(Schema):
    """`item` and `offices` are codes; the first office leads."""

    item: str
    offices: list[str] = Field(min_length=1, max_length=20)
    mode: Mode
    applicant: ApplicantIn
    delivery: Delivery = Delivery.MAIL
    agent_consent: bool = False


class SubmitIn(Schema):
    """`paper`: positions of the checklist that the applicant also sends on paper, for want of an electronic seal."""

    paper: list[int] = Field(default=[], max_length=100)


class CardIn(Schema):
    """What the reader at the window read of a resident identity card; `valid_until` null means 长期. Not kept."""

    person: IdentityPerson
    name: str = Field(max_length=100)
    id_number: str = Field(max_length=18)
    valid_until: date | None


class IdentityOut(Schema):
    person: str
    method: str
    checked_at: datetime


class HandlingOut(Schema):
    """One office's part. `code` names the office in `resubmit`; `notice` is its one 一次性告知 while it waits for an answer,
    `reason` why it was refused, both with phone numbers masked; `decision` is `approved`, `rejected` or empty.
    """

    office: str
    state: str
    deadline: date | None
    code: str = ""
    notice: str = ""
    reason: str = ""
    decision: str = ""


class MaterialOut(Schema):
    position: int
    name: str
    pages: int


class CaseOut(Schema):
    """One case without personal data: the applicant's name is masked."""

    number: str
    item: str
    mode: str
    state: str
    applicant: str
    submitted_at: datetime | None
    handlings: list[HandlingOut]
    materials: list[MaterialOut]


class AnswerIn(Schema):
    """`office` is the code of the office whose notice is answered; it may be left out where only one waits."""

    office: str = Field(default="", max_length=40)


class WithdrawIn(Schema):
    reason: str = Field(min_length=1, max_length=500)


class ResultOut(Schema):
    """One electronic result; `fetched_at` is when the applicant's side first took it."""

    key: int
    office: str
    name: str
    media_type: str
    size: int
    sha256: str
    attached_at: datetime
    fetched_at: datetime | None


class CaseLine(Schema):
    """`key` given as `before` brings the cases after this one, older ones."""

    key: int
    number: str
    item: str
    state: str
    submitted_at: datetime | None


class ArrivedIn(Schema):
    """`upload` is the last part of an upload's address; `material` the position on the checklist, or null."""

    upload: str = Field(max_length=32)
    material: int | None = None


class FileOut(Schema):
    sha256: str
    verdict: str
    reason: str
    pages: int
    removed: list[str]
    rescan: list[str]
    elsewhere: str = ""
    """Where the same file was taken in before, in a case that the caller may see."""


@router.get("/cases", response=list[CaseLine], summary="办件列表，按编号游标翻页")
def list_cases(request: HttpRequest, before: int | None = None) -> list[CaseLine]:
    rows = visible(actor_of(request), "case.see", Case.objects.select_related("item")).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [
        CaseLine(key=c.pk, number=c.number, item=c.item.name, state=c.state, submitted_at=c.submitted_at)
        for c in rows[:PAGE_SIZE]
    ]


@router.post("/cases", response={201: CaseOut}, summary="收件")
def open_case(request: HttpRequest, body: CaseIn) -> Status[CaseOut]:
    actor, now = actor_of(request), timezone.now()
    check_may(actor, "case.create")
    items = ServiceItem.objects.in_force(local_day(now)).filter(code=body.item).order_by("-version")
    item = items.first()
    by_code = {office.code: office for office in Office.objects.filter(code__in=body.offices)}
    window = Window.objects.filter(pk=actor.window_id or 0).first()
    if item is None or window is None or len(by_code) != len(set(body.offices)):
        raise Refused("unknown_code", "事项、窗口或审批部门的代码不存在，请核对目录。")
    case = create_case(
        item=item,
        window=window,
        offices=[by_code[code] for code in body.offices],
        mode=body.mode,
        applicant=Applicant(**body.applicant.dict()),
        delivery=body.delivery,
        agent_consent=body.agent_consent,
        actor=actor,
        now=now,
    )
    return Status(201, _shown(case))


@router.get("/cases/{number}", response=CaseOut, summary="查看办件")
def see_case(request: HttpRequest, number: str) -> CaseOut:
    return _shown(_find(actor_of(request), "case.see", number))


@router.post("/cases/{number}/files", response=FileOut, summary="上传材料")
def upload(
    request: HttpRequest, number: str, file: File[UploadedFile], material: int | None = None
) -> FileOut:
    """`material` is the position on the checklist; without it the pages await sorting."""
    actor = actor_of(request)
    case = _find(actor, "case.upload", number)
    target = _material(case, material)
    check_size(file.size or 0)
    with scratch("upload") as folder:
        path = folder / "file"
        with path.open("wb") as copy:
            for block in file.chunks():
                copy.write(block)
        received = receive_file(
            case=case,
            material=target,
            path=path,
            original_name=file.name or "",
            actor=actor,
            now=timezone.now(),
        )
    return _file_shown(received, actor)


@router.post("/cases/{number}/files/arrived", response=FileOut, summary="收入续传完成的文件")
def take_in_arrived(request: HttpRequest, number: str, body: ArrivedIn) -> FileOut:
    """A finished upload of `/uploads` becomes a file of the case, as by the plain call. Safe to repeat."""
    actor, now = actor_of(request), timezone.now()
    case = _find(actor, "case.upload", number)
    received = finish_file(
        arrival=find(key=body.upload, actor=actor, now=now),
        case=case,
        material=_material(case, body.material),
        actor=actor,
        now=now,
    )
    return _file_shown(received, actor)


@router.post("/cases/{number}/identity", response={201: IdentityOut}, summary="读卡器核验身份")
def identify(request: HttpRequest, number: str, body: CardIn) -> Status[IdentityOut]:
    """For the card reader's bridge at a window, with a key of scope `reader`."""
    actor = actor_of(request)
    kept = identify_by_card(
        case=_find(actor, "case.identify", number),
        person=body.person,
        card=CardRead(body.name, body.id_number, body.valid_until),
        actor=actor,
        now=timezone.now(),
    )
    return Status(201, IdentityOut(person=kept.person, method=kept.method, checked_at=kept.checked_at))


@router.post("/cases/{number}/submit", response=CaseOut, summary="提交审批部门")
def submit_case(request: HttpRequest, number: str, body: SubmitIn | None = None) -> CaseOut:
    """In 全程网办 the office then awaits the papers that its item wants, and those named in the body: see `/papers`."""
    actor = actor_of(request)
    on_paper = set(body.paper) if body else set()
    case = _find(actor, "case.submit", number)
    return _shown(submit(case=case, on_paper=on_paper, actor=actor, now=timezone.now()))


@router.post("/cases/{number}/resubmit", response=CaseOut, summary="补正后重新提交")
def resubmit_case(request: HttpRequest, number: str, body: AnswerIn) -> CaseOut:
    """Answers one office's 一次性告知, once what it named was uploaded; the promised time goes on."""
    actor = actor_of(request)
    case = _find(actor, "case.submit", number)
    answered = resubmit(handling=_waiting(case, body.office), actor=actor, now=timezone.now())
    return _shown(answered.case)


@router.post("/cases/{number}/withdraw", response=CaseOut, summary="撤回办件")
def withdraw_case(request: HttpRequest, number: str, body: WithdrawIn) -> CaseOut:
    """What an office has decided stays decided; only the open parts end."""
    actor = actor_of(request)
    case = _find(actor, "case.withdraw", number)
    return _shown(withdraw(case=case, reason=body.reason, actor=actor, now=timezone.now()))


@router.get("/cases/{number}/results", response=list[ResultOut], summary="电子结果清单")
def list_results(request: HttpRequest, number: str) -> list[ResultOut]:
    """What lies ready for the applicant; empty while an office of a joint case has not decided."""
    case = _find(actor_of(request), "result.see", number)
    return [
        ResultOut(
            key=file.pk,
            office=file.handling.office.name,
            name=file.name,
            media_type=file.stored.media_type,
            size=file.stored.size,
            sha256=file.stored.sha256,
            attached_at=file.attached_at,
            fetched_at=file.fetched_at,
        )
        for file in files_to_fetch(case)
    ]


@router.get("/cases/{number}/results/{key}", summary="下载电子结果")
def fetch_result(request: HttpRequest, number: str, key: int) -> HttpResponseBase:
    """The file as the office issued it. By a platform's key it counts as fetched by the applicant."""
    actor = actor_of(request)
    files = ResultFile.objects.filter(handling__case=_find(actor, "result.see", number), pk=key)
    file = yours(files.select_related("handling__case", "handling__office", "stored"))
    stored = look_at_result(file=file, actor=actor, now=timezone.now())
    return download(stored, f"result-{file.pk}.pdf")


def _waiting(case: Case, office: str) -> Handling:
    """The part of the case that waits for the applicant, by its office's code or the only one."""
    parts = case.handlings.select_related("case", "office")
    if office:
        parts = parts.filter(office__code=office)
    waiting = list(parts.filter(state=HandlingState.SUPPLEMENT)) or list(parts)
    if len(waiting) != 1:
        raise Refused("resubmit_office", "请用 office 指明是哪个部门的补正。")
    return waiting[0]


def _find(actor: Actor, act: str, number: str) -> Case:
    return yours(visible(actor, act, Case.objects.select_related("item", "window")).filter(number=number))


def _material(case: Case, position: int | None) -> Material | None:
    if position is None:
        return None
    material = case.materials.filter(position=position).first()
    if material is None:
        raise Refused("unknown_material", "材料清单中没有这个序号。")
    return material


def _shown(case: Case) -> CaseOut:
    pages = [page.material_id for page in case.pages.filter(set_aside=False)]
    return CaseOut(
        number=case.number,
        item=case.item.name,
        mode=case.mode,
        state=case.state,
        applicant=mask_name(case.applicant_name),
        submitted_at=case.submitted_at,
        handlings=[
            HandlingOut(
                office=h.office.name,
                state=h.state,
                deadline=h.deadline,
                code=h.office.code,
                notice=mask_phones_in(h.notice) if h.state == HandlingState.SUPPLEMENT else "",
                reason=mask_phones_in(h.reason) if h.state == HandlingState.REFUSED else "",
                decision=h.decision,
            )
            for h in case.handlings.select_related("office")
        ],
        materials=[
            MaterialOut(position=m.position, name=m.name, pages=pages.count(m.pk))
            for m in case.materials.all()
        ],
    )


def _file_shown(file: SourceFile, actor: Actor) -> FileOut:
    return FileOut(
        sha256=file.sha256,
        verdict=file.verdict,
        reason=file.reason,
        pages=file.pages.count(),
        rescan=to_scan_again(file),
        removed=file.removed,
        elsewhere=also_in(file, actor),
    )
