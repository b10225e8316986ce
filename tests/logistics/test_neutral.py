"""The neutral adapter against the sandbox: a real courier process on a real socket, well-behaved and not."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from logistics.couriers.base import (
    Account,
    Acknowledgement,
    Payer,
    RawRequest,
    Retired,
    Settling,
    Subscription,
)
from logistics.couriers.errors import (
    AnswerLost,
    BadAccount,
    BadAnswer,
    BadPush,
    CourierSaidNo,
    Forged,
    Unreachable,
)
from logistics.couriers.neutral import NeutralCourier
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.server import SandboxServer
from tests.logistics.couriers import NEUTRAL, WEBHOOK_SECRET, caller, is_courier, neutral, order
from tests.logistics.listener import listening

OTHER_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


@pytest.fixture
def courier(sandbox: SandboxServer, client: httpx.Client) -> NeutralCourier:
    adapter = neutral(sandbox.url, client)
    is_courier(adapter)
    return adapter


def wish(client: httpx.Client, sandbox: SandboxServer, path: str, **body: Any) -> Any:
    answer = client.post(f"{sandbox.url}/sandbox/{path}", json=body)
    answer.raise_for_status()
    return answer.json()


def orders(sandbox: SandboxServer) -> int:
    return len(sandbox.world.shipments())


def follow(courier: NeutralCourier, number: str, url: str) -> None:
    courier.subscribe(Subscription(waybill_number=number, reference="", callback_url=url))


def test_quote_create_find_label_cancel(courier: NeutralCourier, sandbox: SandboxServer) -> None:
    assert courier.quote(order(weight_g=1001)).amount_fen == 1500
    booking = courier.create(order())
    assert booking.reference == "P2026031000001-1"
    assert courier.find("P2026031000001-1") == booking
    assert courier.find("P2026031000002-1") is None
    assert courier.label(booking.waybill_number).content.startswith(b"%PDF")
    courier.cancel(booking.waybill_number, reference=order().reference, reason="test")
    courier.cancel(booking.waybill_number, reference=order().reference, reason="again")
    found = courier.find("P2026031000001-1")
    assert found is not None
    assert found.cancelled


def test_the_same_reference_never_makes_a_second_waybill(
    courier: NeutralCourier, sandbox: SandboxServer
) -> None:
    assert courier.create(order()) == courier.create(order())
    assert orders(sandbox) == 1


@pytest.mark.parametrize("kind", ["lost_answer", "error"])
def test_a_lost_answer_never_makes_a_second_waybill(
    kind: str, courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind=kind, on="create")
    booking = courier.create(order())
    assert courier.find(order().reference) == booking
    assert orders(sandbox) == 1


def test_when_the_courier_stays_silent_the_outcome_is_unknown(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind="error", on="create", times=2)
    with pytest.raises(AnswerLost) as caught:
        courier.create(order())
    assert caught.value.can_retry
    assert orders(sandbox) == 0
    assert courier.create(order()).waybill_number


def test_a_busy_courier_is_asked_again_after_a_pause(sandbox: SandboxServer, client: httpx.Client) -> None:
    waits: list[float] = []
    account = Account(number="", credentials=NEUTRAL, options={"base_url": sandbox.url})
    courier = NeutralCourier(account, caller(client, waits=waits))
    wish(client, sandbox, "faults", kind="busy", on="create", times=2)
    assert courier.create(order()).waybill_number
    assert len(waits) == 2
    assert 0.2 <= waits[0] <= 0.4 <= waits[1] <= 0.8


def test_a_slow_courier_runs_into_our_timeout(sandbox: SandboxServer, client: httpx.Client) -> None:
    wish(client, sandbox, "faults", kind="slow", on="quote", seconds=1.5, times=5)
    with httpx.Client(timeout=0.2, trust_env=False) as impatient, pytest.raises(AnswerLost):
        neutral(sandbox.url, impatient).quote(order())


def test_nobody_listening_is_said_so(client: httpx.Client) -> None:
    with pytest.raises(Unreachable):
        neutral("http://127.0.0.1:9", client).quote(order())


def test_a_wrong_key_is_the_administrators_business(sandbox: SandboxServer, client: httpx.Client) -> None:
    with pytest.raises(CourierSaidNo, match="密钥") as caught:
        neutral(sandbox.url, client, api_key="wrong").create(order())
    assert not caught.value.can_retry


def test_another_accounts_waybill_does_not_exist(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    number = courier.create(order()).waybill_number
    wish(client, sandbox, "accounts", api_key="other", webhook_secrets=[OTHER_SECRET])
    with pytest.raises(CourierSaidNo, match="运单"):
        neutral(sandbox.url, client, api_key="other").cancel(
            number, reference=order().reference, reason="mine"
        )


def test_an_answer_of_another_shape_is_refused(client: httpx.Client) -> None:
    odd = Acknowledgement(b'{"amount_fen": ["not", "a number"]}')
    with listening(lambda raw: odd) as listener, pytest.raises(BadAnswer):
        neutral(listener.url, client).quote(order())


@pytest.mark.parametrize(
    ("credentials", "options", "missing"),
    [
        ({}, {"base_url": "http://x"}, ["api_key", "webhook_secret"]),
        (NEUTRAL, {}, ["base_url"]),
        (NEUTRAL | {"webhook_secret": "whsec_short"}, {"base_url": "http://x"}, ["webhook_secret"]),
    ],
)
def test_an_incomplete_account_names_what_is_missing(
    credentials: dict[str, str], options: dict[str, str], missing: list[str], client: httpx.Client
) -> None:
    with pytest.raises(BadAccount) as caught:
        NeutralCourier(Account(number="", credentials=credentials, options=options), caller(client))
    assert caught.value.missing == missing


def test_a_moving_parcel_is_pushed_signed_and_understood(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    number = courier.create(order()).waybill_number
    now = datetime.now(UTC)
    with listening(lambda raw: courier.acknowledge(raw, accepted=True, now=now)) as listener:
        follow(courier, number, listener.url)
        answer = wish(client, sandbox, "advance", waybill=number, to="delivered", through=True)
    assert [push["acknowledged"] for push in answer["pushes"]] == [True] * 5
    kinds = []
    for raw in listener.received:
        courier.verify(raw, now=now)
        (report,) = courier.parse_push(raw)
        assert report.waybill_number == number
        kinds += [scan.kind for scan in report.scans]
    assert kinds == ["collected", "in_transit", "arrived_city", "out_for_delivery", "delivered"]
    pulled = courier.query(Subscription(waybill_number=number, reference="", callback_url=""))
    assert [scan.kind for scan in pulled.scans] == kinds
    assert pulled.ended
    pushed = [courier.parse_push(raw)[0].scans[0].key for raw in listener.received]
    assert [scan.key for scan in pulled.scans] == pushed


def test_a_repeated_push_has_the_same_delivery_key(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    number = courier.create(order()).waybill_number
    now = datetime.now(UTC)
    with listening(lambda raw: courier.acknowledge(raw, accepted=True, now=now)) as listener:
        follow(courier, number, listener.url)
        wish(client, sandbox, "faults", kind="duplicate", on="push")
        wish(client, sandbox, "advance", waybill=number, to="collected")
        wish(client, sandbox, "advance", waybill=number, to="in_transit")
    keys = [courier.delivery_key(raw) for raw in listener.received]
    assert keys[0] == keys[1] != keys[2]


def test_a_tampered_push_is_seen(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    number = courier.create(order()).waybill_number
    now = datetime.now(UTC)
    with listening(lambda raw: courier.acknowledge(raw, accepted=False, now=now)) as listener:
        follow(courier, number, listener.url)
        wish(client, sandbox, "faults", kind="wrong_signature", on="push")
        answer = wish(client, sandbox, "advance", waybill=number, to="collected")
    assert answer["pushes"][0]["acknowledged"] is False
    with pytest.raises(Forged):
        courier.verify(listener.received[0], now=now)


def test_old_secrets_are_honoured_until_they_end(sandbox: SandboxServer, client: httpx.Client) -> None:
    now = datetime.now(UTC)
    old = Retired(credentials=NEUTRAL, until=now + timedelta(days=1))
    account = Account(
        number="",
        credentials=NEUTRAL | {"webhook_secret": OTHER_SECRET},
        options={"base_url": sandbox.url},
        retired=(old,),
    )
    courier = NeutralCourier(account, caller(client))
    assert account.accepted("webhook_secret", now=now) == [OTHER_SECRET, WEBHOOK_SECRET]
    number = courier.create(order()).waybill_number
    with listening(lambda raw: courier.acknowledge(raw, accepted=True, now=now)) as listener:
        follow(courier, number, listener.url)
        wish(client, sandbox, "advance", waybill=number, to="collected")
    courier.verify(listener.received[0], now=datetime.now(UTC))
    with pytest.raises(Forged, match="签名"):
        courier.verify(listener.received[0], now=now + timedelta(days=1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"type":"tracking.updated"}',
        b'{"type":"x","timestamp":"2026-03-10T00:00:00Z","data":{}}',
    ],
)
def test_an_unreadable_push_is_refused_without_its_content(body: bytes, courier: NeutralCourier) -> None:
    with pytest.raises(BadPush):
        courier.parse_push(RawRequest(headers={}, body=body))


def test_a_push_with_a_wall_clock_time_without_zone_is_refused(courier: NeutralCourier) -> None:
    event = {"id": "e1", "kind": "collected", "at": "2026-03-10T10:00:00", "words": "张三"}
    push = {
        "type": "tracking.updated",
        "timestamp": "2026-03-10T02:00:00Z",
        "data": {"waybill": "1012345678901", "events": [event]},
    }
    with pytest.raises(BadPush) as caught:
        courier.parse_push(RawRequest(headers={}, body=json.dumps(push).encode()))
    assert "张三" not in str(caught.value)


def test_charges_of_a_month_over_several_pages(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    for number in range(103):
        booking = courier.create(order(f"P{number:05d}-1"))
        wish(
            client,
            sandbox,
            "advance",
            waybill=booking.waybill_number,
            to="collected",
            at="2026-03-10T02:00:00Z",
        )
    lines = courier.fetch_charges(date(2026, 3, 1))
    assert len({line.waybill_number for line in lines}) == len(lines) == 103
    assert {line.amount_fen for line in lines} == {1200}
    assert {(line.payer, line.settling) for line in lines} == {(Payer.RECEIVER, Settling.MONTHLY)}
    assert courier.fetch_charges(date(2026, 4, 1)) == []


def test_a_reversed_delivery_is_a_reversal_of_that_scan(
    courier: NeutralCourier, sandbox: SandboxServer, client: httpx.Client
) -> None:
    number = courier.create(order()).waybill_number
    wish(client, sandbox, "advance", waybill=number, to="delivered", through=True)
    wish(client, sandbox, "advance", waybill=number, to="reverse")
    scans = courier.query(Subscription(waybill_number=number, reference="", callback_url="")).scans
    assert scans[-1].kind is TrackingKind.REVERSAL
    assert scans[-1].reverses_key == scans[-2].key


def test_secrets_and_people_do_not_show_in_representations() -> None:
    account = Account(number="T-331000", credentials=NEUTRAL, options={})
    text = repr(account) + repr(order()) + repr(RawRequest(headers={"x": "secret"}, body=b"secret"))
    for hidden in (NEUTRAL["api_key"], WEBHOOK_SECRET, "87000000", "艮塔西路", "secret"):
        assert hidden not in text
