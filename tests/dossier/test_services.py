"""A case's dossier: built once, signed for, handed out to the deciding office only."""

import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from django.test import Client
from django.urls import reverse

import dossier.services.building as building
import storage.services
from dossier.models import Dossier, DossierDownload, DossierRevision, DossierState, Occasion
from dossier.services import (
    authorise_download,
    build,
    check_file,
    confirm_result,
    countersign,
    proof_bundle,
    seal_document,
    stamped_copy,
)
from dossier.services.countersigning import NotCountersignable
from dossier.verify import Status
from ingest.models import Handling
from ingest.services.handlings import accept, decide, pre_review
from ocr.models import Correction, Reading
from registry.actors import SYSTEM
from registry.models import Event, User
from registry.permissions import NotYours
from storage.errors import Refused
from storage.models import StoredObject
from tests.cast import NOW, Cast
from tests.dossier.cases import LATER, body, file_of
from tests.dossier.paper import LINES
from tests.verapdf import assert_pdfa

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


def test_the_dossier_of_a_submitted_case(signed: Dossier, handling: Handling, tmp_path: Path) -> None:
    path = file_of(signed, tmp_path)
    verdict = check_file(path=path, dossier=signed)
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert signed.state == DossierState.SIGNED
    assert verdict.is_valid, verdict.reasons
    assert verdict.case_number == handling.case.number
    assert LINES[0] in text
    assert handling.case.applicant_name in text
    assert "窗口核验材料后提交" in text
    assert signed.page_count == 3 + handling.case.pages.count()
    assert [revision.occasion for revision in signed.revisions.all()] == [Occasion.SUBMITTED]
    assert_pdfa(path)


def test_what_a_person_corrected_is_what_the_dossier_says(handling: Handling, tmp_path: Path) -> None:
    page = handling.case.pages.order_by("pk")[0]
    reading = Reading.objects.get(page=page)
    line = next(number for number, each in enumerate(reading.text_lines()) if each.text == LINES[0])
    for text, minutes in (("经核对的一行文字", 1), ("封卷以后才改的", 60)):
        Correction.objects.create(
            page=page,
            reading=reading,
            line=line,
            box=[list(corner) for corner in reading.text_lines()[line].box],
            original=LINES[0],
            text=text,
            confirms=False,
            corrected_by="clerk",
            corrected_at=NOW + timedelta(minutes=minutes),
        )
    dossier = build(handling=handling, version=1, actor=SYSTEM, now=LATER)

    path, leaf = file_of(dossier, tmp_path), dossier.leaves[0][1]
    page_text = ["pdftotext", "-f", str(leaf), "-l", str(leaf), str(path), "-"]
    text = subprocess.run(page_text, capture_output=True, text=True, check=True).stdout
    assert "经核对的一行文字" in text
    assert LINES[0] not in text
    assert "封卷以后才改的" not in text
    with pikepdf.open(path) as pdf:
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
    assert manifest["pages"][leaf - 1]["image"]["reading"]["looked_at"] == [
        {"line": line, "confirmed": False, "by": "clerk", "at": (NOW + timedelta(minutes=1)).isoformat()}
    ]
    assert "经核对的一行文字" not in json.dumps(manifest, ensure_ascii=False)


def test_nothing_personal_outside_the_file(signed: Dossier, handling: Handling) -> None:
    event = Event.objects.get(kind="dossier.signed")
    assert signed.stored is not None
    told = json.dumps(event.data, ensure_ascii=False) + signed.stored.key
    assert handling.case.applicant_name not in told
    assert "张三" not in told


