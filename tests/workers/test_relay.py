"""From events to jobs to messages."""

from datetime import timedelta

import pytest
from django.db import transaction

from registry.models import Event
from tests.workers.cast import NOON, react, something_happened
from workers.models import Job
from workers.reactions import Reaction
from workers.relay import RESEND_AFTER, publish, send_due

pytestmark = pytest.mark.django_db


def do_nothing(*_: object) -> None: ...


def test_an_event_becomes_one_job_for_each_reaction_and_part(monkeypatch: pytest.MonkeyPatch) -> None:
    react(
        monkeypatch,
        Reaction("read", do_nothing, parts=lambda event: [str(page) for page in event.data["pages"]]),
        Reaction("tell", do_nothing),
    )
    event = something_happened(pages=[7, 8])

    assert publish(now=NOON) == 1

    jobs = Job.objects.filter(event=event).values_list("reaction", "part", "state")
    assert set(jobs) == {("read", "7", "queued"), ("read", "8", "queued"), ("tell", "", "queued")}


def test_relaying_twice_makes_no_second_job(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("tell", do_nothing))
    event = something_happened()
    assert publish(now=NOON) == 1
    assert publish(now=NOON) == 0

    # Even if the mark were lost, the database would not take the job a second time.
    Event.objects.filter(pk=event.pk).update(published_at=None)
    assert publish(now=NOON) == 1
    assert Job.objects.count() == 1


def test_an_event_without_reaction_is_published_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("tell", do_nothing), kind="test.other")
    event = something_happened()
    publish(now=NOON)
    event.refresh_from_db()
    assert event.published_at == NOON
    assert not Job.objects.exists()


def test_a_change_that_is_rolled_back_asks_for_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("tell", do_nothing))
    with transaction.atomic():
        something_happened()
        transaction.set_rollback(True)
    assert publish(now=NOON) == 0


def test_a_due_job_is_sent_once_and_again_when_its_message_got_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("tell", do_nothing))
    something_happened()
    publish(now=NOON)
    messages: list[int] = []

    assert send_due(send=messages.append, now=NOON) == 1
    assert send_due(send=messages.append, now=NOON + timedelta(seconds=1)) == 0
    assert send_due(send=messages.append, now=NOON + RESEND_AFTER) == 1
    assert messages == [Job.objects.get().pk] * 2


def test_a_job_is_not_sent_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("tell", do_nothing))
    something_happened()
    publish(now=NOON)
    Job.objects.update(next_try_at=NOON + timedelta(minutes=1))
    messages: list[int] = []
    assert send_due(send=messages.append, now=NOON) == 0
    assert send_due(send=messages.append, now=NOON + timedelta(minutes=1)) == 1


def test_a_broker_that_is_away_leaves_the_job_to_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("tell", do_nothing))
    something_happened()
    publish(now=NOON)

    def away(job_id: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        send_due(send=away, now=NOON)
    messages: list[int] = []
    assert send_due(send=messages.append, now=NOON) == 1
