"""Running one job: claims, leases, and the ways it can end."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from registry.actors import SYSTEM
from registry.models import Event
from storage.errors import Refused
from tests.workers.cast import NOON, Clock, react, something_happened
from workers.draining import drain
from workers.models import Job, JobState
from workers.reactions import Reaction
from workers.reaper import reap
from workers.relay import publish
from workers.rules import FAULT_ATTEMPTS, LOST_ATTEMPTS, NotYet
from workers.running import run
from workers.services import claim, retry

MINUTE = timedelta(minutes=1)


class Recorder:
    """A reaction that notes its runs and fails as often as it is told to."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.runs: list[str] = []

    def __call__(self, event: Event, part: str, now: datetime) -> None:
        self.runs.append(part)
        if self.faults:
            raise self.faults.pop(0)


def queued(monkeypatch: pytest.MonkeyPatch, do: Recorder) -> Job:
    react(monkeypatch, Reaction("note", do))
    something_happened()
    publish(now=NOON)
    return Job.objects.get()


@pytest.mark.django_db
def test_a_job_is_done_once_however_often_it_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    do = Recorder()
    job = queued(monkeypatch, do)
    assert run(job_id=job.pk, clock=Clock()) == JobState.DONE
    assert run(job_id=job.pk, clock=Clock()) is None
    assert do.runs == [""]


@pytest.mark.django_db
def test_only_one_of_two_claims_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(monkeypatch, Recorder())
    assert claim(job_id=job.pk, now=NOON) is not None
    assert claim(job_id=job.pk, now=NOON) is None


@pytest.mark.django_db
def test_a_refusal_that_cannot_pass_is_given_up_at_once_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(monkeypatch, Recorder(Refused("no_seal", "窗口还没有印章。")))
    assert run(job_id=job.pk, clock=Clock()) == JobState.FAILED
    job.refresh_from_db()
    assert (job.state, job.last_error, job.lease_until) == ("failed", "no_seal", None)
    told = Event.objects.get(kind="job.failed")
    assert told.data == {"reaction": "note", "part": "", "code": "no_seal"}


@pytest.mark.django_db
def test_a_passing_refusal_is_tried_again_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    away = [Refused("storage_unavailable", "文件库暂时无法访问。", can_retry=True) for _ in range(8)]
    job = queued(monkeypatch, Recorder(*away))
    clock = Clock()
    waits = []
    for _ in away:
        assert run(job_id=job.pk, clock=clock) == JobState.QUEUED
        job.refresh_from_db()
        waits.append((job.next_try_at - clock.now).total_seconds())
        assert run(job_id=job.pk, clock=clock) is None, "not before its time"
        clock.now = job.next_try_at
    assert all(2**n <= wait <= 2 ** (n + 1) for n, wait in enumerate(waits))
    assert run(job_id=job.pk, clock=clock) == JobState.DONE


@pytest.mark.django_db
def test_a_fault_of_our_own_is_given_up_after_some_attempts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = queued(monkeypatch, Recorder(*[KeyError("张三 33010219900101001X") for _ in range(FAULT_ATTEMPTS)]))
    clock = Clock()
    states = []
    for _ in range(FAULT_ATTEMPTS):
        states.append(run(job_id=job.pk, clock=clock))
        job.refresh_from_db()
        clock.now = job.next_try_at
    assert states == [JobState.QUEUED] * (FAULT_ATTEMPTS - 1) + [JobState.FAILED]
    assert job.last_error == "KeyError"
    assert "KeyError" in caplog.text
    assert "张三" not in caplog.text, "an exception's words may be personal data"


@pytest.mark.django_db
def test_waiting_for_another_step_is_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(monkeypatch, Recorder(*[NotYet("pages_unread") for _ in range(20)]))
    clock = Clock()
    for _ in range(20):
        assert run(job_id=job.pk, clock=clock) == JobState.QUEUED
        job.refresh_from_db()
        assert (job.attempts, job.last_error) == (0, "pages_unread")
        clock.now = job.next_try_at
    assert run(job_id=job.pk, clock=clock) == JobState.DONE


