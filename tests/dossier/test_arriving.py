"""An original arrives at the office, is scanned again and held against the signed pages; a person judges."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django.fixtures import Settings

from dossier.arrivals import ArrivalState, ArrivalVerdict, SheetMatch, likeliest, outcome_of
from dossier.models import ArrivalComparison, Dossier
from dossier.services import build, compare_arrival, judge_arrival, take_rescan
from ingest.models import Original
from ingest.services.handlings import pre_review
from ingest.services.intake import submit, take_in_original
from ingest.uploads import receive_file
from logistics.models import Incident
from logistics.rules.payers import Leg, PaymentTerm
from logistics.services.custody import hand_over, receive_parcel
from logistics.services.incidents import resolve_incident
from logistics.services.parcels import pack, seal_parcel
from logistics.services.waybills import register_waybill
from ocr.engines.rapidocr import RapidOcr
from ocr.services import read
from registry.actors import SYSTEM
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from storage.models import StoredObject
from tests.cast import NOW, Cast, open_case
from tests.config.carried import a_comparison
from tests.ingest.paper import hand_in, look_at_handler
from tests.ingest.rescans import WAYS, another_digit, at_office, at_window, printed, story, truth
from tests.logistics.road import neutral_account
from workers.reactions import find, jobs_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
SEED = 3
PAPERS = ("application", "changes")
LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def engine() -> RapidOcr:
    return RapidOcr()


@pytest.fixture
def original(cast: Cast, tmp_path: Path) -> Original:
    """The application form, two pages, signed for by the office; its dossier is sealed."""
    case = open_case(cast)
    first = case.materials.get(position=1)
    for material in case.materials.select_related("requirement").exclude(pk=first.pk):
        if material.requirement.required:
            hand_in(material, pages=material.requirement.minimum_pages)
    for name in PAPERS:
        receive_file(
            case=case,
            material=first,
            path=at_window(printed(SEED)[name], tmp_path / f"{name}.jpg", SEED),
            original_name="申请表.jpg",
            actor=cast.clerk,
            now=NOW,
        )
    original = take_in_original(material=first, name="", verified=False, actor=cast.clerk, now=NOW)
    look_at_handler(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    handling = case.handlings.select_related("case__window", "case__item", "office").get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    build(handling=handling, version=1, actor=SYSTEM, now=NOW)
    _send(original, cast)
    original.refresh_from_db()
    return original


def _send(original: Original, cast: Cast) -> None:
    account = neutral_account(cast, "http://127.0.0.1:9")
    parcel = pack(
        leg=Leg.MATERIALS,
        sender=cast.zhuji,
        receiver=cast.taizhou,
        originals=[original],
        actor=cast.clerk,
        now=NOW,
    )
    seal_parcel(parcel=parcel, weight_g=120, actor=cast.clerk, now=NOW)
    register_waybill(
        parcel=parcel,
        account=account,
        number="1012345678901",
        term=PaymentTerm.COLLECT,
        actor=cast.clerk,
        now=NOW,
    )
    hand_over(token=parcel.token_text, actor=cast.clerk, now=NOW)
    parcel.refresh_from_db()
    receive_parcel(parcel=parcel, ticked=[original.pk], actor=cast.officer, now=LATER)


def rescan(folder: Path, *pages: Image.Image) -> Path:
    """One file with the captured pages, as an office's scanner gives it."""
    sheets = [
        Image.open(at_office(page, folder / f"sheet-{number}.jpg", SEED + number, WAYS["skewed"]))
        for number, page in enumerate(pages)
    ]
    path = folder / "rescan.pdf"
    sheets[0].save(path, "PDF", resolution=200, save_all=True, append_images=sheets[1:])
    return path


def compared(original: Original, path: Path, cast: Cast, engine: RapidOcr | None = None) -> ArrivalComparison:
    comparison = take_rescan(original=original, path=path, actor=cast.officer, now=LATER)
    compare_arrival(comparison=comparison, actor=SYSTEM, now=LATER, engine=engine)
    return comparison


def test_the_same_papers_in_another_order_are_the_same(
    original: Original, cast: Cast, tmp_path: Path
) -> None:
    papers = printed(SEED)
    path = rescan(tmp_path, papers["changes"], papers["application"])
    comparison = compared(original, path, cast)
    outcome = comparison.outcome
    assert [match.leaf for match in outcome.sheets] == [1, 0]
    assert outcome.out_of_order
    assert (outcome.suggestion, outcome.missing, outcome.extra) == (ArrivalVerdict.SAME, (), ())
    judge_arrival(
        comparison=comparison, verdict=ArrivalVerdict.SAME, reason="", actor=cast.officer, now=LATER
    )
    assert comparison.state == ArrivalState.JUDGED
    told = Event.objects.get(kind="arrival.judged")
    assert (told.case_number, told.data["verdict"]) == (original.case.number, "same")
    find("open_arrival_incident").do(told, "", LATER)
    assert not Incident.objects.exists()
    assert not list(verify_chains())


