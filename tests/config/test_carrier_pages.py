"""The administrator changes a courier's secrets without losing a push, and never sees one."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from logistics.models import CarrierAccount
from registry.models import Event, User
from tests.cast import assemble
from tests.logistics.couriers import API_KEY, NEUTRAL, WEBHOOK_SECRET
from tests.logistics.road import neutral_account

pytestmark = pytest.mark.django_db
FRESH = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


@pytest.fixture
def account() -> CarrierAccount:
    return neutral_account(assemble(), "http://127.0.0.1:9")


@pytest.fixture
def administrator(account: CarrierAccount) -> Client:
    client = Client()
    client.force_login(User.objects.get(username="administrator"))
    return client


def honoured(account: CarrierAccount, *, days: float = 0) -> list[str]:
    stored = CarrierAccount.objects.get(pk=account.pk)
    return stored.opened().accepted("webhook_secret", now=timezone.now() + timedelta(days=days))


def rotate(client: Client, account: CarrierAccount, **told: str) -> str:
    answer = client.post(f"/system/carriers/{account.pk}/secrets/", told, follow=True)
    return answer.content.decode()


def test_both_secrets_are_honoured_for_the_overlap_and_none_is_shown(
    account: CarrierAccount, administrator: Client
) -> None:
    said = rotate(administrator, account, webhook_secret=FRESH, api_key="", overlap="7")
    assert "新密钥已启用" in said
    assert "新旧并用" in said
    for secret in (FRESH, WEBHOOK_SECRET, API_KEY, account.path_token, account.number):
        assert secret not in said
    assert honoured(account) == [FRESH, WEBHOOK_SECRET]
    assert honoured(account, days=6.9) == [FRESH, WEBHOOK_SECRET]
    assert honoured(account, days=7.1) == [FRESH]
    event = Event.objects.get(kind="carrier_account.rotated")
    assert event.data["changed"] == ["webhook_secret"]
    assert FRESH not in str(event.data)
    assert CarrierAccount.objects.get().opened().credentials["api_key"] == API_KEY, (
        "what was left empty stays"
    )


def test_the_overlap_ends_early_when_the_courier_changed_over(
    account: CarrierAccount, administrator: Client
) -> None:
    rotate(administrator, account, webhook_secret=FRESH, overlap="30")
    ended = administrator.post(f"/system/carriers/{account.pk}/overlap/", follow=True)
    assert "旧密钥已停用" in ended.content.decode()
    assert honoured(account) == [FRESH]
    assert honoured(account, days=-0.001) == [FRESH, WEBHOOK_SECRET], (
        "what came in before is judged as of then"
    )
    again = administrator.post(f"/system/carriers/{account.pk}/overlap/")
    assert again.status_code == 409
    assert "没有仍在使用的旧密钥" in again.content.decode()


def test_a_secret_that_became_known_ends_at_once(account: CarrierAccount, administrator: Client) -> None:
    rotate(administrator, account, webhook_secret=FRESH, overlap="7")
    third = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5"
    rotate(administrator, account, webhook_secret=third, overlap="0")
    assert honoured(account) == [third]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "没有填写新的密钥"),
        ({"webhook_secret": NEUTRAL["webhook_secret"]}, "没有填写新的密钥"),
        ({"webhook_secret": "whsec_short"}, "承运商账户配置不完整"),
    ],
)
def test_what_cannot_work_changes_nothing(
    told: dict[str, str], words: str, account: CarrierAccount, administrator: Client
) -> None:
    assert words in rotate(administrator, account, overlap="7", **told)
    assert honoured(account) == [WEBHOOK_SECRET]
    assert not Event.objects.filter(kind="carrier_account.rotated").exists()


def change_path(client: Client, account: CarrierAccount, **told: str) -> str:
    told = {"replaces": account.path_digest, "overlap": "30", **told}
    return client.post(f"/system/carriers/{account.pk}/path/", told).content.decode()


def test_a_new_push_address_is_shown_once_and_the_old_one_is_watched(
    account: CarrierAccount, administrator: Client
) -> None:
    said = change_path(administrator, account)
    fresh = CarrierAccount.objects.get().path_token
    assert f"/api/v1/webhooks/couriers/{fresh}" in said
    assert "更换后还没有从旧路径收到推送" in said
    again = administrator.get("/system/carriers/").content.decode()
    assert fresh not in again
    assert account.path_token not in again
    twice = administrator.post(f"/system/carriers/{account.pk}/path/", {"replaces": account.path_digest})
    assert twice.status_code == 409
    assert "推送路径已更换过" in twice.content.decode()
    ended = administrator.post(f"/system/carriers/{account.pk}/path/end/", follow=True).content.decode()
    assert "旧推送路径已停用" in ended


def test_addresses_are_kept_and_a_slip_of_the_pen_is_pointed_out(
    account: CarrierAccount, administrator: Client
) -> None:
    address = f"/system/carriers/{account.pk}/addresses/"
    wrong = administrator.post(address, {"addresses": "203.0.113"})
    assert wrong.status_code == 409
    assert "来源地址应为 IP 或网段" in wrong.content.decode()
    right = administrator.post(address, {"addresses": "203.0.113.5\r\n198.51.100.0/24\r\n"}, follow=True)
    assert "来源地址已更新" in right.content.decode()
    assert CarrierAccount.objects.get().allowed_addresses == ["198.51.100.0/24", "203.0.113.5/32"]
    assert ">198.51.100.0/24\n203.0.113.5/32</textarea>" in right.content.decode()
    assert ">203.0.113</textarea>" in wrong.content.decode(), "what was typed is not lost"
