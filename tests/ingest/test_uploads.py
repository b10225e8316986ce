"""An uploaded file becomes pages of its case once, whole or not at all."""

import threading
from pathlib import Path

import pytest
from django.db import connection, transaction

from ingest.models import Case, Material, Page, SourceFile
from ingest.rules import CaseState, NotNow
from ingest.services.intake import submit
from ingest.services.withdrawing import withdraw
from ingest.uploads import also_in, own_pages, receive_file, where_it_is
from registry.actors import Actor
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.services import open_verified
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest import hostile
from tests.ingest.paper import hand_in_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return open_case(cast)


@pytest.fixture
def form(case: Case) -> Material:
    return case.materials.get(position=1)


def bring(
    case: Case, material: Material | None, path: Path, actor: Actor, *, password: str | None = None
) -> SourceFile:
    return receive_file(
        case=case,
        material=material,
        path=path,
        original_name=f"C:/scans/{path.name}",
        actor=actor,
        now=NOW,
        password=password,
    )


def told(case: Case) -> list[str]:
    return [
        event.kind
        for event in Event.objects.filter(case_number=case.number)
        if event.kind.startswith("file.")
    ]


def test_a_scan_becomes_a_page_and_both_are_kept(
    cast: Cast, case: Case, form: Material, tmp_path: Path
) -> None:
    path = hostile.jpeg(tmp_path / "scan.jpg", exif=hostile.gps_exif(6))
    file = bring(case, form, path, cast.clerk)
    page = file.pages.get()
    assert (file.verdict, file.media_type, file.size) == ("accepted", "image/jpeg", path.stat().st_size)
    assert "拍摄位置（GPS）" in file.removed
    assert file.stored is not None
    assert open_verified(file.stored) == path.read_bytes()
    kept = open_verified(page.stored)
    assert b"Exif" not in kept
    assert (page.material, page.case, page.number, page.position) == (form, case, 1, 0)
    assert (page.rotation, page.dpi, page.source, page.own_text) == (90, 200, "as_captured", False)
    assert (file.stored.kind, page.stored.kind) == (Kind.SOURCE, Kind.PAGE)
    assert file.uploaded_by is not None
    assert file.uploaded_by.username == "clerk"


def test_the_event_tells_of_it_without_names(cast: Cast, case: Case, form: Material, tmp_path: Path) -> None:
    file = bring(case, form, hostile.tiff(tmp_path / "施某某.tiff", pages=2), cast.clerk)
    event = Event.objects.get(kind="file.received")
    assert event.data == {"verdict": "accepted", "code": "ok", "pages": 2, "material": form.pk}
    assert (event.subject_type, event.subject_id) == ("ingest.sourcefile", str(file.pk))
    assert list(verify_chains()) == []


def test_the_file_name_is_kept_encrypted_and_without_folders(cast: Cast, case: Case, tmp_path: Path) -> None:
    file = bring(case, None, hostile.jpeg(tmp_path / "scan.jpg"), cast.clerk)
    assert SourceFile.objects.get(pk=file.pk).original_name == "scan.jpg"
    with connection.cursor() as cursor:
        cursor.execute("SELECT original_name FROM ingest_sourcefile")
        assert "scan.jpg" not in str(cursor.fetchone()[0])


def test_a_long_name_is_kept_with_its_ending(cast: Cast, case: Case, form: Material, tmp_path: Path) -> None:
    name = f"{'申请材料' * 62}.jpg"
    file = receive_file(
        case=case,
        material=form,
        path=hostile.jpeg(tmp_path / "scan.jpg"),
        original_name=name,
        actor=cast.clerk,
        now=NOW,
    )
    file.refresh_from_db()
    assert file.original_name == name


def test_the_same_bytes_again_change_nothing_and_say_where_they_are(
    cast: Cast, case: Case, form: Material, tmp_path: Path
) -> None:
    first = bring(case, form, hostile.tiff(tmp_path / "a.tiff", pages=3), cast.clerk)
    again = bring(case, None, hostile.tiff(tmp_path / "b.tiff", pages=3), cast.clerk)
    assert again == first
    assert again.material == form
    assert Page.objects.filter(case=case).count() == 3
    assert told(case) == ["file.received"]
    assert where_it_is(again) == "这个文件已于 2026-03-10 10:00 上传过，在“申请表”第 1–3 页，没有重复收入。"


def test_the_same_bytes_in_another_case_are_that_cases_own(cast: Cast, case: Case, tmp_path: Path) -> None:
    path = hostile.jpeg(tmp_path / "scan.jpg")
    other = open_case(cast)
    first, second = bring(case, None, path, cast.clerk), bring(other, None, path, cast.clerk)
    assert first != second
    assert first.stored == second.stored  # kept once


def test_pages_follow_those_that_are_there(cast: Cast, case: Case, form: Material, tmp_path: Path) -> None:
    bring(case, form, hostile.tiff(tmp_path / "stack.tiff", pages=2), cast.clerk)
    bring(case, form, hostile.jpeg(tmp_path / "scan.jpg"), cast.clerk)
    assert list(form.pages.values_list("position", flat=True)) == [0, 1, 2]


