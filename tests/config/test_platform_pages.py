"""平台推送 on screen: the administrator subscribes, sees what did not arrive, and brings it back."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.api import WEBHOOKS
from ingest.models import Notice, Subscription
from registry.models import ApiKey, Event
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn
from tests.ingest.platforms import OTHER_SECRET, PUBLIC, SECRET, parked_notice, subscribed, watcher


@pytest.fixture
def administrator(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.administrator)


def test_an_address_is_entered_and_its_secret_never_shown(cast: Cast, administrator: Client) -> None:
    key = watcher(cast.zhuji)
    asked = {"key": key.pk, "url": PUBLIC, "secret": SECRET, "kinds": ["case.accepted", "case.closed"]}
    page = administrator.post(reverse("subscribe_platform"), asked, follow=True).text
    for words in ("已登记", PUBLIC, "受理、归结", "省平台"):
        assert words in page
    assert SECRET not in page
    assert Subscription.objects.get().kinds == ["case.accepted", "case.closed"]


def test_a_refusal_is_said_beside_the_form_and_keeps_what_was_typed(
    cast: Cast, administrator: Client
) -> None:
    key = watcher(cast.zhuji)
    asked = {"key": key.pk, "url": "http://10.0.0.1/told", "secret": SECRET, "kinds": ["case.closed"]}
    answer = administrator.post(reverse("subscribe_platform"), asked)
    assert answer.status_code == 409
    assert "推送地址不可用" in answer.text
    assert "http://10.0.0.1/told" in answer.text
    assert SECRET not in answer.text


def test_only_keys_that_may_read_are_offered(cast: Cast, administrator: Client) -> None:
    assert "没有可以查看办件的接口密钥" in administrator.get(reverse("platforms")).text
    ApiKey.make(name="读卡器", scopes=["reader"], now=NOW, window=cast.zhuji)
    watcher(cast.zhuji)
    page = administrator.get(reverse("platforms")).text
    assert "读卡器" not in page
    assert "省平台" in page


def test_a_secret_is_changed_with_an_overlap_and_the_overlap_ended(cast: Cast, administrator: Client) -> None:
    subscription = subscribed(watcher(cast.zhuji))
    address = reverse("rotate_subscription", args=[subscription.pk])
    page = administrator.post(address, {"secret": OTHER_SECRET, "overlap": "30"}, follow=True).text
    assert "新旧同时签名" in page
    over = reverse("end_subscription_overlap", args=[subscription.pk])
    assert "只有当前密钥" in administrator.post(over, follow=True).text


def test_a_platform_that_wants_the_acts_of_offices_gets_them_without_a_new_subscription(
    cast: Cast, administrator: Client
) -> None:
    subscription = subscribed(watcher(cast.zhuji), kinds=["case.closed"])
    address = reverse("choose_subscription_kinds", args=[subscription.pk])
    page = administrator.post(address, {"kinds": ["handling.accepted", "case.closed"]}, follow=True).text
    assert "归结、环节：受理" in page
    assert Subscription.objects.get().kinds == ["case.closed", "handling.accepted"]
    assert Event.objects.get(kind="subscription.kinds_chosen").data["kinds"] == [
        "case.closed",
        "handling.accepted",
    ]
    assert administrator.post(address).status_code == 409
    assert Subscription.objects.get().kinds == ["case.closed", "handling.accepted"]


def test_what_was_parked_raises_an_alarm_and_is_brought_back(cast: Cast, administrator: Client) -> None:
    notice = parked_notice(open_case(cast))
    assert "1 条推送多次重试仍未送达" in administrator.get(reverse("platforms")).text
    log = administrator.get(reverse("notices"), {"state": "parked"}).text
    for words in (notice.message_id, "http_500", "重新推送"):
        assert words in log
    page = administrator.post(reverse("replay_notice", args=[notice.pk]), follow=True).text
    assert "已重新排队" in page
    assert Event.objects.filter(kind="notice.replayed").count() == 1


def test_more_subscriptions_take_no_more_queries(cast: Cast, administrator: Client) -> None:
    counts = []
    for more in (1, 4):
        for _ in range(more):
            subscribed(watcher(cast.zhuji, name=f"平台 {ApiKey.objects.count()}"))
        with CaptureQueriesContext(connection) as queries:
            assert administrator.get(reverse("platforms")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_disabled_subscription_says_why_and_is_enabled(cast: Cast, administrator: Client) -> None:
    subscription = parked_notice(open_case(cast)).subscription
    Subscription.objects.update(state=Subscription.State.DISABLED, disabled_for="failing")
    assert "推送已停用：连续五天没有送达" in administrator.get(reverse("platforms")).text
    page = administrator.post(reverse("enable_subscription", args=[subscription.pk]), follow=True).text
    assert "已恢复推送" in page
    assert Subscription.objects.get().state == Subscription.State.ACTIVE


def test_what_is_told_has_the_described_shape(cast: Cast) -> None:
    body = json.loads(parked_notice(open_case(cast)).body)
    described = WEBHOOKS[body["type"]]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert list(body) == described["required"]
    assert list(body["data"]) == described["properties"]["data"]["required"]


def test_an_ended_subscription_is_gone_from_the_page(cast: Cast, administrator: Client) -> None:
    subscription = subscribed(watcher(cast.zhuji))
    page = administrator.post(reverse("end_subscription", args=[subscription.pk]), follow=True).text
    assert "订阅已终止" in page
    assert PUBLIC not in page
    assert not Notice.objects.exists()
