"""Subscriptions of platforms: only for keys that may read, only to proper addresses; secrets go in, overlap, and never come out."""

import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.conf import settings
from django.db import connection

from ingest.models import Subscription
from ingest.rules import CaseState
from ingest.services.handlings import accept, pre_review
from ingest.telling.notices import body_of, forget_notices, subscribers_of
from ingest.telling.rules import (
    DISABLED_AFTER,
    HANDLING_KINDS,
    KINDS,
    LONGEST_ASKED,
    LONGEST_REST,
    WAITS,
    WORDS,
    Outcome,
    asked_wait,
    must_disable,
    next_wait,
    rest,
)
from ingest.telling.services import enable, end, end_overlap, replay, rotate, subscribe
from registry.actors import SYSTEM
from registry.models import ApiKey, Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, further_on, open_case
from tests.ingest.platforms import OTHER_SECRET, PUBLIC, SECRET, parked_notice, subscribed, watcher
from workers.reactions import REACTIONS, TELL

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def key(cast: Cast) -> ApiKey:
    return watcher(cast.zhuji)


def test_secrets_go_in_encrypted_and_stay_out_of_the_audit(cast: Cast, key: ApiKey) -> None:
    made = subscribe(
        key=key, url=PUBLIC, kinds=["case.closed"], secret=SECRET, actor=cast.administrator, now=NOW
    )
    assert (made.kinds, made.living_secrets(now=NOW)) == (["case.closed"], [SECRET])
    event = Event.objects.get(kind="subscription.added")
    assert SECRET not in str(event.data)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM ingest_subscription")
        assert SECRET not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "http://platform.example/"}, "webhook_address"),
        ({"url": "https://127.0.0.1/"}, "webhook_address"),
        ({"kinds": []}, "subscription_kinds"),
        ({"kinds": ["case.closed", "page.read"]}, "subscription_kinds"),
        ({"secret": "whsec_c2hvcnQ="}, "webhook_secret"),
        ({"secret": "密钥"}, "webhook_secret"),
    ],
)
def test_what_is_wrong_is_said(cast: Cast, key: ApiKey, change: dict[str, object], code: str) -> None:
    asked = {"url": PUBLIC, "kinds": ["case.closed"], "secret": SECRET} | change
    with pytest.raises(Refused) as told:
        subscribe(key=key, actor=cast.administrator, now=NOW, **asked)  # type: ignore[arg-type]
    assert told.value.code == code
    assert not Subscription.objects.exists()


def test_a_key_that_may_not_read_is_not_told(cast: Cast) -> None:
    reader = ApiKey.make(name="读卡器", scopes=["reader"], now=NOW, window=cast.zhuji)[0]
    revoked = watcher(cast.zhuji)
    revoked.revoked_at = NOW
    for key in (reader, revoked):
        with pytest.raises(Refused, match="不能订阅"):
            subscribed(key)


def test_one_address_once_for_each_key(key: ApiKey) -> None:
    first = subscribed(key)
    with pytest.raises(Refused, match="已订阅"):
        subscribed(key)
    end(subscription=first, actor=SYSTEM, now=NOW)
    assert subscribed(key).pk != first.pk


def test_only_the_administrator_keeps_subscriptions(cast: Cast, key: ApiKey) -> None:
    subscription = subscribed(key)
    for stranger in (cast.clerk, cast.officer, cast.finance, cast.auditor):
        with pytest.raises(NotYours):
            rotate(subscription=subscription, secret=OTHER_SECRET, actor=stranger, now=NOW)


def test_a_replaced_secret_signs_along_until_the_overlap_is_over(key: ApiKey) -> None:
    subscription = subscribed(key)
    rotate(subscription=subscription, secret=OTHER_SECRET, actor=SYSTEM, now=NOW, overlap=timedelta(days=1))
    subscription.refresh_from_db()
    assert subscription.living_secrets(now=NOW) == [OTHER_SECRET, SECRET]
    assert subscription.old_secret_until(now=NOW) == NOW + timedelta(days=1)
    assert subscription.living_secrets(now=NOW + timedelta(days=1)) == [OTHER_SECRET]
    with pytest.raises(Refused, match="没有改动"):
        rotate(subscription=subscription, secret=OTHER_SECRET, actor=SYSTEM, now=NOW)


