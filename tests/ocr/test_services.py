"""Reading a page of a case: kept once, told once, and never in the way of the case."""

import hashlib
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from ingest.models import Material, Page
from ocr.engines.rapidocr import RapidOcr
from ocr.lines import Line
from ocr.models import Reading
from ocr.pictures import Picture
from ocr.services import read
from registry.actors import SYSTEM
from registry.models import Event
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW, assemble, open_case
from tests.ingest import hostile
from tests.ingest.paper import hand_in
from tests.ocr.paper import IDENTITY, Paper

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


def page_of(content: bytes, media_type: str = "image/png") -> Page:
    """A page of a Zhuji case with these bytes."""
    case = open_case(assemble())
    material = Material.objects.filter(case=case).first()
    assert material is not None
    page = hand_in(material)[0]
    page.stored = store_bytes(content=content, kind=Kind.PAGE, media_type=media_type, now=NOW)
    page.sha256 = hashlib.sha256(content).hexdigest()
    page.media_type = media_type
    page.save()
    return page


@pytest.fixture
def form(tmp_path: Path) -> Page:
    paper = Paper().form([[("姓名", "陈志强"), ("性别", "男")], [("身份证号", IDENTITY)]])
    return page_of(paper.save(tmp_path / "form.png", lies=90).read_bytes())


class Stumbling:
    """An engine that finds a page it cannot bear."""

    name, version, precision, settings_digest = "stumbling", "1.0", "none", "0" * 64

    def read(self, page: Picture) -> list[Line]:
        raise RuntimeError(f"could not bear {page.width}")


def test_lines_fields_and_engine_are_kept(form: Page, rapid: RapidOcr) -> None:
    reading = read(page=form, actor=SYSTEM, now=NOW, engine=rapid)

    reading.refresh_from_db()
    assert (reading.engine, reading.engine_version) == ("rapidocr", rapid.version)
    assert reading.precision == rapid.precision
    assert (reading.angle, reading.line_count, reading.unreadable) == (90, 6, False)
    assert [line.text for line in reading.text_lines()] == [
        "姓名",
        "陈志强",
        "性别",
        "男",
        "身份证号",
        IDENTITY,
    ]
    assert [(field["kind"], field["value"], field["check"]) for field in reading.fields] == [
        ("name", "陈志强", "none"),
        ("identity_number", IDENTITY, "passed"),
    ]


def test_what_was_read_is_not_legible_in_the_database(form: Page, rapid: RapidOcr) -> None:
    read(page=form, actor=SYSTEM, now=NOW, engine=rapid)

    with connection.cursor() as cursor:
        cursor.execute("SELECT lines, fields FROM ocr_reading")
        stored = str(cursor.fetchall())
    assert IDENTITY not in stored
    # Quoted, as the stored text would have it: three bare letters turn up in a ciphertext by chance.
    assert '"box"' not in stored


def test_the_page_is_shown_upright_and_its_bytes_stay(form: Page, rapid: RapidOcr) -> None:
    before = form.sha256
    read(page=form, actor=SYSTEM, now=NOW, engine=rapid)

    form.refresh_from_db()
    assert (form.rotation, form.sha256) == (90, before)


def test_a_persons_turn_is_not_undone_by_reading_again(form: Page, rapid: RapidOcr) -> None:
    read(page=form, actor=SYSTEM, now=NOW, engine=rapid)
    Page.objects.filter(pk=form.pk).update(rotation=180)
    form.refresh_from_db()
    read(
        page=form,
        actor=SYSTEM,
        now=NOW,
        engine=RapidOcr("onnxruntime" if rapid.backend == "openvino" else "openvino"),
    )

    form.refresh_from_db()
    assert form.rotation == 180
    assert Reading.objects.filter(page=form).count() == 2


def test_asked_again_nothing_happens_again(form: Page, rapid: RapidOcr) -> None:
    first = read(page=form, actor=SYSTEM, now=NOW, engine=rapid)
    with CaptureQueriesContext(connection) as queries:
        second = read(page=form, actor=SYSTEM, now=NOW, engine=rapid)

    assert second == first
    assert len(queries) == 1
    assert Reading.objects.count() == 1
    assert Event.objects.filter(kind="page.read").count() == 1


def test_the_event_tells_of_the_page_without_personal_data(form: Page, rapid: RapidOcr) -> None:
    reading = read(page=form, actor=SYSTEM, now=NOW, engine=rapid)

    event = Event.objects.get(kind="page.read")
    assert (event.subject_type, event.subject_id) == ("ingest.page", str(form.pk))
    assert event.case_number == form.case.number
    assert event.data == {
        "reading": reading.pk,
        "engine": "rapidocr",
        "lines": 6,
        "uncertain": 0,
        "angle": 90,
        "failure": "",
        "second": 0,
    }


def test_the_newest_reading_counts(form: Page, rapid: RapidOcr) -> None:
    old = read(page=form, actor=SYSTEM, now=NOW, engine=Stumbling())
    new = read(page=form, actor=SYSTEM, now=NOW, engine=rapid)

    assert Reading.objects.current(form) == new
    assert Reading.objects.current_of([form]) == {form.pk: new}
    assert old.unreadable


@pytest.mark.parametrize(
    ("content", "failure"),
    [(b"\x89PNG\r\n\x1a\n cut off", "picture_unreadable"), (b"", "picture_unreadable")],
)
def test_an_unreadable_page_is_marked_and_the_case_goes_on(
    content: bytes, failure: str, rapid: RapidOcr
) -> None:
    reading = read(page=page_of(content), actor=SYSTEM, now=NOW, engine=rapid)

    assert (reading.failure, reading.line_count, reading.lines, reading.fields) == (failure, 0, [], [])
    assert Event.objects.get(kind="page.read").data["failure"] == failure


@pytest.mark.parametrize(
    ("bomb", "failure"),
    [
        (hostile.png_of(60_000, 60_000), "picture_too_large"),
        (hostile.png_of(17_000, 17_000), "picture_unreadable"),
        (b"%PDF-1.7\n%%EOF", "picture_unreadable"),
    ],
)
def test_a_bomb_in_a_pages_place_is_refused_and_the_next_page_is_read(
    bomb: bytes, failure: str, form: Page, rapid: RapidOcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the store is a stranger's: this process opens none of it, and goes on."""
    monkeypatch.setattr(Image, "open", None)
    own, form.stored = form.stored, store_bytes(content=bomb, kind=Kind.PAGE, media_type="image/png", now=NOW)
    refused = read(page=form, actor=SYSTEM, now=NOW, engine=Stumbling())
    assert (refused.failure, refused.line_count, refused.unreadable) == (failure, 0, True)

    form.stored = own
    reading = read(page=form, actor=SYSTEM, now=NOW, engine=rapid)
    assert IDENTITY in [line.text for line in reading.text_lines()]


def test_an_engine_that_stumbles_is_no_disaster(form: Page, caplog: pytest.LogCaptureFixture) -> None:
    reading = read(page=form, actor=SYSTEM, now=NOW, engine=Stumbling())

    form.refresh_from_db()
    assert (reading.failure, reading.unreadable, form.rotation) == ("ocr_fault", True, 0)
    assert "RuntimeError" in caplog.text
    assert "could not bear" not in caplog.text


def test_the_engine_is_loaded_once_in_a_process(form: Page) -> None:
    from ocr.engines.process import engine_of_process

    first = read(page=form, actor=SYSTEM, now=NOW)
    assert first.engine == "rapidocr"
    assert engine_of_process("rapidocr", "auto") is engine_of_process("rapidocr", "auto")
