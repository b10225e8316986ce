"""电子结果 on the pages: the office uploads it, the window may open it, the applicant downloads it from the slip's link."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ingest.models import Case, ResultFile
from ingest.rules import CaseState
from ingest.services.handlings import accept, decide
from registry.models import Event
from registry.terms import Delivery
from tests.cast import APPLICANT, NOW
from tests.config.conftest import SignIn
from tests.config.test_progress import TAIL, ask, link_of
from tests.ingest.hostile import pdf_with_text
from tests.logistics.road import Road
from workers.reactions import find


@pytest.fixture
def licence(tmp_path: Path) -> bytes:
    return pdf_with_text(tmp_path / "licence.pdf", "LICENCE").read_bytes()


@pytest.fixture
def decided(road: Road) -> Road:
    """Granted without a paper, for an applicant who wants a file."""
    Case.objects.filter(pk=road.case.pk).update(delivery=Delivery.ELECTRONIC)
    road.pre_reviewed()
    road.handling.refresh_from_db()
    accept(handling=road.handling, actor=road.cast.officer, now=NOW)
    decide(handling=road.handling, approved=True, result_name="", actor=road.cast.officer, now=NOW)
    return road


def upload(client: Client, road: Road, content: bytes, name: str = "施工许可证（电子证照）") -> str:
    file = SimpleUploadedFile("licence.pdf", content, "application/pdf")
    address = reverse("attach_result", args=[road.handling.pk])
    return client.post(address, {"name": name, "file": file}, follow=True).text


def test_from_the_office_to_the_applicants_hands(decided: Road, licence: bytes, sign_in: SignIn) -> None:
    officer, case = sign_in(decided.cast.officer), decided.case
    page = officer.get(reverse("case", args=[case.number])).text
    assert "申请人选择：电子送达" in page
    assert "上传电子结果" in page
    assert "电子结果已上传。" in upload(officer, decided, licence)
    find("offer_results").do(Event.objects.get(kind="result.attached"), "", NOW)
    assert Case.objects.get(pk=case.pk).state == CaseState.DELIVERING

    told = ask(case)[1]
    assert "结果可以下载了" in told
    assert "施工许可证（电子证照）" in told
    assert "formaction" not in told, "a tail alone opens no file"

    link, file = link_of(case), ResultFile.objects.get()
    opened = Client().post(link, {"tail": TAIL}).text
    address = reverse("progress_result", args=[link.rpartition("/")[2], file.pk])
    assert address in opened
    wrong = Client().post(address, {"phone": "13900000000"})
    assert (wrong.status_code, "没有查到" in wrong.text) == (404, True)
    right = Client().post(address, {"phone": APPLICANT.phone})
    assert (right.status_code, right.getvalue()) == (200, licence)
    assert "no-store" in right["Cache-Control"]
    assert "已取得" in officer.get(reverse("case", args=[case.number])).text


def test_a_window_opens_it_and_an_office_takes_it_back(
    decided: Road, licence: bytes, sign_in: SignIn
) -> None:
    officer, clerk = sign_in(decided.cast.officer), sign_in(decided.cast.clerk)
    upload(officer, decided, licence)
    file = ResultFile.objects.get()
    looked = clerk.get(reverse("result_file", args=[file.pk]))
    assert looked.getvalue() == licence
    assert clerk.post(reverse("void_result", args=[file.pk])).status_code == 404
    assert "电子结果已作废" in officer.post(reverse("void_result", args=[file.pk]), follow=True).text
    refused = clerk.get(reverse("result_file", args=[file.pk]))
    assert (refused.status_code, "不再提供" in refused.text) == (409, True)


def test_what_is_no_pdf_is_refused_beside_its_form(decided: Road, sign_in: SignIn) -> None:
    officer = sign_in(decided.cast.officer)
    assert "没有收下" in upload(officer, decided, b"not a file at all")
    assert not ResultFile.objects.exists()
