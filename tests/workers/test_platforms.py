"""Platforms are told: signed, once in effect, again after every mishap, and loudly given up after days."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

import ingest.telling.sending as sending
from ingest.models import Case, Notice, Subscription
from ingest.rules import CaseState
from ingest.services.handlings import pre_review
from ingest.services.rating import ask_satisfaction, rate
from ingest.services.withdrawing import withdraw
from ingest.telling.address import parse_networks
from ingest.telling.rules import DISABLED_AFTER, WAITS
from ingest.telling.services import enable, end, replay, rotate
from logistics.couriers.base import Acknowledgement, RawRequest
from logistics.couriers.standard_webhooks import verify
from registry.actors import SYSTEM
from registry.models import Event
from tests.cast import NOW, Cast, assemble, further_on, open_case
from tests.ingest.platforms import OTHER_SECRET, SECRET, subscribed, watcher
from tests.logistics.listener import Listener, listening
from tests.workers.cast import Clock
from workers.draining import Drained, drain
from workers.models import Job, JobState

pytestmark = pytest.mark.django_db
TAKEN = Acknowledgement(b"")
BROKEN = Acknowledgement(b"", status=500)
Answers = list[Acknowledgement | None]


@pytest.fixture
def cast(settings: Any) -> Cast:
    settings.WEBHOOK_NETWORKS = parse_networks("127.0.0.0/8")
    return assemble()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def answers() -> Answers:
    """What the platform answers next, in turn; it takes everything when nothing is left."""
    return []


@pytest.fixture
def platform(answers: Answers) -> Iterator[Listener]:
    with listening(lambda raw: answers.pop(0) if answers else TAKEN) as listener:
        yield listener


@pytest.fixture
def subscription(cast: Cast, platform: Listener) -> Subscription:
    return subscribed(watcher(cast.zhuji), platform.url)


def work(clock: Clock) -> Drained:
    drained = drain(clock=clock)
    assert drained.failed == []
    return drained


def until_quiet(clock: Clock) -> timedelta:
    """Let the clock run from try to try until nothing waits; how long that took."""
    begun = clock.now
    while waiting := Job.objects.filter(state=JobState.QUEUED).order_by("next_try_at").first():
        clock.now = max(clock.now, waiting.next_try_at)
        work(clock)
    return clock.now - begun


def ids(platform: Listener) -> list[str]:
    return [raw.headers["webhook-id"] for raw in platform.received]


def checked(raw: RawRequest, now: datetime = NOW, secret: str = SECRET) -> dict[str, Any]:
    """The body, its signature proved as a platform would."""
    verify(raw.headers, raw.body, secrets=[secret], now=now)
    body: dict[str, Any] = json.loads(raw.body)
    return body


def test_a_platform_is_told_signed_and_once(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription
) -> None:
    case = open_case(cast)
    work(clock)
    work(clock)
    (raw,) = platform.received
    assert checked(raw)["data"]["number"] == case.number
    event = Event.objects.get(stream=case.number, kind="case.created")
    assert raw.headers["webhook-id"] == f"evt_{event.pk}"
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts, notice.delivered_at) == (Notice.State.DELIVERED, 1, NOW)


def test_each_step_is_told_and_can_be_put_in_order(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription
) -> None:
    case = open_case(cast)
    withdraw(case=case, reason="不办了", actor=cast.clerk, now=NOW)
    work(clock)
    told = sorted((checked(raw)["data"] for raw in platform.received), key=lambda data: data["sequence"])
    assert [data["state"] for data in told] == ["draft", "withdrawn"]
    assert "不办了" not in str(platform.received[-1].body.decode())


def test_every_grade_is_told_at_once_without_the_applicants_words(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription
) -> None:
    case = further_on(open_case(cast), CaseState.CLOSED, closed_at=NOW)
    ask = ask_satisfaction(case=case, now=NOW)
    rate(token=ask.token_text, grade="bad", concern="office", words="等了很久", caller="x", now=NOW)
    work(clock)
    told = [body for raw in platform.received if (body := checked(raw))["type"] == "rating.given"]
    assert [(body["data"]["grade"], body["data"]["concern"]) for body in told] == [("bad", "office")]
    assert "等了很久" not in str([raw.body.decode() for raw in platform.received])


def test_platforms_of_other_windows_are_not_told(cast: Cast, clock: Clock, platform: Listener) -> None:
    subscribed(watcher(cast.taizhou_window), platform.url)
    open_case(cast)
    work(clock)
    assert platform.received == []
    assert not Notice.objects.exists()


def test_during_a_rotation_either_secret_proves_it(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription
) -> None:
    rotate(subscription=subscription, secret=OTHER_SECRET, actor=SYSTEM, now=NOW)
    open_case(cast)
    work(clock)
    (raw,) = platform.received
    assert checked(raw, secret=SECRET) == checked(raw, secret=OTHER_SECRET)


@pytest.mark.parametrize(
    ("mishap", "fault"),
    [(BROKEN, "http_500"), (None, "answer_lost"), (Acknowledgement(b"", 429), "http_429")],
)
def test_after_a_mishap_the_same_is_told_again(
    mishap: Acknowledgement | None,
    fault: str,
    cast: Cast,
    clock: Clock,
    platform: Listener,
    subscription: Subscription,
    answers: Answers,
) -> None:
    answers.append(mishap)
    open_case(cast)
    work(clock)
    waiting = Notice.objects.get()
    assert (waiting.state, waiting.last_fault, waiting.attempts) == (Notice.State.WAITING, fault, 1)
    assert until_quiet(clock) < timedelta(minutes=1)
    first, second = platform.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    checked(second, clock.now)
    delivered = Notice.objects.get()
    assert [tried["fault"] for tried in delivered.tries] == [fault, ""]
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.failing_since) == (0, None)


def test_a_platform_that_asks_for_time_is_left_alone_until_then(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription, answers: Answers
) -> None:
    answers.append(Acknowledgement(b"", 503))
    platform.retry_after = "1800"
    for _ in range(2):
        open_case(cast)
    work(clock)
    subscription.refresh_from_db()
    assert subscription.rests_until == NOW + timedelta(minutes=30)
    clock.now = NOW + timedelta(minutes=29)
    work(clock)
    assert len(platform.received) == 1, "neither this notice nor another goes there before"
    assert until_quiet(clock) < timedelta(minutes=5)
    assert len(platform.received) == 3


def test_the_acts_of_an_office_reach_the_platform_that_asked_for_them(
    cast: Cast, clock: Clock, platform: Listener
) -> None:
    subscribed(watcher(cast.zhuji), platform.url, kinds=["handling.pre_reviewed"])
    case = further_on(open_case(cast), CaseState.SUBMITTED)
    case.handlings.update(state="pending")
    pre_review(handling=case.handlings.get(), actor=cast.officer, now=NOW)
    work(clock)
    told = [checked(raw) for raw in platform.received]
    assert [(body["type"], body["data"]["handling"]["office"]) for body in told] == [
        ("handling.pre_reviewed", cast.taizhou.code)
    ]


def test_a_slow_platform_is_not_waited_for(cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", httpx.Timeout(0.2, connect=5.0))
    over = threading.Event()

    def answer(raw: RawRequest) -> Acknowledgement:
        over.wait()
        return TAKEN

    with listening(answer) as slow:
        subscribed(watcher(cast.zhuji), slow.url)
        open_case(cast)
        work(clock)
        over.set()
    assert Notice.objects.get().last_fault == "timeout"


def test_a_platform_that_is_not_there_is_tried_again(cast: Cast, clock: Clock) -> None:
    subscribed(watcher(cast.zhuji), "http://127.0.0.1:9/told")
    open_case(cast)
    work(clock)
    assert Notice.objects.get().last_fault == "unreachable"


def test_redirects_are_not_followed(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription, answers: Answers
) -> None:
    with listening(lambda raw: TAKEN) as elsewhere:
        platform.location = elsewhere.url
        answers.append(Acknowledgement(b"", status=307))
        open_case(cast)
        work(clock)
        assert elsewhere.received == []
    assert Notice.objects.get().last_fault == "http_307"


def test_after_days_it_is_parked_loudly(
    cast: Cast,
    clock: Clock,
    platform: Listener,
    subscription: Subscription,
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers.extend([BROKEN] * 100)
    open_case(cast)
    work(clock)
    with caplog.at_level(logging.ERROR, "tongban.platforms"):
        took = until_quiet(clock)
    assert timedelta(days=2) < took < timedelta(days=5)
    assert set(ids(platform)) == {Notice.objects.get().message_id}
    assert len(platform.received) == len(WAITS) + 1
    assert Notice.objects.get().state == Notice.State.PARKED
    assert Event.objects.get(kind="notice.parked").data["fault"] == "http_500"
    assert "parked: http_500" in caplog.text
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}


def test_while_an_address_fails_one_notice_at_a_time_finds_out(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription, answers: Answers
) -> None:
    answers.append(BROKEN)
    for _ in range(3):
        open_case(cast)
    work(clock)
    assert len(platform.received) == 1
    until_quiet(clock)
    assert len(platform.received) == 4
    assert set(Notice.objects.values_list("state", flat=True)) == {Notice.State.DELIVERED}


@pytest.mark.parametrize(("status", "days"), [(410, 0), (500, 5)])
def test_an_address_that_is_gone_or_failed_for_days_is_disabled_with_an_alarm_and_nothing_is_lost(
    status: int,
    days: int,
    cast: Cast,
    clock: Clock,
    platform: Listener,
    subscription: Subscription,
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if days:
        Subscription.objects.update(failing_since=NOW - DISABLED_AFTER)
    answers.append(Acknowledgement(b"", status=status))
    with caplog.at_level(logging.ERROR, "tongban.platforms"):
        open_case(cast)
        work(clock)
        open_case(cast)
        work(clock)
    assert len(platform.received) == 1
    assert Event.objects.filter(kind="subscription.disabled").count() == 1
    assert f"subscription {subscription.pk} disabled" in caplog.text
    assert list(Notice.objects.values_list("state", flat=True)) == [Notice.State.PARKED] * 2
    enable(subscription=subscription, actor=cast.administrator, now=NOW)
    work(clock)
    assert len(platform.received) == 3
    assert set(Notice.objects.values_list("state", flat=True)) == {Notice.State.DELIVERED}


def test_a_replay_tells_it_again_under_the_same_id(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription
) -> None:
    open_case(cast)
    work(clock)
    replay(notice=Notice.objects.get(), actor=cast.administrator, now=NOW)
    work(clock)
    assert len(ids(platform)) == 2
    assert len(set(ids(platform))) == 1


def test_what_waits_for_an_ended_subscription_is_not_sent(
    cast: Cast, clock: Clock, platform: Listener, subscription: Subscription, answers: Answers
) -> None:
    answers.append(BROKEN)
    open_case(cast)
    work(clock)
    end(subscription=subscription, actor=cast.administrator, now=NOW)
    until_quiet(clock)
    assert len(platform.received) == 1
    assert Notice.objects.get().state == Notice.State.PARKED
    assert Case.objects.count() == 1
