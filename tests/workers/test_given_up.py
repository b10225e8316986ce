"""A page whose reading job is given up is in the clerk's queue with the reason, and can be tried again."""

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.models import Page
from ingest.uploads import receive_file
from ocr.models import Reading, Review
from ocr.services import ask_again
from registry.actors import SYSTEM
from tests.cast import NOW, Cast, assemble, open_case
from tests.ocr.paper import Paper
from tests.workers.cast import Clock
from workers.draining import drain
from workers.models import Job, JobState
from workers.reaper import reap
from workers.relay import publish
from workers.rules import LOST_ATTEMPTS
from workers.services import claim, retry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
HOUR = timedelta(hours=1)


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def lost(cast: Cast, tmp_path: Path) -> Job:
    """The reading of a page that took its process down with it every time."""
    path = Paper().letter().save(tmp_path / "letter.png")
    receive_file(
        case=open_case(cast), material=None, path=path, original_name=path.name, actor=cast.clerk, now=NOW
    )
    publish(now=NOW)
    job, now = Job.objects.get(reaction="read_page"), NOW
    for _ in range(LOST_ATTEMPTS):
        assert claim(job_id=job.pk, now=now) is not None
        now += HOUR
        reap(now=now)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    return job


def test_it_is_in_the_queue_with_the_reason(lost: Job) -> None:
    page = Page.objects.get()
    assert not Reading.objects.exists()
    for _ in range(2):
        drain(clock=Clock(NOW + 24 * HOUR))
    reading = Reading.objects.get()
    assert (reading.page, reading.failure, reading.unreadable) == (page, "worker_lost", True)
    assert Review.objects.get(page=page).open == 1


def test_the_clerk_has_it_tried_again(cast: Cast, lost: Job) -> None:
    page = Page.objects.get()
    drain(clock=Clock(NOW + 24 * HOUR))
    given_up = Reading.objects.get()
    ask_again(page=page, engine=given_up.engine, actor=cast.clerk, now=NOW + 25 * HOUR)
    drain(clock=Clock(NOW + 25 * HOUR))
    read = Reading.objects.exclude(pk=given_up.pk).get()
    assert (read.engine, read.attempt, read.failure) == (given_up.engine, 2, "")
    assert read.line_count > 0
    assert Reading.objects.current(page) == read


def test_an_administrator_has_the_job_done_again(lost: Job) -> None:
    drain(clock=Clock(NOW + 24 * HOUR))
    retry(job=lost, actor=SYSTEM, now=NOW + 25 * HOUR)
    drain(clock=Clock(NOW + 25 * HOUR))
    current = Reading.objects.current(Page.objects.get())
    assert current is not None
    assert (current.failure, Reading.objects.count()) == ("", 2)


def test_a_further_try_that_is_given_up_is_told_as_well(cast: Cast, lost: Job) -> None:
    page = Page.objects.get()
    drain(clock=Clock(NOW + 24 * HOUR))
    ask_again(page=page, engine="tesseract", actor=cast.clerk, now=NOW + 25 * HOUR)
    now = NOW + 25 * HOUR
    publish(now=now)
    again = Job.objects.get(reaction="read_page_again")
    for _ in range(LOST_ATTEMPTS):
        assert claim(job_id=again.pk, now=now) is not None
        now += HOUR
        reap(now=now)
    drain(clock=Clock(now + HOUR))
    assert list(Reading.objects.order_by("pk").values_list("engine", "attempt", "failure")) == [
        ("rapidocr", 1, "worker_lost"),
        ("tesseract", 1, "worker_lost"),
    ]
    assert Review.objects.get(page=page).reading.engine == "tesseract"
