"""Real relay and worker processes over a real broker: killed, deaf and flooded."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from config.services.processes import wait_until
from tests.processes import Start, kill, starting
from tests.workers.cast import something_happened
from workers.models import Job

RELAY = [sys.executable, "-m", "tests.workers.probe", "relay"]
WORKER = [
    *(sys.executable, "-m", "celery", "-A", "tests.workers.probe", "worker", "--concurrency=1"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
]
SECONDS = 120


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "diary"
    path.touch()
    return path


@pytest.fixture
def start(outside: dict[str, str], broker: Redis, diary: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a process that works on this test's database; kills what is left of all of them at the end."""
    environment = {**outside, "PROBE_DIARY": str(diary), "TONGBAN_JOB_LEASE_SECONDS": "3"}
    with starting(environment, tmp_path / "log") as start_one:
        yield start_one


def until(holds: Callable[[], bool], tmp_path: Path) -> None:
    try:
        wait_until(holds, seconds=SECONDS)
    except TimeoutError:
        pytest.fail((tmp_path / "log").read_text()[-4000:])


def states() -> set[str]:
    return set(Job.objects.values_list("state", flat=True))


def test_work_whose_worker_was_killed_is_finished_once_by_another(
    start: Start, diary: Path, tmp_path: Path
) -> None:
    start(*RELAY)
    worker = start(*WORKER)
    something_happened("test.hang")
    until(lambda: diary.read_text() == "started\n", tmp_path)

    kill(worker)
    assert states() == {"running"}, "a dead process cannot say that it is dead"

    start(*WORKER)
    until(lambda: states() == {"done"}, tmp_path)
    assert diary.read_text().split() == ["started", "started", "finished"]
    assert Job.objects.get().attempts == 2


def test_messages_that_the_broker_lost_are_sent_again(
    start: Start, broker: Redis, diary: Path, tmp_path: Path
) -> None:
    start(*RELAY, "--resend=2")
    for number in range(20):
        something_happened("test.run", number=number)
    until(lambda: Job.objects.filter(sent_at__isnull=False).count() == 20, tmp_path)
    broker.flushdb()

    start(*WORKER)
    until(lambda: states() == {"done"}, tmp_path)
    assert sorted(diary.read_text().splitlines()) == sorted(f"ran {number}" for number in range(20))


def test_work_recorded_while_nobody_listened_is_done_when_they_start(
    start: Start, diary: Path, tmp_path: Path
) -> None:
    something_happened("test.run", number=1)
    start(*WORKER)
    assert not Job.objects.exists()
    start(*RELAY)
    until(lambda: states() == {"done"}, tmp_path)
    assert diary.read_text() == "ran 1\n"


def test_a_worker_that_is_asked_to_stop_finishes_what_it_is_at(
    start: Start, diary: Path, tmp_path: Path
) -> None:
    start(*RELAY)
    worker = start(*WORKER)
    something_happened("test.pause")
    until(lambda: diary.read_text() == "started\n", tmp_path)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SECONDS) == 0
    assert diary.read_text().split() == ["started", "finished"]
    assert states() == {"done"}


def test_a_relay_stops_when_it_is_asked_to(start: Start, diary: Path, tmp_path: Path) -> None:
    something_happened("test.run", number=1)
    relay = start(*RELAY, "--pause=30")
    until(Job.objects.exists, tmp_path)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(SECONDS) == 0


def test_a_relay_that_is_asked_again_and_again_stops_all_the_same(start: Start, tmp_path: Path) -> None:
    something_happened("test.run", number=1)
    relay = start(*RELAY)
    until(Job.objects.exists, tmp_path)
    for _ in range(300):
        relay.send_signal(signal.SIGTERM)
    assert relay.wait(SECONDS) == 0
