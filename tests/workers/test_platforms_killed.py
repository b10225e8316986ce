"""The worker dies while a platform is being told: the platform hears of it again, under the same id, and it counts as told once."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.services.processes import wait_until
from ingest.models import Notice
from ingest.telling.address import parse_networks
from logistics.couriers.base import Acknowledgement, RawRequest
from tests.cast import assemble, open_case
from tests.ingest.platforms import subscribed, watcher
from tests.logistics.listener import listening
from tests.processes import Start, kill, starting
from workers.models import Job, JobState

SECONDS = 120
HOUSE = "127.0.0.0/8"


@pytest.fixture
def start(outside: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    environment = {**outside, "TONGBAN_JOB_LEASE_SECONDS": "2", "TONGBAN_WEBHOOK_NETWORKS": HOUSE}
    with starting(environment, tmp_path / "log") as start_one:
        yield start_one


def test_a_worker_that_dies_in_the_middle_loses_nothing(start: Start, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = parse_networks(HOUSE)
    over = threading.Event()

    def hang_the_first_time(raw: RawRequest) -> Acknowledgement:
        if len(told.received) == 1:
            over.wait()
        return Acknowledgement(b"")

    with listening(hang_the_first_time) as told:
        cast = assemble()
        subscribed(watcher(cast.zhuji), told.url)
        open_case(cast)
        worker = start(sys.executable, "manage.py", "drain", "--patience", "60")
        wait_until(lambda: len(told.received) == 1, seconds=SECONDS)
        kill(worker)
        over.set()
        assert Job.objects.get().state == JobState.RUNNING, "a dead process cannot say that it is dead"
        assert start(sys.executable, "manage.py", "drain", "--patience", "60").wait(SECONDS) == 0
    assert len(told.received) == 2
    assert len({raw.headers["webhook-id"] for raw in told.received}) == 1
    assert told.received[0].body == told.received[1].body
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == (Notice.State.DELIVERED, 1)
    assert Job.objects.get().state == JobState.DONE