def test_the_overlap_may_be_ended_or_left_out(key: ApiKey) -> None:
    subscription = subscribed(key)
    rotate(subscription=subscription, secret=OTHER_SECRET, actor=SYSTEM, now=NOW)
    end_overlap(subscription=subscription, actor=SYSTEM, now=NOW)
    subscription.refresh_from_db()
    assert subscription.living_secrets(now=NOW) == [OTHER_SECRET]
    with pytest.raises(Refused, match="刷新"):
        end_overlap(subscription=subscription, actor=SYSTEM, now=NOW)
    rotate(subscription=subscription, secret=SECRET, actor=SYSTEM, now=NOW, overlap=timedelta(0))
    subscription.refresh_from_db()
    assert subscription.living_secrets(now=NOW) == [SECRET]


def test_an_ended_subscription_forgets_its_secrets_and_does_nothing_more(key: ApiKey) -> None:
    subscription = subscribed(key)
    end(subscription=subscription, actor=SYSTEM, now=NOW)
    subscription.refresh_from_db()
    assert subscription.secrets == []
    with pytest.raises(Refused, match="已终止"):
        enable(subscription=subscription, actor=SYSTEM, now=NOW)


def test_who_wants_the_kind_and_may_see_the_case_is_told(cast: Cast, key: ApiKey) -> None:
    wanted = subscribed(key, "https://platform.example/1")
    subscribed(key, "https://platform.example/2", kinds=["case.closed"])
    subscribed(watcher(cast.taizhou_window), "https://platform.example/3")
    gone = watcher(cast.zhuji)
    subscribed(gone, "https://platform.example/4")
    ApiKey.objects.filter(pk=gone.pk).update(revoked_at=NOW)
    case = open_case(cast)
    event = Event.objects.get(stream=case.number, kind="case.created")
    assert list(subscribers_of(event)) == [wanted.pk]


def test_what_is_told_names_nobody(cast: Cast) -> None:
    case = open_case(cast)
    event = Event.objects.get(stream=case.number, kind="case.created")
    assert json.loads(body_of(event)) == {
        "type": "case.created",
        "timestamp": "2026-03-10T02:00:00Z",
        "version": 1,
        "data": {
            "number": case.number,
            "state": "draft",
            "sequence": 1,
            "url": f"{settings.PUBLIC_URL}/api/v1/cases/{case.number}",
        },
    }


def test_a_notice_is_replayed_unless_it_waits_or_its_subscription_stands_still(cast: Cast) -> None:
    notice = parked_notice(open_case(cast))
    replay(notice=notice, actor=cast.administrator, now=NOW)
    with pytest.raises(Refused, match="等待下一次"):
        replay(notice=notice, actor=cast.administrator, now=NOW)
    end(subscription=notice.subscription, actor=SYSTEM, now=NOW)
    with pytest.raises(Refused, match="先恢复"):
        replay(notice=notice, actor=cast.administrator, now=NOW)
    with pytest.raises(NotYours):
        replay(notice=notice, actor=cast.clerk, now=NOW)


def test_delivered_notices_are_forgotten_after_ninety_days_and_parked_ones_never(cast: Cast) -> None:
    notice = parked_notice(open_case(cast))
    later = NOW + timedelta(days=91)
    assert forget_notices(now=later) == 0
    type(notice).objects.filter(pk=notice.pk).update(state="delivered", delivered_at=NOW)
    assert forget_notices(now=NOW + timedelta(days=89)) == 0
    assert forget_notices(now=later) == 1