@pytest.mark.django_db
def test_a_job_whose_process_died_is_taken_up_when_its_lease_ran_out(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.JOB_LEASE_SECONDS = 60
    do = Recorder()
    job = queued(monkeypatch, do)
    dead = claim(job_id=job.pk, now=NOON)
    assert dead is not None

    assert reap(now=NOON + MINUTE) == 0
    later = NOON + MINUTE + timedelta(seconds=1)
    assert reap(now=later) == 1
    assert run(job_id=job.pk, clock=Clock(later)) == JobState.DONE
    assert do.runs == [""]


@pytest.mark.django_db
def test_a_process_that_comes_back_after_its_lease_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped machine that wakes up finds its job done by another and its own result not counted."""
    clock = Clock()

    def sleep_through_the_lease(event: Event, part: str, now: datetime) -> None:
        clock.now += 10 * MINUTE
        reap(now=clock.now)
        other.append(claim(job_id=Job.objects.get().pk, now=clock.now))

    other: list[Job | None] = []
    react(monkeypatch, Reaction("note", sleep_through_the_lease))
    something_happened()
    publish(now=NOON)
    job = Job.objects.get()
    assert run(job_id=job.pk, clock=clock) is None
    job.refresh_from_db()
    assert other[0] is not None
    assert (job.state, job.lease) == ("running", other[0].lease)


@pytest.mark.django_db
def test_a_job_that_kills_its_process_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(monkeypatch, Recorder())
    now = NOON
    for _ in range(LOST_ATTEMPTS):
        assert claim(job_id=job.pk, now=now) is not None
        now += 10 * MINUTE
        reap(now=now)
    job.refresh_from_db()
    assert (job.state, job.last_error) == ("failed", "worker_lost")


@pytest.mark.django_db
def test_a_failed_job_can_be_queued_again_but_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    do = Recorder(Refused("no_seal", "窗口还没有印章。"))
    job = queued(monkeypatch, do)
    with pytest.raises(Refused, match="job_not_failed"):
        retry(job=job, actor=SYSTEM, now=NOON)
    run(job_id=job.pk, clock=Clock())
    retry(job=job, actor=SYSTEM, now=NOON)
    assert run(job_id=job.pk, clock=Clock()) == JobState.DONE
    assert Event.objects.filter(kind="job.retried").count() == 1


@pytest.mark.django_db
def test_work_whose_name_left_the_table_is_shown_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(monkeypatch, Recorder())
    Job.objects.update(reaction="of an older version")
    for _ in range(FAULT_ATTEMPTS):
        job.refresh_from_db()
        state = run(job_id=job.pk, clock=Clock(job.next_try_at))
    assert state == JobState.FAILED


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_for_as_long_as_the_work_takes(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.JOB_LEASE_SECONDS = 1
    enough = threading.Event()
    seen: list[datetime] = []

    def long_work(event: Event, part: str, now: datetime) -> None:
        first = Job.objects.get().lease_until
        assert first is not None
        while not enough.wait(0.05) and len(seen) < 100:
            until = Job.objects.get().lease_until
            assert until is not None
            seen.append(until)
            if until > first + timedelta(seconds=1):
                return

    react(monkeypatch, Reaction("note", long_work))
    something_happened()
    publish(now=timezone.now())
    assert run(job_id=Job.objects.get().pk, clock=timezone.now) == JobState.DONE
    assert len(set(seen)) >= 4, "four beats within a lease"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lease-")]
    connection.ensure_connection()


@pytest.mark.django_db
def test_draining_does_what_events_of_its_own_work_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(event: Event, part: str, now: datetime) -> None:
        if event.data["depth"] < 3:
            something_happened(depth=event.data["depth"] + 1)

    react(monkeypatch, Reaction("deepen", first))
    something_happened(depth=1)
    drained = drain(clock=Clock())
    assert (drained.done, drained.failed, drained.left) == (3, [], 0)


@pytest.mark.django_db
def test_draining_tells_what_it_could_not_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    react(
        monkeypatch,
        Reaction("later", Recorder(Refused("away", "暂时不可用。", can_retry=True))),
        Reaction("never", Recorder(Refused("no_seal", "窗口还没有印章。"))),
    )
    something_happened()
    drained = drain(clock=Clock())
    assert (drained.done, drained.retried, len(drained.failed), drained.left) == (0, 1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_draining_waits_for_the_next_try_within_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    do = Recorder(Refused("away", "暂时不可用。", can_retry=True))
    react(monkeypatch, Reaction("later", do))
    something_happened()
    drained = drain(clock=timezone.now, patience=timedelta(seconds=10))
    assert (drained.done, drained.retried, drained.left) == (1, 1, 0)
