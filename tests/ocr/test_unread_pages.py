"""A page that nobody could read waits for a person like a doubted line, and enters the dossier as a picture."""

import pytest

from ingest.models import Case, Page
from ingest.rules import CaseState, NotNow
from ocr.engines.interface import EngineFailed
from ocr.findings import waiting_in
from ocr.lines import Line
from ocr.models import Reading, Review
from ocr.pictures import Picture
from ocr.services import ask_again, choose, keep_as_image, keep_unread, read
from registry.actors import SYSTEM
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble
from tests.ocr.paper import Paper
from tests.ocr.test_correcting import LATER, Scripted
from tests.ocr.test_services import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


class GivesUp:
    """An engine that runs out of time on every page."""

    name, version, precision, settings_digest = "gives-up", "1.0", "none", "0" * 64

    def read(self, page: Picture) -> list[Line]:
        raise EngineFailed


class Unsteady:
    """An engine that runs out of time on its first pages, and reads the same line on those after."""

    name, version, precision, settings_digest = "unsteady", "1.0", "none", "1" * 64

    def __init__(self, *, failures: int) -> None:
        self.failures, self.asked = failures, 0

    def read(self, page: Picture) -> list[Line]:
        self.asked += 1
        if self.asked <= self.failures:
            raise EngineFailed
        return Scripted(("户口簿", 0.7)).read(page)


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def page(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(Paper().letter().save(tmp_path_factory.mktemp("page") / "letter.png").read_bytes())


@pytest.fixture
def reading(page: Page) -> Reading:
    return read(page=page, actor=SYSTEM, now=NOW, engine=GivesUp())


def waiting(page: Page) -> int:
    return Review.objects.get(page=page).open


def test_it_waits_for_a_person(page: Page, reading: Reading) -> None:
    assert (reading.failure, waiting(page), waiting_in(page.case)) == ("ocr_engine_failed", 1, 1)


def test_a_person_leaves_it_a_picture_once(cast: Cast, page: Page, reading: Reading) -> None:
    for _ in range(2):
        review = keep_as_image(page=page, reading=reading, actor=cast.clerk, now=LATER)
    assert (review.open, review.image_by, review.image_at) == (0, cast.clerk.label, LATER)
    event = Event.objects.get(kind="page.kept_as_image")
    assert (event.case_number, event.data["failure"]) == (page.case.number, "ocr_engine_failed")


def test_read_by_another_engine_its_lines_wait_instead(cast: Cast, page: Page, reading: Reading) -> None:
    keep_as_image(page=page, reading=reading, actor=cast.clerk, now=LATER)
    read(page=page, actor=SYSTEM, now=LATER, engine=Scripted(("陈志弦", 0.7), ("户口簿", 0.6)))
    assert waiting(page) == 2
    choose(page=page, reading=reading, actor=cast.clerk, now=LATER)
    assert waiting(page) == 1, "back at the reading without text, somebody looks again"


def test_a_page_with_text_is_no_picture(cast: Cast, page: Page) -> None:
    legible = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("陈志弦", 0.7)))
    with pytest.raises(Refused, match="已经识别出文字"):
        keep_as_image(page=page, reading=legible, actor=cast.clerk, now=LATER)


def test_not_of_a_reading_that_counts_no_more(cast: Cast, page: Page, reading: Reading) -> None:
    read(page=page, actor=SYSTEM, now=LATER, engine=Scripted(("户口簿", 0.98)))
    with pytest.raises(NotNow, match="重新识别"):
        keep_as_image(page=page, reading=reading, actor=cast.clerk, now=LATER)


def test_nobody_else_and_not_any_more(cast: Cast, page: Page, reading: Reading) -> None:
    for stranger in (cast.other_clerk, cast.officer, cast.finance):
        with pytest.raises(NotYours):
            keep_as_image(page=page, reading=reading, actor=stranger, now=LATER)
    Case.objects.filter(pk=page.case_id).update(state=CaseState.SUBMITTED, submitted_at=NOW)
    page.refresh_from_db()
    with pytest.raises(NotNow, match="办件已提交"):
        keep_as_image(page=page, reading=reading, actor=cast.clerk, now=LATER)


def test_the_same_engine_may_try_again_and_the_former_try_stays(page: Page) -> None:
    engine = Unsteady(failures=2)
    first = read(page=page, actor=SYSTEM, now=NOW, engine=engine)
    assert read(page=page, actor=SYSTEM, now=LATER, engine=engine) == first, (
        "without being asked it tries once"
    )
    second = read(page=page, actor=SYSTEM, now=LATER, engine=engine, attempt=2)
    assert (second.failure, waiting(page)) == ("ocr_engine_failed", 1)
    third = read(page=page, actor=SYSTEM, now=LATER, engine=engine, attempt=3)
    assert read(page=page, actor=SYSTEM, now=LATER, engine=engine, attempt=3) == third

    assert engine.asked == 3
    assert Reading.objects.current(page) == third
    assert (third.line_count, waiting(page)) == (1, 1)
    assert list(Reading.objects.filter(page=page).order_by("attempt")) == [first, second, third]
    assert read(page=page, actor=SYSTEM, now=LATER, engine=engine, attempt=4) == third, "it has been read"


def test_a_try_without_text_displaces_no_text(cast: Cast, page: Page) -> None:
    text = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.7)))
    failed = read(page=page, actor=SYSTEM, now=LATER, engine=GivesUp())
    assert (Reading.objects.current(page), waiting(page)) == (text, 1)
    choose(page=page, reading=failed, actor=cast.clerk, now=LATER)
    assert Reading.objects.current(page) == failed, "a person may still want it so"


def test_reading_that_was_given_up_waits_like_any_page_without_text(cast: Cast, page: Page) -> None:
    for _ in range(2):
        keep_unread(page=page, engine="rapidocr", attempt=1, why="worker_lost", actor=SYSTEM, now=NOW)
    reading = Reading.objects.get(page=page)
    assert (reading.failure, reading.engine_version, waiting(page)) == ("worker_lost", "", 1)
    event = Event.objects.get(kind="page.reading_given_up")
    assert (event.case_number, event.data["failure"]) == (page.case.number, "worker_lost")

    ask_again(page=page, engine="rapidocr", actor=cast.clerk, now=LATER)
    assert Event.objects.get(kind="page.reading_asked").data == {"engine": "rapidocr", "attempt": 2}
    keep_unread(page=page, engine="rapidocr", attempt=2, why="worker_lost", actor=SYSTEM, now=LATER)
    ask_again(page=page, engine="rapidocr", actor=cast.clerk, now=LATER)
    asked = Event.objects.filter(kind="page.reading_asked").order_by("pk").last()
    assert asked is not None
    assert asked.data["attempt"] == 3

    assert keep_as_image(page=page, reading=_current(page), actor=cast.clerk, now=LATER).open == 0


def test_what_was_read_meanwhile_was_not_given_up(page: Page) -> None:
    text = read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(("户口簿", 0.7), name="rapidocr"))
    assert (
        keep_unread(page=page, engine="rapidocr", attempt=1, why="worker_lost", actor=SYSTEM, now=LATER)
        is None
    )
    later = keep_unread(page=page, engine="rapidocr", attempt=2, why="worker_lost", actor=SYSTEM, now=LATER)
    assert later is not None, "a further try that was given up is among the page's readings"
    assert _current(page) == text


def _current(page: Page) -> Reading:
    reading = Reading.objects.current(page)
    assert reading is not None
    return reading