def test_a_refused_file_leaves_its_sentence_and_nothing_else(
    cast: Cast, case: Case, form: Material, tmp_path: Path
) -> None:
    path = tmp_path / "letter.pdf"
    path.write_text("这不是 PDF。", encoding="utf-8")
    before = StoredObject.objects.count()
    file = bring(case, form, path, cast.clerk)
    assert (file.verdict, file.code, file.stored) == ("refused", "text_file", None)
    assert "扫描成 PDF" in file.reason
    assert file.pages.count() == 0
    assert StoredObject.objects.count() == before
    assert told(case) == ["file.refused"]
    assert bring(case, form, path, cast.clerk) == file
    assert told(case) == ["file.refused"]
    assert "没有收下" in where_it_is(file)


def test_an_empty_file_is_refused(cast: Cast, case: Case, tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert bring(case, None, path, cast.clerk).code == "empty"


def test_a_locked_file_is_taken_in_once_its_password_is_known(
    cast: Cast, case: Case, form: Material, tmp_path: Path
) -> None:
    path = hostile.locked_pdf(tmp_path / "locked.pdf", "geheim")
    refused = bring(case, form, path, cast.clerk)
    assert refused.code == "locked"
    taken = bring(case, form, path, cast.clerk, password="geheim")
    assert (taken.pk, taken.verdict, taken.pages.count()) == (refused.pk, "accepted", 1)
    assert told(case) == ["file.refused", "file.received"]


def test_a_photo_of_unknown_resolution_is_taken_for_a_sheet(cast: Cast, case: Case, tmp_path: Path) -> None:
    page = bring(case, None, hostile.jpeg(tmp_path / "photo.jpg", dpi=None), cast.clerk).pages.get()
    assert page.dpi == round(877 / 11.69)


def test_the_text_of_an_office_document_can_be_had_again(cast: Cast, case: Case, tmp_path: Path) -> None:
    file = bring(case, None, hostile.pdf_with_text(tmp_path / "letter.pdf", "Hello world"), cast.clerk)
    assert file.pages.get().own_text
    (line,) = own_pages(file, tmp_path)[1].text
    assert line.text == "Hello world"
    scan = bring(case, None, hostile.jpeg(tmp_path / "scan.jpg"), cast.clerk)
    assert own_pages(scan, tmp_path) == {}


def test_only_the_own_window_may_upload(cast: Cast, case: Case, tmp_path: Path) -> None:
    path = hostile.jpeg(tmp_path / "scan.jpg")
    for stranger in (cast.other_clerk, cast.officer, cast.finance, cast.administrator, cast.auditor):
        with pytest.raises(NotYours):
            bring(case, None, path, stranger)
    assert not SourceFile.objects.exists()


def test_a_material_of_another_case_is_refused(cast: Cast, case: Case, tmp_path: Path) -> None:
    other = open_case(cast).materials.first()
    with pytest.raises(Refused):
        bring(case, other, hostile.jpeg(tmp_path / "scan.jpg"), cast.clerk)


def test_a_submitted_case_takes_no_more_files_unless_asked(cast: Cast, case: Case, tmp_path: Path) -> None:
    hand_in_everything(case)
    submitted = submit(case=case, actor=cast.clerk, now=NOW)
    path = hostile.jpeg(tmp_path / "scan.jpg")
    with pytest.raises(NotNow):
        bring(submitted, None, path, cast.clerk)
    Case.objects.filter(pk=case.pk).update(state=CaseState.SUPPLEMENT)
    assert bring(Case.objects.get(pk=case.pk), None, path, cast.clerk).verdict == "accepted"


def test_a_case_withdrawn_meanwhile_takes_no_file(cast: Cast, case: Case, tmp_path: Path) -> None:
    stale = Case.objects.get(pk=case.pk)
    withdraw(case=case, reason="不办了", actor=cast.clerk, now=NOW)
    with pytest.raises(NotNow):
        bring(stale, None, hostile.jpeg(tmp_path / "scan.jpg"), cast.clerk)
    assert not Page.objects.exists()


def test_a_failure_while_writing_leaves_no_half(
    cast: Cast, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("ingest.uploads.record", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        bring(case, None, hostile.jpeg(tmp_path / "scan.jpg"), cast.clerk)
    assert not SourceFile.objects.exists()
    assert not Page.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_is_one_file(cast: Cast, case: Case, tmp_path: Path) -> None:
    path = hostile.tiff(tmp_path / "stack.tiff", pages=2)
    made: list[SourceFile] = []
    gate = threading.Barrier(2)

    def upload() -> None:
        gate.wait()
        try:
            made.append(bring(case, None, path, cast.clerk))
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert made[0].pk == made[1].pk
    assert Page.objects.filter(case=case).count() == 2
    assert told(case) == ["file.received"]


def test_the_same_file_in_another_case_is_said_to_whoever_may_see_that_case(
    cast: Cast, case: Case, form: Material, tmp_path: Path
) -> None:
    path = hostile.jpeg(tmp_path / "scan.jpg")
    first = bring(case, form, path, cast.clerk)
    assert also_in(first, cast.clerk) == ""
    other = open_case(cast)
    second = bring(other, None, path, cast.clerk)
    said = also_in(second, cast.clerk)
    assert said.startswith(f"同一个文件已于 2026-03-10 10:00 在办件 {case.number} 的“{form.name}”中收过")
    Case.objects.filter(pk=case.pk).update(window=cast.taizhou_window)
    assert also_in(second, cast.clerk) == ""
