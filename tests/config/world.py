"""One object of each kind that pages are about, and who owns it."""

import io
from dataclasses import dataclass
from datetime import timedelta

import pikepdf
from django.urls import URLPattern

from config.pages.urls import urlpatterns
from dossier.models import ArrivalComparison, Dossier, DossierState
from ingest.models import Case, Handling, Material, Notice, Original, Page, StackPage
from logistics.models import (
    DisputeLetter,
    ForgeryTally,
    HandoverList,
    Incident,
    Parcel,
    PostageException,
    PostagePolicy,
    Settlement,
    SettlementProposal,
    Statement,
    StatementUpload,
    TariffContract,
    WebhookDelivery,
)
from logistics.postage.services import add_tariff
from logistics.rules.parcels import IncidentKind
from logistics.rules.payers import PUTIAN, rules_to_data
from logistics.services.custody import hand_over
from logistics.services.incidents import report_incident
from ocr.fields import find_fields
from ocr.lines import Line
from ocr.models import Reading
from ocr.services.review import let_count
from registry.actors import SYSTEM
from registry.models import Agreement, Event, Grant, Slip
from registry.paper.kinds import SlipKind
from registry.tokens import Purpose, write
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW
from tests.config.addresses import ABOUT, EXTRA
from tests.config.carried import a_comparison, a_handover
from tests.config.shared_work import Shared, plant
from tests.ingest.paper import picture
from tests.ingest.platforms import parked_notice
from tests.ingest.stacks import waiting_page
from tests.logistics.postage_world import tariff_of
from tests.logistics.road import Road
from tests.registry.paper import one_of_each
from workers.models import Job, JobState


@dataclass(frozen=True)
class World:
    """The Zhuji–Taizhou case with its parcel on the road, and the books of Taizhou."""

    road: Road
    case: Case
    handling: Handling
    material: Material
    original: Original
    page: Page
    stack_page: StackPage
    shared: Shared
    parcel: Parcel
    handover: HandoverList
    incident: Incident
    dossier: Dossier
    comparison: ArrivalComparison
    slip: Slip
    statement: Statement
    handed_in: StatementUpload
    settlement: Settlement
    proposal: SettlementProposal
    letter: DisputeLetter
    contract: TariffContract
    policy: PostagePolicy
    exception: PostageException
    job: Job
    push: WebhookDelivery
    alarm: ForgeryTally
    notice: Notice

    def address_of(self, name: str) -> dict[str, object]:
        """The arguments that make the address of a page about this world."""
        kinds: dict[str, dict[str, object]] = {
            "case": {"number": self.case.number},
            "parcel": {"number": self.parcel.number},
            "handover": {"number": self.handover.number},
            "handover_line": {"number": self.handover.number, "parcel": self.parcel.number},
            "handover_sheet": {"number": self.handover.number, "entry": self.handover.entries.get().pk},
            "handling": {"pk": self.handling.pk},
            "material": {"pk": self.material.pk},
            "original": {"pk": self.original.pk},
            "page": {"pk": self.page.pk},
            "stack_page": {"pk": self.stack_page.pk},
            "message": {"pk": self.shared.message.pk},
            "problem": {"pk": self.shared.problem.pk},
            "entry": {"pk": self.shared.entry.pk},
            "example": {"pk": self.shared.example.pk},
            "rating_ask": {"token": self.shared.ask.token_text},
            "result": {"pk": self.shared.result.pk},
            "incident": {"pk": self.incident.pk},
            "dossier": {"pk": self.dossier.pk},
            "comparison": {"pk": self.comparison.pk},
            "comparison_sheet": {"pk": self.comparison.pk, "number": 1},
            "slip": {"pk": self.slip.pk},
            "slip_code": {"token": write(Purpose.SLIP, self.slip.code).text},
            "statement": {"pk": self.statement.pk},
            "handed_in": {"pk": self.handed_in.pk},
            "settlement": {"number": self.settlement.number},
            "proposal": {"pk": self.proposal.pk},
            "contract": {"pk": self.contract.pk},
            "policy": {"pk": self.policy.pk},
            "exception": {"pk": self.exception.pk},
            "letter": {"pk": self.letter.pk},
            "job": {"pk": self.job.pk},
            "push": {"pk": self.push.pk},
            "alarm": {"pk": self.alarm.pk},
            "notice": {"pk": self.notice.pk},
            "subscription": {"pk": self.notice.subscription_id},
            "account": {"pk": self.alarm.account_id},
            "item": {"code": self.case.item.code},
            "grant": {"pk": Grant.objects.order_by("pk")[0].pk},
            "agreement": {"pk": Agreement.objects.order_by("pk")[0].pk},
        }
        arguments = dict(kinds[ABOUT[name]]) if name in ABOUT else {}
        return (
            arguments | EXTRA.get(name, {}) | ({"pk": self.original.pk} if name == "remove_original" else {})
        )


