"""The whole way of one application: window → scans → dossier → parcel → office → result → bill → settlement."""

from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone

from config.demo import books, intake, road
from config.demo.couriers import Couriers, engage_couriers
from config.demo.evidence import collect
from config.demo.papers import sample_papers
from config.demo.people import People
from config.demo.play import Play
from config.demo.stage import DemoFailed, wait_for
from dossier.models import Dossier
from dossier.services import authorise_download, countersign
from ingest.models import Case, Handling
from ingest.rules import CaseState
from ingest.services.handlings import accept, decide, pre_review
from logistics.models import Waybill
from ocr.models import Reading
from registry.models import Slip
from registry.paper.kinds import SlipKind
from registry.time import local_day
from registry.workdays import workdays_between


def perform(play: Play, people: People, own: Sequence[Path]) -> None:
    """Raises DemoFailed, or Refused, at the first thing that does not hold."""
    couriers = engage_couriers(centre=people.centre, now=timezone.now())
    case = _at_the_window(play, people, own)
    handling = case.handlings.get()
    _at_the_office(play, people, handling)
    inbound = _inbound(play, case, people, couriers)
    _decided(play, people, handling, inbound)
    home, result = _outbound(play, case, people, couriers)
    settlement = books.settle(play, people, couriers, [*inbound, home])
    collect(play, case, inbound[0], result, settlement)


def _at_the_window(play: Play, people: People, own: Sequence[Path]) -> Case:
    with play.step("材料采集") as says:
        samples = sample_papers(play.folder / "samples")
        says(f"{sum(sample.pages for sample in samples)} 页样例材料")
    with play.step("收件") as says:
        case = intake.open_case(people)
        intake.look_at_handler(case, people)
        files = intake.hand_in(case, samples, own, people)
        intake.take_in_originals(case, people)
        says(
            f"{case.number}：{len(files)} 个文件 {case.pages.count()} 页，登记原件 {case.originals.count()} 份"
        )
    with play.step("识别并组卷签章") as says:
        dossier = intake.submit_and_sign(case, people)
        lines = sum(Reading.objects.filter(page__case=case).values_list("line_count", flat=True))
        says(f"识别 {lines} 行，卷宗 {dossier.page_count} 页，{dossier.level} 签章")
    play.facts |= {"case": case.number, "pages": case.pages.count(), "lines": lines}
    return case


def _at_the_office(play: Play, people: People, handling: Handling) -> None:
    with play.step("审批部门预审") as says:
        dossier = Dossier.objects.get(handling=handling, version=1)
        authorise_download(dossier=dossier, actor=people.officer, now=timezone.now(), purpose="预审")
        pre_review(handling=handling, actor=people.officer, now=timezone.now())
        countersign(dossier=dossier, actor=people.officer, now=timezone.now())
        says("卷宗已下载并签收，预审通过，原件可以寄出")


def _inbound(play: Play, case: Case, people: People, couriers: Couriers) -> list[Waybill]:
    with play.step("原件寄出") as says:
        waybills = road.send_materials(case, people, couriers)
        charges = [road.charge_of(waybill) for waybill in waybills]
        says(f"{len(waybills)} 件到付，扫面单交寄；{charges[0].words}")
    with play.step("承运与签收") as says:
        for waybill in waybills:
            road.carry(waybill)
        road.open_at_office(waybills, people)
        says("推送已逐条核验，原件已到审批部门")
    play.facts["charges_fen"] = [charge.amount_fen for charge in charges]
    return waybills


def _decided(play: Play, people: People, handling: Handling, inbound: list[Waybill]) -> None:
    with play.step("受理与决定") as says:
        accept(handling=handling, actor=people.officer, now=timezone.now())
        slip = wait_for("the acceptance slip", lambda: _acceptance(handling))
        decide(
            handling=handling,
            approved=True,
            result_name="建筑业企业资质证书（变更后）",
            actor=people.officer,
            now=timezone.now(),
        )
        handling.refresh_from_db()
        left = workdays_between(local_day(timezone.now()), handling.deadline) if handling.deadline else 0
        says(f"受理承诺单 {slip.number}，承诺 {handling.deadline}（余 {left} 个工作日），准予变更")


def _outbound(play: Play, case: Case, people: People, couriers: Couriers) -> tuple[Waybill, Waybill]:
    with play.step("结果与原件寄回") as says:
        home, result = road.send_back(case, people, couriers)
        for waybill in (home, result):
            road.carry(waybill)
        road.confirm_received([home, result], people)
        wait_for("the end of the case", lambda: _is_closed(case))
        proofs = wait_for("the proofs of delivery", lambda: _proofs(case))
        says(f"寄付月结，送达回证 {proofs} 份，办件归结")
    return home, result


def _acceptance(handling: Handling) -> Slip | None:
    return Slip.objects.filter(
        kind=SlipKind.ACCEPTANCE, case_number=handling.case.number, stored__isnull=False
    ).first()


def _is_closed(case: Case) -> bool:
    case.refresh_from_db()
    if case.state == CaseState.CLOSED and case.originals.exclude(place="applicant").exists():
        raise DemoFailed("the case was closed while a paper was still abroad")
    return case.state == CaseState.CLOSED


def _proofs(case: Case) -> int:
    slips = Slip.objects.filter(kind=SlipKind.DELIVERY_PROOF, case_number=case.number, stored__isnull=False)
    return slips.count() if slips.count() == len(("home", "result")) else 0
