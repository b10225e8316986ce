"""What a person says of a line: kept beside the reading, told once, and stronger than any engine."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from ingest.models import Case, Page
from ingest.rules import CaseState, NotNow
from ocr.engines.rapidocr import RapidOcr
from ocr.lines import Char, Line, as_box
from ocr.models import Correction, Reading, Review
from ocr.pictures import Picture
from ocr.services import ask_again, choose, read, read_again, settle
from registry.actors import SYSTEM
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble
from tests.ocr.paper import IDENTITY, Paper
from tests.ocr.test_services import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(minutes=1)
WRONG = IDENTITY[:-1] + "8"


class Scripted:
    """An engine that reads what the test says, each line where it says, some of it in doubt."""

    version, precision = "1.0", "none"

    def __init__(self, *lines: tuple[str, float], shift: float = 0, name: str = "scripted") -> None:
        self.name, self.lines, self.shift = name, lines, shift
        self.settings_digest = f"{abs(hash((lines, shift))):064x}"[-64:]

    def read(self, page: Picture) -> list[Line]:
        found = []
        for number, (text, sure) in enumerate(self.lines):
            top, right = 300 + 100 * number + self.shift, 200 + 40 * len(text)
            chars = tuple(
                Char(letter, at / len(text), (at + 1) / len(text), sure) for at, letter in enumerate(text)
            )
            box = as_box([(200, top), (right, top), (right, top + 40), (200, top + 40)])
            found.append(Line(text, box, sure, chars))
        return found


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def page(cast: Cast, tmp_path: Path) -> Page:
    return page_of(Paper().letter().save(tmp_path / "letter.png").read_bytes())


def stands(page: Page) -> list[str]:
    reading = Reading.objects.current(page)
    assert reading is not None
    return [
        line.text for line in reading.standing(Correction.objects.of_pages([page]).get(page.pk, [])).printed
    ]


def waiting(page: Page) -> int:
    return Review.objects.get(page=page).open


def test_only_what_is_doubted_waits_for_a_person(page: Page) -> None:
    read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.99), ("陈志弦", 0.7)))

    assert waiting(page) == 1


def test_a_number_that_fails_its_check_waits_however_surely_it_was_read(page: Page) -> None:
    read(page=page, actor=SYSTEM, now=NOW, engine=Scripted((f"身份证号:{WRONG}", 0.99)))

    assert waiting(page) == 1


def test_a_correction_counts_and_the_reading_stays(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.99), ("陈志弦", 0.7)))
    settle(page=page, reading=reading, line=1, text=" 陈志强 ", actor=cast.clerk, now=LATER)

    correction = Correction.objects.get()
    assert (correction.original, correction.text, correction.confirms) == ("陈志弦", "陈志强", False)
    assert (correction.corrected_by, correction.corrected_at) == ("clerk", LATER)
    assert stands(page) == ["户口簿", "陈志强"]
    reading.refresh_from_db()
    assert [line.text for line in reading.text_lines()] == ["户口簿", "陈志弦"]
    assert waiting(page) == 0


def test_the_same_text_confirms(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志强", 0.7)))
    settle(page=page, reading=reading, line=0, text="陈志强", actor=cast.clerk, now=LATER)

    assert Correction.objects.get().confirms
    assert waiting(page) == 0
    assert Event.objects.filter(kind="page.line_confirmed").count() == 1


def test_said_twice_it_is_told_once(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))
    first = settle(page=page, reading=reading, line=0, text="陈志强", actor=cast.clerk, now=LATER)
    again = settle(page=page, reading=reading, line=0, text="陈志强", actor=cast.clerk, now=LATER)

    assert first == again
    assert Event.objects.filter(kind="page.line_corrected").count() == 1


def test_a_second_thought_keeps_the_first_and_what_was_read(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))
    settle(page=page, reading=reading, line=0, text="陈志张", actor=cast.clerk, now=LATER)
    settle(
        page=page, reading=reading, line=0, text="陈志强", actor=cast.clerk, now=LATER + timedelta(minutes=1)
    )

    assert [(c.original, c.text) for c in Correction.objects.order_by("pk")] == [
        ("陈志弦", "陈志张"),
        ("陈志弦", "陈志强"),
    ]
    assert stands(page) == ["陈志强"]


def test_nothing_printed_there(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.99), ("、、", 0.4)))
    settle(page=page, reading=reading, line=1, text="", actor=cast.clerk, now=LATER)

    assert stands(page) == ["户口簿"]
    assert waiting(page) == 0


def test_a_corrected_number_is_found_anew(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted((f"身份证号:{WRONG}", 0.99)))
    settle(page=page, reading=reading, line=0, text=f"身份证号:{IDENTITY}", actor=cast.clerk, now=LATER)

    (field,) = reading.standing(Correction.objects.all()).fields
    assert (field.value, field.check, field.certain) == (IDENTITY, "passed", True)


def test_what_was_said_is_not_legible_in_the_database(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted((f"身份证号:{WRONG}", 0.99)))
    settle(page=page, reading=reading, line=0, text=f"身份证号:{IDENTITY}", actor=cast.clerk, now=LATER)

    with connection.cursor() as cursor:
        cursor.execute("SELECT original, text FROM ocr_correction")
        kept = str(cursor.fetchall())
    assert IDENTITY[:17] not in kept
    assert IDENTITY not in str(list(Event.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(("text", "code"), [("字" * 501, "line_too_long"), ("陈\x07强", "line_unprintable")])
def test_what_cannot_be_a_line_is_refused(text: str, code: str, page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))

    with pytest.raises(Refused) as refusal:
        settle(page=page, reading=reading, line=0, text=text, actor=cast.clerk, now=LATER)
    assert refusal.value.code == code
    assert not Correction.objects.exists()


def test_others_cannot_correct_and_nobody_can_once_the_case_is_gone(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))
    for stranger in (cast.other_clerk, cast.officer, cast.finance):
        with pytest.raises(NotYours):
            settle(page=page, reading=reading, line=0, text="陈志强", actor=stranger, now=LATER)
    Case.objects.filter(pk=page.case_id).update(state=CaseState.SUBMITTED, submitted_at=NOW)
    page.refresh_from_db()
    with pytest.raises(NotNow):
        settle(page=page, reading=reading, line=0, text="陈志强", actor=cast.clerk, now=LATER)


def test_a_correction_outlives_reading_the_page_again(page: Page, cast: Cast) -> None:
    first = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.99), ("陈志弦", 0.7)))
    settle(page=page, reading=first, line=1, text="陈志强", actor=cast.clerk, now=LATER)
    read(page=page, actor=SYSTEM, now=LATER, engine=Scripted(("居民户口簿", 0.99), ("陈志玄", 0.6), shift=6))

    assert stands(page) == ["居民户口簿", "陈志强"]
    assert waiting(page) == 0


def test_a_correction_where_the_new_reading_finds_nothing_is_kept(page: Page, cast: Cast) -> None:
    first = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.99), ("陈志弦", 0.7)))
    settle(page=page, reading=first, line=1, text="陈志强", actor=cast.clerk, now=LATER)
    read(page=page, actor=SYSTEM, now=LATER, engine=Scripted(("户口簿", 0.98)))

    assert stands(page) == ["户口簿", "陈志强"]


def test_the_page_was_read_again_meanwhile(page: Page, cast: Cast) -> None:
    first = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))
    read(page=page, actor=SYSTEM, now=LATER, engine=Scripted(("户口簿", 0.98)))

    with pytest.raises(NotNow):
        settle(page=page, reading=first, line=0, text="陈志强", actor=cast.clerk, now=LATER)


def test_a_person_chooses_which_reading_counts(page: Page, cast: Cast) -> None:
    first = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志强", 0.7)))
    read(page=page, actor=SYSTEM, now=LATER, engine=Scripted(("东志弓虽", 0.98)))
    assert stands(page) == ["东志弓虽"]

    choose(page=page, reading=first, actor=cast.clerk, now=LATER)
    choose(page=page, reading=first, actor=cast.clerk, now=LATER)
    assert stands(page) == ["陈志强"]
    assert waiting(page) == 1
    assert Event.objects.filter(kind="page.reading_chosen").count() == 1
    assert Reading.objects.filter(page=page).count() == 2


def test_reading_again_by_the_other_engine_is_asked_for_and_done_once(page: Page, cast: Cast) -> None:
    read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志强", 0.7)))
    ask_again(page=page, engine="tesseract", actor=cast.clerk, now=LATER)
    assert Event.objects.get(kind="page.reading_asked").data == {"engine": "tesseract", "attempt": 1}

    once = read_again(page=page, engine="tesseract", actor=SYSTEM, now=LATER)
    assert once is not None
    assert read_again(page=page, engine="tesseract", actor=SYSTEM, now=LATER) == once
    assert Reading.objects.current(page) == once
    with pytest.raises(Refused):
        ask_again(page=page, engine="abacus", actor=cast.clerk, now=LATER)


@pytest.mark.usefixtures("append_only")
def test_the_database_itself_keeps_readings_and_corrections(page: Page, cast: Cast) -> None:
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))
    settle(page=page, reading=reading, line=0, text="陈志强", actor=cast.clerk, now=LATER)
    for statement in (
        "UPDATE ocr_reading SET engine = 'other'",
        "DELETE FROM ocr_correction",
        "UPDATE ocr_correction SET corrected_by = 'other'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_doubted_number_is_read_by_the_other_engine_too(
    cast: Cast, tmp_path: Path, rapid: RapidOcr
) -> None:
    """The first engine is made to doubt; the second sees the real cut-out."""

    class Doubting:
        name, version, precision, settings_digest = "rapidocr", "0", "none", "1" * 64

        def read(self, page: Picture) -> list[Line]:
            lines = rapid.read(page)
            return [
                Line(line.text.replace(IDENTITY, WRONG), line.box, line.confidence, line.chars)
                for line in lines
            ]

    paper = Paper().form([[("身份证号", IDENTITY)]])
    page = page_of(paper.save(tmp_path / "form.png", lies=90).read_bytes())
    reading = read(page=page, actor=SYSTEM, now=NOW, engine=Doubting())

    (field,) = reading.found_fields()
    assert (field.value, field.check, field.certain) == (WRONG, "failed", False)
    assert field.second is not None
    assert (field.second.engine, field.second.value, field.second.check) == ("tesseract", IDENTITY, "passed")
    assert np.isclose(Event.objects.get(kind="page.read").data["second"], 1)