WITHOUT_LOGIN = frozenset(
    {"check", "guides", "guide", "guide_points", "guide_versions", "progress", "progress_by_slip", "rating"}
) | {"progress_result", "announce_papers", "correct_papers", "call_off_papers"}
OPEN_TO_ALL = WITHOUT_LOGIN | {"home"}
"""Pages that need no act of the permission table."""


def pages() -> list[URLPattern]:
    return list(urlpatterns)


def populate(road: Road) -> World:
    """Let the case travel until there is one of everything."""
    cast, case = road.cast, road.case
    road.pre_reviewed()
    waybill = road.registered()
    photo = store_bytes(content=picture("hand-over"), kind=Kind.PHOTO, media_type="image/jpeg", now=NOW)
    hand_over(token=waybill.parcel.token_text, actor=cast.clerk, now=NOW + timedelta(minutes=5), photo=photo)
    parcel = Parcel.objects.get(pk=waybill.parcel_id)
    read_page(case)
    stored = store_bytes(content=_empty_pdf(), kind=Kind.DOSSIER, media_type="application/pdf", now=NOW)
    statement = _statement(road)
    dossier = Dossier.objects.create(
        handling=case.handlings.get(),
        version=1,
        state=DossierState.SIGNED,
        token="ABCDEFGHIJKLMNOP",
        made_at=NOW,
        stored=stored,
        sha256=stored.sha256,
        size=stored.size,
        leaves=[["申请表", 1, "0" * 64]],
        signed_at=NOW,
    )
    return World(
        road=road,
        case=case,
        handling=case.handlings.get(),
        material=case.materials.get(position=1),
        original=road.originals[0],
        page=Page.objects.filter(case=case).order_by("pk")[0],
        stack_page=waiting_page(case),
        shared=plant(case, cast),
        parcel=parcel,
        handover=a_handover(road, parcel),
        incident=report_incident(
            kind=IncidentKind.DAMAGED, parcel=parcel, actor=cast.clerk, now=NOW + timedelta(hours=1)
        ),
        dossier=dossier,
        comparison=a_comparison(dossier, road.originals[0]),
        slip=_slip(road),
        statement=statement,
        handed_in=_handed_in(road),
        settlement=_settlement(road),
        proposal=_proposal(road),
        letter=_letter(statement, road),
        contract=add_tariff(
            tariff=tariff_of(road.account.centre, carrier=road.account.carrier.code), actor=SYSTEM, now=NOW
        ),
        policy=PostagePolicy.objects.create(
            code="taizhou-1",
            source="台州 §一",
            centre=road.account.centre,
            rules=rules_to_data(PUTIAN.rules),
            valid_from=NOW.date(),
        ),
        exception=PostageException.objects.create(
            case=case,
            leg="result",
            centre=road.account.centre,
            reason="困难群众",
            asked_by_id="0",
            asked_by="finance",
            asked_at=NOW,
        ),
        job=_job(),
        push=_push(road),
        alarm=ForgeryTally.objects.create(
            account=road.account,
            hour=NOW,
            count=25,
            kept=25,
            last_at=NOW,
            last_fault="签名不符",
            alarmed_at=NOW,
        ),
        notice=parked_notice(case),
    )