@pytest.mark.usefixtures("append_only")
def test_the_same_file_is_taken_in_compared_and_judged_once(
    original: Original, cast: Cast, tmp_path: Path
) -> None:
    path = rescan(tmp_path, *(printed(SEED)[name] for name in PAPERS))
    comparison = compared(original, path, cast)
    assert compared(original, path, cast) == comparison
    for _ in range(2):
        judge_arrival(
            comparison=comparison, verdict=ArrivalVerdict.SAME, reason="", actor=cast.officer, now=LATER
        )
    kinds = Event.objects.filter(kind__startswith="arrival.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["arrival.rescanned", "arrival.compared", "arrival.judged"]
    with pytest.raises(Refused, match="已认定"):
        judge_arrival(
            comparison=comparison, verdict=ArrivalVerdict.DIFFERS, reason="改", actor=cast.officer, now=LATER
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        ArrivalComparison.objects.update(verdict="differs", reason="改")


def test_a_changed_digit_and_a_missing_page_open_an_incident_for_the_sender(
    original: Original, cast: Cast, tmp_path: Path, engine: RapidOcr
) -> None:
    for page in original.case.pages.filter(material=original.material):
        read(page=page, actor=SYSTEM, now=NOW, engine=engine)
    number = another_digit(story(SEED).id_number, 9, np.random.default_rng(1))
    before, after = printed(SEED)["application"], printed(SEED, id_number=number)["application"]
    comparison = compared(original, rescan(tmp_path, after), cast, engine)
    [match], boxes = comparison.outcome.sheets, truth(before, after)
    assert (match.leaf, comparison.outcome.missing) == (0, (1,))
    assert comparison.outcome.suggestion == ArrivalVerdict.DIFFERS
    for left, top, right, bottom in boxes:
        assert any(
            spot.signed[0] < right
            and left < spot.signed[2]
            and spot.signed[1] < bottom
            and top < spot.signed[3]
            for spot in match.spots
        )
    assert len(match.spots) == len(boxes)
    with pytest.raises(Refused, match="写明理由"):
        judge_arrival(
            comparison=comparison, verdict=ArrivalVerdict.DIFFERS, reason=" ", actor=cast.officer, now=LATER
        )
    judge_arrival(
        comparison=comparison,
        verdict=ArrivalVerdict.DIFFERS,
        reason="证件号码与卷宗不同，缺第 2 页",
        actor=cast.officer,
        now=LATER,
    )
    told = Event.objects.get(kind="arrival.judged")
    assert list(jobs_of(told)) == [("open_arrival_incident", "")]
    for _ in range(2):
        find("open_arrival_incident").do(told, "", LATER)
    incident = Incident.objects.get()
    assert (incident.kind, incident.original, incident.owner_id) == (
        "arrival_differs",
        original,
        cast.zhuji.pk,
    )
    resolve_incident(incident=incident, resolution="已换回原件", actor=cast.clerk, now=LATER)
    find("open_arrival_incident").do(told, "", LATER)
    assert Incident.objects.count() == 1


def test_another_paper_cannot_be_compared_and_says_so(original: Original, cast: Cast, tmp_path: Path) -> None:
    comparison = compared(original, rescan(tmp_path, printed(SEED)["licence"]), cast)
    outcome = comparison.outcome
    assert (outcome.suggestion, outcome.extra, outcome.missing) == (
        ArrivalVerdict.UNCOMPARABLE,
        (1,),
        (0, 1),
    )


def test_only_the_office_that_holds_it_compares(original: Original, cast: Cast, tmp_path: Path) -> None:
    path = rescan(tmp_path, printed(SEED)["application"])
    for stranger in (cast.clerk, cast.other_officer, cast.finance):
        with pytest.raises(NotYours):
            take_rescan(original=original, path=path, actor=stranger, now=LATER)
    original.place = Original.Place.WINDOW
    with pytest.raises(Refused, match="不在本部门"):
        take_rescan(original=original, path=path, actor=cast.officer, now=LATER)


def test_what_cannot_be_opened_is_refused_with_its_sentence(
    original: Original, cast: Cast, tmp_path: Path
) -> None:
    broken = tmp_path / "rescan.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing more")
    with pytest.raises(Refused, match="到件的扫描件没有收下"):
        take_rescan(original=original, path=broken, actor=cast.officer, now=LATER)
    blank = tmp_path / "blank.png"
    Image.new("L", (1240, 1754), 255).save(blank)
    with pytest.raises(Refused, match="空白页"):
        take_rescan(original=original, path=blank, actor=cast.officer, now=LATER)
    assert not ArrivalComparison.objects.exists()


def test_what_cannot_be_checked_for_viruses_is_not_taken_in(
    original: Original, cast: Cast, tmp_path: Path, settings: Settings
) -> None:
    path = rescan(tmp_path, printed(SEED)["application"])
    before = StoredObject.objects.count()
    settings.CLAMAV = str(tmp_path / "nobody.sock")
    with pytest.raises(Refused, match="暂不能检查病毒"):
        take_rescan(original=original, path=path, actor=cast.officer, now=LATER)
    assert not ArrivalComparison.objects.exists()
    assert StoredObject.objects.count() == before


def test_the_officer_sees_both_papers_and_says_what_they_are(
    original: Original, cast: Cast, officer: Client, tmp_path: Path
) -> None:
    assert "到件比对" in officer.get(reverse("case", args=[original.case.number])).content.decode()
    path = rescan(tmp_path, printed(SEED, agent="欧阳春华")["application"])
    answer = officer.post(
        reverse("arrival", args=[original.pk]),
        {"rescan": SimpleUploadedFile("IMG.pdf", path.read_bytes(), "application/pdf")},
    )
    comparison = ArrivalComparison.objects.get()
    address = reverse("comparison", args=[comparison.pk])
    assert answer.headers["location"] == address
    assert "正在识别和比对" in officer.get(address).content.decode()
    compare_arrival(comparison=comparison, actor=SYSTEM, now=LATER)
    shown = officer.get(address).content.decode()
    assert "卷宗有 1 页没有到件" in shown
    spots = comparison.outcome.sheets[0].spots
    assert shown.count('<polygon class="spot"') == 2 * len(spots) > 0
    picture = officer.get(reverse("comparison_sheet", args=[comparison.pk, 1]))
    assert picture.content.startswith(b"\xff\xd8\xff")
    judge = reverse("judge_arrival", args=[comparison.pk])
    assert officer.post(judge, {"verdict": "differs"}).status_code == 409
    assert (
        officer.post(judge, {"verdict": "differs", "reason": "经办人不同"})
        .headers["location"]
        .startswith(address)
    )
    assert "经办人不同" in officer.get(address).content.decode()


def test_a_page_that_was_not_scanned_whole_is_not_shown_as_the_same(
    original: Original, officer: Client
) -> None:
    comparison = a_comparison(Dossier.objects.get(), original)
    cut = outcome_of([SheetMatch(1, 0, 0.99, 0.4)], 1).to_json()
    ArrivalComparison.objects.update(result=cut)
    shown = officer.get(reverse("comparison", args=[comparison.pk])).content.decode()
    assert "没有扫全" in shown
    assert "一致" not in shown.partition('id="judge"')[0]


def test_differences_beyond_those_that_are_marked_are_counted_on_the_page(
    original: Original, officer: Client
) -> None:
    comparison = a_comparison(Dossier.objects.get(), original)
    address = reverse("comparison", args=[comparison.pk])
    assert "没有标出" not in officer.get(address).content.decode()
    kept = comparison.result
    kept["sheets"][0]["further"] = 37
    ArrivalComparison.objects.update(result=kept)
    assert "只标出最大的 1 处，另有较小的 37 处没有标出" in officer.get(address).content.decode()
    del kept["sheets"][0]["further"]
    ArrivalComparison.objects.update(result=kept)
    assert "没有标出" not in officer.get(address).content.decode(), "what was compared before says no number"


def test_one_arrived_page_for_each_signed_one() -> None:
    twice = [SheetMatch(1, 0, 0.91), SheetMatch(2, 0, 0.97, further=3), SheetMatch(3, 2, 0.99)]
    outcome = outcome_of(twice, 3)
    assert [match.leaf for match in outcome.sheets] == [None, 0, 2]
    assert (outcome.extra, outcome.missing, outcome.out_of_order) == ((1,), (1,), False)
    assert outcome.suggestion == ArrivalVerdict.DIFFERS
    assert type(outcome).from_json(outcome.to_json()) == outcome


def test_a_page_that_was_not_scanned_whole_is_not_called_the_same() -> None:
    assert outcome_of([SheetMatch(1, 0, 0.99, 0.4)], 1).suggestion == ArrivalVerdict.UNCOMPARABLE


def test_the_text_says_what_to_try_first_and_the_stack_what_then() -> None:
    assert likeliest([0.1, 0.92, 0.1, 0.88], expected=0, most=3) == [1, 3, 0]
    assert likeliest([0.0, 0.0, 0.0], expected=2, most=9) == [2, 1, 0]