def test_nothing_personal_in_any_log_or_file_name(
    handling: Handling, cast: Cast, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    """The whole life of a dossier at the most talkative level, every file name that it made on the way included."""
    names: list[str] = []
    sys.addaudithook(lambda event, arguments: names.append(str(arguments[0])) if event == "open" else None)
    caplog.set_level("DEBUG")
    dossier = build(handling=handling, version=1, actor=SYSTEM, now=LATER)
    countersign(dossier=dossier, actor=cast.officer, now=LATER)
    stamped_copy(dossier=dossier, actor=cast.officer, now=LATER, target=tmp_path / "copy.pdf")
    proof_bundle(dossier=dossier, actor=cast.officer, now=LATER, target=tmp_path / "proof.zip")
    case = handling.case
    personal = (case.applicant_name, case.applicant_id_number, case.applicant_phone, case.applicant_address)
    assert all(personal)
    assert caplog.text
    assert any("dossier" in name for name in names)
    with zipfile.ZipFile(tmp_path / "proof.zip") as bundle:
        names += bundle.namelist()
    told = caplog.text + "\n".join(names)
    for secret in (*personal, "张三"):
        assert secret not in told


def test_asked_again_it_is_the_same(signed: Dossier, handling: Handling) -> None:
    again = build(handling=handling, version=1, actor=SYSTEM, now=LATER + timedelta(days=1))
    assert (again.pk, again.sha256) == (signed.pk, signed.sha256)
    assert Event.objects.filter(kind="dossier.signed").count() == 1
    assert DossierRevision.objects.count() == 1


def test_a_slower_twin_changes_nothing(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers at once: whoever is second finds the row taken."""
    real = storage.services.store_file

    def overtaken(**arguments: Any) -> StoredObject:
        monkeypatch.setattr(building, "store_file", real)
        build(handling=handling, version=1, actor=SYSTEM, now=LATER)
        return real(**arguments)

    monkeypatch.setattr(building, "store_file", overtaken)
    dossier = build(handling=handling, version=1, actor=SYSTEM, now=LATER)
    assert dossier.revisions.count() == 1
    assert dossier.sha256 == dossier.revisions.get().sha256
    assert Event.objects.filter(kind="dossier.signed").count() == 1


def test_a_second_version_stands_beside_the_first(signed: Dossier, handling: Handling) -> None:
    second = build(handling=handling, version=2, actor=SYSTEM, now=LATER + timedelta(days=1))
    signed.refresh_from_db()
    assert second.sha256 != signed.sha256
    assert StoredObject.objects.filter(kind="dossier").count() == 2


def test_the_office_signs_for_receipt_once(signed: Dossier, cast: Cast, tmp_path: Path) -> None:
    first_file = file_of(signed, tmp_path)
    received = countersign(dossier=signed, actor=cast.officer, now=LATER)
    again = countersign(dossier=received, actor=cast.officer, now=LATER)
    assert again.sha256 == received.sha256
    assert received.signature_count == 4
    grown = file_of(received, tmp_path)
    assert grown.read_bytes().startswith(first_file.read_bytes())
    assert check_file(path=grown, dossier=received).is_valid
    assert check_file(path=first_file, dossier=received).status is Status.INVALID
    assert Event.objects.filter(kind="dossier.received").count() == 1


def test_the_result_is_sealed_after_the_decision(signed: Dossier, cast: Cast, handling: Handling) -> None:
    with pytest.raises(NotCountersignable):
        confirm_result(dossier=signed, actor=cast.officer, now=LATER)
    pre_review(handling=handling, actor=cast.officer, now=LATER)
    accept(handling=handling, actor=cast.officer, now=LATER)
    decide(handling=handling, approved=True, result_name="", actor=cast.officer, now=LATER)
    dossier = Dossier.objects.get(pk=signed.pk)
    assert confirm_result(dossier=dossier, actor=cast.officer, now=LATER).signature_count == 4


def test_the_office_places_the_result_s_seal_at_its_page_or_over_the_wire(
    signed: Dossier, cast: Cast, handling: Handling, officer: Client
) -> None:
    address = reverse("case", args=[handling.case.number])
    assert "加盖结果章" not in officer.get(address).content.decode()
    assert officer.post(f"/api/v1/dossiers/{signed.pk}/result").status_code == 409
    pre_review(handling=handling, actor=cast.officer, now=LATER)
    accept(handling=handling, actor=cast.officer, now=LATER)
    decide(handling=handling, approved=True, result_name="", actor=cast.officer, now=LATER)
    assert "加盖结果章" in officer.get(address).content.decode()
    done = officer.post(reverse("sign_result", args=[signed.pk]), follow=True).content.decode()
    assert "已加盖审批结果确认章。" in done
    assert "加盖结果章" not in done
    again = officer.post(f"/api/v1/dossiers/{signed.pk}/result")
    assert (again.status_code, again.json()["signatures"]) == (200, 4)
    assert Event.objects.filter(kind="dossier.decided").count() == 1


def test_only_the_deciding_office_downloads_and_signs(signed: Dossier, cast: Cast) -> None:
    for stranger in (
        cast.clerk,
        cast.other_clerk,
        cast.other_officer,
        cast.finance,
        cast.administrator,
        cast.auditor,
    ):
        for act in (authorise_download, countersign):
            with pytest.raises(NotYours):
                act(dossier=signed, actor=stranger, now=LATER)
    assert not DossierDownload.objects.exists()
    authorise_download(dossier=signed, actor=cast.officer, now=LATER, purpose="预审")
    download = DossierDownload.objects.get()
    assert (download.purpose, download.actor_label, download.sha256) == ("预审", "officer", signed.sha256)
    assert Event.objects.filter(kind="dossier.downloaded").count() == 1


def test_a_marked_copy_says_on_every_page_what_it_is_for(signed: Dossier, cast: Cast, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pdf"
    stamped_copy(dossier=signed, actor=cast.officer, now=LATER, target=copy)
    with pikepdf.open(copy) as pdf:
        count = len(pdf.pages)
        assert "/AcroForm" not in pdf.Root
    document = pypdfium2.PdfDocument(copy)
    texts = [document[index].get_textpage().get_text_bounded() for index in range(count)]
    document.close()
    office = signed.handling.office.name
    assert all(text.count(f"仅供{office}办理") == text.count("副本") == 2 for text in texts)
    assert check_file(path=copy).status is Status.UNSIGNED
    assert DossierDownload.objects.get().stamped


def test_other_rooms_papers_are_sealed_too(cast: Cast, tmp_path: Path, signed: Dossier) -> None:
    source = tmp_path / "settlement.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.save(source)
    target = tmp_path / "sealed.pdf"
    seal_document(
        source=source,
        target=target,
        holder=cast.taizhou.centre,
        reason="月度结算",
        appearance_box=(400, 60, 519, 179),
    )
    assert check_file(path=target).is_valid


def test_a_seal_without_its_passphrase_is_refused_and_nothing_is_kept(
    handling: Handling, settings: Any
) -> None:
    from registry.models import Seal

    window = handling.case.window
    window.seal = Seal.objects.create(
        code="hsm", name="专用章", source=Seal.Source.PKCS12, reference="/nowhere.p12"
    )
    window.save()
    with pytest.raises(Refused) as refusal:
        build(handling=Handling.objects.get(pk=handling.pk), version=1, actor=SYSTEM, now=LATER)
    assert refusal.value.code == "seal-unusable"
    assert Dossier.objects.get().state == DossierState.BUILDING


def test_download_over_the_wire_is_ranged_and_resumable(
    signed: Dossier, officer: Client, tmp_path: Path
) -> None:
    content = file_of(signed, tmp_path).read_bytes()
    url = f"/api/v1/dossiers/{signed.pk}/file"
    whole = officer.get(url)
    assert (whole.status_code, body(whole)) == (200, content)
    tag = whole["ETag"]
    rest = officer.get(url, headers={"Range": "bytes=1000-", "If-Range": tag})
    assert (rest.status_code, body(rest)) == (206, content[1000:])
    assert rest["Content-Range"] == f"bytes 1000-{len(content) - 1}/{len(content)}"
    tail = officer.get(url, headers={"Range": "bytes=-10"})
    assert body(tail) == content[-10:]
    changed = officer.get(url, headers={"Range": "bytes=1000-", "If-Range": '"other"'})
    assert (changed.status_code, len(body(changed))) == (200, len(content))
    # Resuming is no second download; asking again from the start is.
    assert DossierDownload.objects.count() == 2


def test_a_download_at_the_page_resumes_too(signed: Dossier, officer: Client, tmp_path: Path) -> None:
    content = file_of(signed, tmp_path).read_bytes()
    address = reverse("dossier_file", args=[signed.pk])
    tag = officer.get(address)["ETag"]
    rest = officer.get(address, headers={"Range": "bytes=1000-", "If-Range": tag})
    assert (rest.status_code, body(rest)) == (206, content[1000:])
    assert DossierDownload.objects.count() == 1


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes={size}-{size}", "bytes=-0"])
def test_a_part_that_the_file_does_not_have_is_416_with_its_size(
    signed: Dossier, officer: Client, asked: str
) -> None:
    for address in (reverse("dossier_file", args=[signed.pk]), f"/api/v1/dossiers/{signed.pk}/file"):
        beyond = officer.get(address, headers={"Range": asked.format(size=signed.size)})
        assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{signed.size}")
        assert "续传位置超出文件末尾" in beyond.content.decode()
    assert not DossierDownload.objects.exists()


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=x-"])
def test_a_range_that_is_none_gets_the_whole_file(signed: Dossier, officer: Client, asked: str) -> None:
    whole = officer.get(f"/api/v1/dossiers/{signed.pk}/file", headers={"Range": asked})
    assert (whole.status_code, len(body(whole))) == (200, signed.size)


def test_a_file_in_hand_is_held_against_the_dossier_at_its_page(
    signed: Dossier, cast: Cast, officer: Client, client: Client, tmp_path: Path
) -> None:
    address = reverse("check_in_hand", args=[signed.pk])
    first = file_of(signed, tmp_path)

    def told(path: Path, client: Client = officer) -> str:
        with path.open("rb") as file:
            return client.post(address, {"file": file}).content.decode()

    assert "核对手中文件" in officer.get(reverse("case", args=[signed.handling.case.number])).content.decode()
    assert "与本系统存档的文件逐字节相同" in told(first)
    countersign(dossier=signed, actor=cast.officer, now=LATER)
    assert "不是最新的一份" in told(first)
    flipped = tmp_path / "flipped.pdf"
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    assert "不要使用这份文件" in told(flipped)
    assert "请选择要核对的 PDF 文件" in officer.post(address).content.decode()
    client.force_login(User.objects.get(username="clerk"))
    assert client.post(address).status_code == 404


def test_the_dossier_of_another_case_in_hand_is_called_so(
    signed: Dossier, officer: Client, sealed: Path
) -> None:
    with sealed.open("rb") as file:
        told = officer.post(reverse("check_in_hand", args=[signed.pk]), {"file": file}).content.decode()
    assert "这不是本办件的卷宗" in told


def test_nobody_slips_past_the_record_by_asking_for_a_part(signed: Dossier, officer: Client) -> None:
    part = officer.get(f"/api/v1/dossiers/{signed.pk}/file", headers={"Range": "bytes=1-"})
    assert part.status_code == 206
    assert DossierDownload.objects.count() == 1


def test_strangers_learn_nothing(signed: Dossier, client: Client, cast: Cast) -> None:
    url = f"/api/v1/dossiers/{signed.pk}/file"
    assert client.get(url).status_code == 401
    client.force_login(User.objects.get(pk=cast.other_officer.id))
    assert client.get(url).status_code == 404
    assert client.get("/api/v1/dossiers/999999/file").status_code == 404
    assert client.get(f"/api/v1/cases/{signed.handling.case.number}/dossiers").json() == []


def test_anybody_may_ask_whether_a_file_is_whole(signed: Dossier, client: Client, tmp_path: Path) -> None:
    path = file_of(signed, tmp_path)
    with path.open("rb") as file:
        answer = client.post("/api/v1/verify", {"file": file}).json()
    assert answer["status"] == "valid", answer
    assert answer["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not DossierDownload.objects.exists()


def test_slips_given_to_the_applicant_are_in_it(handling: Handling, tmp_path: Path) -> None:
    from ingest.slips import receipt_of
    from registry.paper.issue import issue, print_slip
    from registry.paper.kinds import SlipKind

    case = handling.case
    slip = issue(
        kind=SlipKind.RECEIPT,
        subject=case,
        data=receipt_of(case, received_at=NOW),
        actor=SYSTEM,
        now=NOW,
        window=case.window,
        office=handling.office,
    )
    print_slip(slip=slip, now=NOW)
    dossier = build(handling=handling, version=1, actor=SYSTEM, now=LATER)
    path = file_of(dossier, tmp_path)
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert "收件凭证" in text
    assert slip.number in text
    assert_pdfa(path)
