"""One original's page: where it is, who ever answered for it, and what may be done with it; the lists of the desk."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.pages.progress_sheet import ENDED_SEARCHING, ENDED_WITHOUT_ALL
from ingest.models import Case, Original
from ingest.rules import CaseState
from logistics.models import CustodyEvent, Incident, Loss, Parcel, TrackingEvent, Waybill
from logistics.rules.losses import LossState
from logistics.rules.parcels import ParcelState
from logistics.rules.tracking import TrackingKind
from logistics.services.custody import hand_over, receive_parcel
from tests.cast import NOW
from tests.config.conftest import SignIn
from tests.config.test_progress import ask
from tests.ingest.paper import picture
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db
TOLD = {"reason": "多处查找未找到", "remedy": "compensated", "done": "已按协议赔付"}


@pytest.fixture
def parcel(road: Road) -> Parcel:
    waybill = road.pre_reviewed().registered()
    return hand_over(token=waybill.parcel.token_text, actor=road.cast.clerk, now=NOW + timedelta(minutes=5))


@pytest.fixture
def missing(road: Road, parcel: Parcel) -> Original:
    """Not in the envelope when the office opened it, long enough ago."""
    receive_parcel(
        parcel=parcel,
        ticked=[road.originals[0].pk],
        actor=road.cast.officer,
        now=timezone.now() - timedelta(days=3),
    )
    return road.originals[1]


def photo() -> SimpleUploadedFile:
    return SimpleUploadedFile("proof.jpg", picture("proof", size=(1240, 1754)), content_type="image/jpeg")


def page_of(client: Client, original: Original) -> str:
    answer = client.get(reverse("original", args=[original.pk]))
    assert answer.status_code == 200
    return answer.text


def test_where_it_is_and_everybody_who_answered_for_it(road: Road, parcel: Parcel, sign_in: SignIn) -> None:
    clerk = sign_in(road.cast.clerk)
    shown = page_of(clerk, road.originals[0])
    for words in (parcel.number, road.cast.zhuji.name, "扫码", "clerk", "交接经过"):
        assert words in shown
    address = reverse("original", args=[road.originals[0].pk])
    assert address in clerk.get(reverse("case", args=[road.case.number])).text
    assert sign_in(road.cast.other_officer).get(address).status_code == 404


def test_a_missing_one_is_listed_and_found_with_a_photo(
    road: Road, missing: Original, sign_in: SignIn
) -> None:
    officer = sign_in(road.cast.officer)
    assert missing.name in officer.get(reverse("originals")).text
    assert "在本处找到" in page_of(officer, missing)
    answer = officer.post(reverse("find_original", args=[missing.pk]), {"proof": photo()}, follow=True)
    assert "已登记找到" in answer.text
    last = CustodyEvent.objects.filter(original=missing).latest("sequence")
    assert (last.to_place, last.photo is not None) == ("office", True)
    picture_at = reverse("custody_photo", args=[missing.pk, last.sequence])
    assert picture_at in page_of(officer, missing)
    assert officer.get(picture_at).headers["content-type"] == "image/jpeg"
    assert missing.name not in officer.get(reverse("originals")).text
    assert missing.name in officer.get(reverse("originals"), {"list": "here"}).text


def test_a_photo_that_is_none_moves_nothing(road: Road, missing: Original, sign_in: SignIn) -> None:
    bad = SimpleUploadedFile("proof.jpg", b"no picture", content_type="image/jpeg")
    answer = sign_in(road.cast.officer).post(reverse("find_original", args=[missing.pk]), {"proof": bad})
    assert (answer.status_code, "照片打不开" in answer.text) == (409, True)
    missing.refresh_from_db()
    assert missing.place == Original.Place.PARCEL


def test_the_office_archives_what_it_keeps(road: Road, missing: Original, sign_in: SignIn) -> None:
    officer, kept = sign_in(road.cast.officer), road.originals[0]
    assert "归档，不再退还" in page_of(officer, kept)
    assert "归档，不再退还" not in page_of(sign_in(road.cast.clerk), kept)
    officer.post(reverse("archive_original", args=[kept.pk]))
    kept.refresh_from_db()
    assert kept.place == Original.Place.ARCHIVE
    assert "归档登记" in page_of(officer, kept), "nobody signed for it"
    refused = officer.post(reverse("archive_original", args=[kept.pk]))
    assert (refused.status_code, "不在本部门" in refused.text) == (409, True)


def test_what_vanished_from_the_archive_is_reported_and_found_on_its_page(
    road: Road, missing: Original, sign_in: SignIn
) -> None:
    officer, clerk, kept = sign_in(road.cast.officer), sign_in(road.cast.clerk), road.originals[0]
    officer.post(reverse("archive_original", args=[kept.pk]))
    Original.objects.filter(pk=missing.pk).update(place=Original.Place.APPLICANT, place_id=road.case.pk)
    Case.objects.filter(pk=road.case.pk).update(state=CaseState.CLOSED)
    assert "结果和原件都已送达" in ask(road.case)[1]
    assert "在档案中找不到" in page_of(officer, kept)
    assert "在档案中找不到" not in page_of(clerk, kept)
    miss = reverse("miss_original", args=[kept.pk])
    assert clerk.post(miss).status_code == 409
    assert "已登记查找" in officer.post(miss, follow=True).text
    assert f"最后在{road.cast.taizhou.name}" in clerk.get(reverse("originals")).text
    ended = ask(road.case)[1]
    assert ENDED_SEARCHING[1] in ended
    assert "结果和原件都已送达" not in ended
    officer.post(reverse("find_lost", args=[kept.pk]), {"words": "放错了案卷"})
    kept.refresh_from_db()
    assert kept.place == Original.Place.ARCHIVE
    assert "结果和原件都已送达" in ask(road.case)[1]


def test_a_result_is_delivered_and_never_archived(road: Road, sign_in: SignIn) -> None:
    result, officer = road.pre_reviewed().decided(), sign_in(road.cast.officer)
    assert "归档，不再退还" not in page_of(officer, result)
    refused = officer.post(reverse("archive_original", args=[result.pk]))
    assert (refused.status_code, "是审批结果" in refused.text) == (409, True)
    result.refresh_from_db()
    assert result.place == Original.Place.OFFICE


def test_the_applicant_signs_on_the_screen_for_what_is_handed_out(road: Road, sign_in: SignIn) -> None:
    clerk, paper = sign_in(road.cast.clerk), road.originals[0]
    assert "data-pad" in page_of(clerk, paper)
    address = reverse("hand_out", args=[paper.pk])
    assert "签名框内签名" in clerk.post(address, {"drawn": "[[1, 1, 2, 2]]"}).text
    clerk.post(address, {"drawn": json.dumps([[100, 200, 300, 80, 500, 310]])})
    last = CustodyEvent.objects.get(original=paper)
    assert (last.to_place, last.proof) == ("applicant", CustodyEvent.Proof.SIGNATURE)
    signed = clerk.get(reverse("custody_photo", args=[paper.pk, last.sequence]))
    assert (signed.status_code, signed.headers["content-type"]) == (200, "image/jpeg")


def test_written_off_by_two_told_to_the_applicant_and_found_again(
    road: Road, missing: Original, sign_in: SignIn
) -> None:
    clerk, officer = sign_in(road.cast.clerk), sign_in(road.cast.officer)
    assert "申报核销此原件" in page_of(clerk, missing)
    lost = reverse("declare_lost", args=[missing.pk])
    kept = clerk.post(lost, {**TOLD, "done": ""})
    assert (kept.status_code, TOLD["reason"] in kept.text) == (409, True)
    clerk.post(lost, TOLD)
    assert "等另一人复核" in page_of(clerk, missing)
    assert "确认丢失，核销此原件" in page_of(officer, missing)
    assert missing.name in officer.get(reverse("originals"), {"list": "declared"}).text
    decide = reverse("decide_loss", args=[missing.pk])
    own = clerk.post(decide, {"verdict": "confirm"})
    assert (own.status_code, "另一人复核" in own.text) == (409, True)
    officer.post(decide, {"verdict": "confirm"})
    assert Loss.objects.get().state == LossState.CONFIRMED
    assert missing.name in clerk.get(reverse("originals"), {"list": "gone"}).text
    assert "经查找确认丢失，已向您赔付" in ask(road.case)[1]
    Case.objects.filter(pk=road.case.pk).update(state=CaseState.CLOSED)
    ended = ask(road.case)[1]
    assert ENDED_WITHOUT_ALL[1] in ended
    assert "结果和原件都已送达" not in ended
    clerk.post(reverse("find_lost", args=[missing.pk]), {"words": "在传真机下面"})
    missing.refresh_from_db()
    assert (missing.place, missing.place_id) == (Original.Place.WINDOW, road.cast.zhuji.pk)
    assert "在传真机下面" in page_of(officer, missing)
    assert "交给申请人" in page_of(clerk, missing)


def test_sent_back_with_a_reason(road: Road, missing: Original, sign_in: SignIn) -> None:
    sign_in(road.cast.clerk).post(reverse("declare_lost", args=[missing.pk]), TOLD)
    officer, decide = sign_in(road.cast.officer), reverse("decide_loss", args=[missing.pk])
    assert officer.post(decide, {"verdict": "send_back"}).status_code == 409
    officer.post(decide, {"verdict": "send_back", "answer": "请再查档案室"})
    assert Loss.objects.get().state == LossState.RETURNED
    assert officer.post(decide, {"verdict": "confirm"}).status_code == 409


def test_a_fresh_gap_is_searched_for_first(road: Road, parcel: Parcel, sign_in: SignIn) -> None:
    gone = road.originals[1]
    receive_parcel(parcel=parcel, ticked=[road.originals[0].pk], actor=road.cast.officer, now=timezone.now())
    clerk = sign_in(road.cast.clerk)
    shown = page_of(clerk, gone)
    assert "请先查找" in shown
    assert "申报核销此原件" not in shown
    assert clerk.post(reverse("declare_lost", args=[gone.pk]), TOLD).status_code == 409


def test_what_vanished_from_the_window_is_reported_looked_for_and_told(road: Road, sign_in: SignIn) -> None:
    clerk, officer, paper = sign_in(road.cast.clerk), sign_in(road.cast.officer), road.originals[0]
    miss = reverse("miss_original", args=[paper.pk])
    assert miss in page_of(clerk, paper)
    assert miss not in page_of(officer, paper), "only the desk on which it lies says so"
    assert officer.post(miss).status_code == 409
    assert "已登记查找" in clerk.post(miss, follow=True).text
    shown = page_of(officer, paper)
    for words in ("查找中", f"最后在{road.cast.zhuji.name}", "请先查找"):
        assert words in shown
    listed = clerk.get(reverse("originals")).text
    assert (paper.name in listed, f"最后在{road.cast.zhuji.name}" in listed) == (True, True)
    assert f"最后在{road.cast.zhuji.name}" in clerk.get(reverse("case", args=[road.case.number])).text
    assert "窗口正在查找并会与您联系" in ask(road.case)[1]
    Incident.objects.update(due_at=NOW)
    clerk.post(reverse("declare_lost", args=[paper.pk]), TOLD)
    officer.post(reverse("decide_loss", args=[paper.pk]), {"verdict": "confirm"})
    assert "经查找确认丢失，已向您赔付" in ask(road.case)[1]
    assert f"最后在{road.cast.zhuji.name}" in page_of(clerk, paper)
    clerk.post(reverse("find_lost", args=[paper.pk]), {"words": "清柜时找到"})
    paper.refresh_from_db()
    assert (paper.place, paper.place_id) == (Original.Place.WINDOW, road.cast.zhuji.pk)


def test_a_bag_with_a_written_off_paper_is_received_with_what_became_of_it(
    road: Road, parcel: Parcel, sign_in: SignIn
) -> None:
    clerk, officer, paper = sign_in(road.cast.clerk), sign_in(road.cast.officer), road.originals[0]
    clerk.post(reverse("report_lost", args=[parcel.number]))
    Incident.objects.update(due_at=NOW)
    clerk.post(reverse("declare_lost", args=[paper.pk]), TOLD)
    officer.post(reverse("decide_loss", args=[paper.pk]), {"verdict": "confirm"})
    receipt = reverse("receive", args=[parcel.number])
    shown = officer.get(receipt).text
    for words in ("装件 2 件", "其中 1 件已报失核销", "登记为找回"):
        assert words in shown
    clerk.post(reverse("find_lost", args=[paper.pk]), {"words": "没有装进信封"})
    shown = officer.get(receipt).text
    for words in ("装件 2 件", "1 件已在别处找到", "已不在信封里", road.cast.zhuji.name):
        assert words in shown
    officer.post(receipt, {"original": road.originals[1].pk})
    assert "已在别处找到" in officer.get(reverse("parcel", args=[parcel.number])).text
    assert not Incident.objects.filter(state=Incident.State.OPEN).exists()


def test_what_the_courier_brings_back_is_scanned_back(road: Road, parcel: Parcel, sign_in: SignIn) -> None:
    waybill = Waybill.objects.get(parcel=parcel)
    Waybill.objects.filter(pk=waybill.pk).update(latest_kind=TrackingKind.RETURNING.value, latest_at=NOW)
    clerk, address = sign_in(road.cast.clerk), reverse("take_back_parcel")
    assert address in clerk.get(reverse("parcels"), {"way": "out"}).text
    assert parcel.number in clerk.get(address).text
    assert "收回退件" in clerk.get(reverse("parcel", args=[parcel.number])).text
    assert "没有找到这个寄件" in sign_in(road.cast.officer).post(address, {"code": parcel.token_text}).text
    answer = clerk.post(address, {"code": parcel.token_text, "proof": photo()}, follow=True)
    assert f"{parcel.number} 已收回" in answer.text
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.RETURNED
    assert set(Original.objects.filter(case=road.case).values_list("place", flat=True)) == {"window"}
    assert CustodyEvent.objects.filter(parcel=parcel, photo__isnull=False).count() == len(road.originals)
    assert parcel.number not in clerk.get(address).text
    assert not TrackingEvent.objects.exists(), "the courier's word was not needed"


def test_a_person_tells_of_what_they_saw(road: Road, parcel: Parcel, sign_in: SignIn) -> None:
    officer, torn = sign_in(road.cast.officer), road.originals[0]
    address = reverse("report_incident", args=[parcel.number])
    answer = officer.post(address, {"kind": "damaged", "original": torn.pk}, follow=True)
    assert "异常已登记" in answer.text
    assert Incident.objects.get().original == torn
    assert officer.post(address, {"kind": "silence"}).status_code == 409
