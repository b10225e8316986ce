"""A worker killed in the middle of reading, and another in the middle of signing: the case completes, once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from config.services.processes import wait_until
from dossier.models import Dossier
from ingest.models import Case
from ingest.services.intake import submit
from ingest.uploads import receive_file
from ocr.models import Reading
from registry.events import verify_chains
from registry.models import Event, Slip
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything, picture
from tests.processes import Start, kill, starting
from workers.models import Job, JobState

RELAY = (sys.executable, "manage.py", "relay")
WORKER = (
    *(sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=1"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
SECONDS = 150


@pytest.fixture
def start(outside: dict[str, str], broker: Redis, objects: None, tmp_path: Path) -> Iterator[Start]:
    """Starts one of our processes on this test's servers; whatever is left of them is killed at the end."""
    with starting({**outside, "TONGBAN_JOB_LEASE_SECONDS": "3"}, tmp_path / "log") as start_one:
        yield start_one


def is_running(reaction: str) -> bool:
    return Job.objects.filter(reaction=reaction, state=JobState.RUNNING).exists()


@pytest.mark.timeout(600)
def test_the_case_completes_once_whatever_is_killed(start: Start, tmp_path: Path) -> None:
    cast = assemble()
    case = _filled(cast, tmp_path)
    start(*RELAY)
    reader = start(*WORKER)
    wait_until(lambda: is_running("read_page"), seconds=SECONDS)
    kill(reader)
    submit(case=case, actor=cast.clerk, now=NOW)
    signer = start(*WORKER)
    wait_until(lambda: is_running("build_dossier") and not _unread(case), seconds=SECONDS)
    kill(signer)
    start(*WORKER)
    wait_until(lambda: Dossier.objects.filter(stored__isnull=False).exists(), seconds=SECONDS)
    wait_until(lambda: not Job.objects.exclude(state=JobState.DONE).exists(), seconds=SECONDS)
    assert Job.objects.filter(attempts__gt=1).count() >= 2
    pages = case.pages.values_list("pk", flat=True)
    assert sorted(Reading.objects.values_list("page_id", flat=True)) == sorted(pages)
    dossier = Dossier.objects.get()
    assert (dossier.revisions.count(), dossier.version) == (1, 1)
    kinds = list(Event.objects.filter(case_number=case.number).values_list("kind", flat=True))
    assert (kinds.count("dossier.signed"), kinds.count("page.read")) == (1, len(pages))
    assert Slip.objects.filter(case_number=case.number, kind="receipt").count() == 1
    assert list(verify_chains(case.number)) == []


def _filled(cast: Cast, tmp_path: Path) -> Case:
    """Uploads that the workers must read, beside a checklist that is complete."""
    case = open_case(cast)
    hand_in_everything(case)
    material = case.materials.get(position=1)
    for number in range(3):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(picture(f"upload {number}", size=(1240, 1754)))
        receive_file(
            case=case, material=material, path=path, original_name=path.name, actor=cast.clerk, now=NOW
        )
    return case


def _unread(case: Case) -> bool:
    return case.pages.filter(readings__isnull=True).exists()