def test_the_timetable_lasts_for_days_grows_and_ends() -> None:
    waits = [next_wait(attempts, 0.5) for attempts in range(1, len(WAITS) + 1)]
    known = [wait for wait in waits if wait is not None]
    assert known == sorted(known)
    assert timedelta(days=3) < sum(known, timedelta(0)) < timedelta(days=4)
    assert next_wait(len(WAITS) + 1, 0.5) is None


@pytest.mark.parametrize("attempts", range(1, len(WAITS) + 1))
def test_chance_moves_a_try_and_never_before_the_address_has_rested(attempts: int) -> None:
    early, late = next_wait(attempts, 0.0), next_wait(attempts, 0.999)
    assert early is not None
    assert late is not None
    assert rest(attempts) <= early < WAITS[attempts - 1] < late


@pytest.mark.parametrize(
    ("outcome", "days", "why"),
    [
        (Outcome.of_status(500), 0, ""),
        (Outcome.of_status(500), 5, "failing"),
        (Outcome(None, "timeout"), 6, "failing"),
        (Outcome.of_status(410), 0, "gone"),
    ],
)
def test_when_an_address_gets_nothing_any_more(outcome: Outcome, days: int, why: str) -> None:
    since = NOW - timedelta(days=days)
    assert must_disable(outcome, failing_since=since, now=NOW) == why
    assert timedelta(days=5) == DISABLED_AFTER


@pytest.mark.parametrize(
    ("status", "delivered"), [(200, True), (204, True), (302, False), (404, False), (503, False)]
)
def test_only_an_answer_of_two_hundred_and_something_means_delivered(status: int, delivered: bool) -> None:
    assert Outcome.of_status(status).delivered is delivered


def test_every_kind_has_words_and_a_state() -> None:
    assert all(words and state for words, state in KINDS.values())


def test_what_may_be_told_is_told(cast: Cast) -> None:
    told = {kind for kind, reactions in REACTIONS.items() if TELL in reactions}
    assert told == set(WORDS) == set(KINDS) | set(HANDLING_KINDS)


def test_an_act_of_an_office_names_the_office_its_state_and_the_promised_day(cast: Cast) -> None:
    case = further_on(open_case(cast), CaseState.SUBMITTED)
    case.handlings.update(state="pending")
    handling = accept(
        handling=pre_review(handling=case.handlings.get(), actor=cast.officer, now=NOW),
        actor=cast.officer,
        now=NOW,
    )
    bodies = {
        event.kind: json.loads(body_of(event))
        for event in Event.objects.filter(stream=case.number, kind__in=HANDLING_KINDS)
    }
    office = {"office": cast.taizhou.code, "name": cast.taizhou.name}
    assert bodies["handling.pre_reviewed"]["data"]["handling"] == {**office, "state": "pre_review"}
    told = bodies["handling.accepted"]
    assert told["data"]["handling"] == {**office, "state": "accepted", "deadline": str(handling.deadline)}
    assert (told["version"], told["data"]["number"]) == (1, case.number)
    assert "state" not in told["data"], "the state of a case is told by the case's own events"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("99999999999999999999", 86400),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=40), usegmt=True), 86400),
        ("Tue, 10 Mar 2026 02:10:00 -0000", 600),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("٣", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_bounded(header: str, wait: int) -> None:
    assert asked_wait(header, now=NOW) == timedelta(seconds=wait)


def test_what_a_receiver_asks_for_lengthens_a_wait_and_never_shortens_it() -> None:
    hour = timedelta(hours=1)
    assert next_wait(1, 0.5, asked=hour) == hour
    assert next_wait(len(WAITS), 0.5, asked=hour) == WAITS[-1]
    assert next_wait(len(WAITS) + 1, 0.5, asked=hour) is None, "it puts tries off and adds none"
    assert rest(1, asked=LONGEST_ASKED) == LONGEST_ASKED
    assert rest(len(WAITS), asked=timedelta(0)) <= LONGEST_REST