def read_page(case: Case) -> Reading:
    """The case's first page was read: a name in doubt and a number that fails its check."""
    page = Page.objects.filter(case=case).order_by("pk")[0]
    lines = [
        Line(text, ((20, top), (280, top), (280, top + 20), (20, top + 20)), sure)
        for text, sure, top in (("姓名：陈志弦", 0.7, 20.0), ("身份证号：330681198807150038", 0.99, 60.0))
    ]
    reading = Reading.objects.create(
        page=page,
        engine="rapidocr",
        engine_version="3.10",
        settings_digest="0" * 64,
        precision="openvino-f32",
        lines=[line.to_json() for line in lines],
        fields=[field.to_json() for field in find_fields(lines)],
        line_count=2,
        uncertain=1,
        seconds=0.1,
        read_at=NOW,
    )
    let_count(page=page, reading=reading, now=NOW)
    return reading


def _empty_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out)
    return out.getvalue()


def _slip(road: Road) -> Slip:
    slip = Slip(
        kind=SlipKind.RECEIPT.value,
        number="通办收字〔2026〕00001号",
        subject_type="ingest.case",
        subject_id=str(road.case.pk),
        case_number=road.case.number,
        code="ABCDEFGHIJKLMNOP",
        template_version=1,
        issued_at=NOW,
        window=road.cast.zhuji,
        office=road.cast.taizhou,
    )
    slip.data = one_of_each()[SlipKind.RECEIPT].model_dump(mode="json")
    slip.save()
    return slip


def _statement(road: Road) -> Statement:
    stored = store_bytes(content=b"waybill,amount", kind=Kind.STATEMENT, media_type="text/csv", now=NOW)
    return Statement.objects.create(
        carrier=road.account.carrier,
        centre=road.account.centre,
        month="2026-03",
        stored=stored,
        sha256=stored.sha256,
        encoding="utf-8",
        imported_at=NOW,
    )


def _handed_in(road: Road) -> StatementUpload:
    """A file whose columns wait for a person."""
    content = "运单,钱数\n1012345678901,12.00\n".encode()
    return StatementUpload.objects.create(
        carrier=road.account.carrier,
        centre=road.account.centre,
        month="2026-04",
        stored=store_bytes(content=content, kind=Kind.STATEMENT, media_type="text/csv", now=NOW),
        uploaded_by="finance",
        uploaded_at=NOW,
    )


def _settlement(road: Road) -> Settlement:
    return Settlement.objects.create(
        number="JS-331000-2026-02-0001",
        centre=road.account.centre,
        carrier=road.account.carrier,
        month="2026-02",
        line_count=0,
        billed_fen=0,
        withheld_fen=0,
        released_fen=0,
        payable_fen=0,
        accrued_count=0,
        accrued_fen=0,
        closed_at=NOW,
        closed_by="finance",
    )


def _proposal(road: Road) -> SettlementProposal:
    return SettlementProposal.objects.create(
        centre=road.account.centre,
        carrier=road.account.carrier,
        month="2026-01",
        line_count=0,
        billed_fen=0,
        withheld_fen=0,
        released_fen=0,
        payable_fen=0,
        accrued_count=0,
        accrued_fen=0,
        prepared_by_id="0",
        prepared_by="finance",
        prepared_at=NOW,
    )


def _letter(statement: Statement, road: Road) -> DisputeLetter:
    slip = Slip(
        kind=SlipKind.DISPUTE.value,
        number="通办异字〔2026〕00001号",
        subject_type="logistics.statement",
        subject_id=str(statement.pk),
        code="BBCDEFGHIJKLMNOP",
        template_version=1,
        issued_at=NOW,
        centre=road.account.centre,
    )
    slip.data = {}
    slip.save()
    return DisputeLetter.objects.create(
        statement=statement,
        revision=1,
        slip=slip,
        lines=[],
        digest="0" * 64,
        claimed_fen=0,
        written_at=NOW,
        written_by="finance",
        workbook=statement.stored,
    )


def _job() -> Job:
    return Job.objects.create(
        event=Event.objects.order_by("pk")[0],
        reaction="read_page",
        state=JobState.FAILED.value,
        next_try_at=NOW,
        created_at=NOW,
        finished_at=NOW,
        last_error="picture_unreadable",
    )


def _push(road: Road) -> WebhookDelivery:
    """A push whose signature was wrong: it is shown, and cannot be replayed."""
    push = WebhookDelivery(
        account=road.account,
        key="push-1",
        digest="0" * 64,
        state=WebhookDelivery.State.FORGED,
        fault="signature",
        received_at=NOW,
    )
    push.raw = {}
    push.save()
    return push
