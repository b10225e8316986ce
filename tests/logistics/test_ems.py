"""EMS: the documentation's envelope, reversals by code, orders that are never repeated blindly."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st

from logistics.couriers.base import Account, Acknowledgement, RawRequest, Retired, Subscription
from logistics.couriers.ems import Ems
from logistics.couriers.ems.codes import VOIDS, kind_of, voided_by
from logistics.couriers.ems.envelope import key_bytes, seal, unseal
from logistics.couriers.errors import (
    BadAccount,
    BadPush,
    CourierSaidNo,
    FateUnknown,
    Forged,
    NotOffered,
    Unreachable,
)
from logistics.rules.tracking import TrackingKind as Kind
from logistics.rules.tracking import whereabouts
from tests.logistics.couriers import caller, is_courier, order
from tests.logistics.listener import Listener, listening

KEY = "TvaBgrhE46sft3nZlfe7xw=="
OTHER_KEY = "AAECAwQFBgcICQoLDA0ODw=="
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SECRETS = {"key": KEY, "authorization": "auth"}


def ems(client: httpx.Client, url: str = "http://127.0.0.1:9", **more: Any) -> Ems:
    account = Account(
        number="90000000000", credentials=more.pop("credentials", SECRETS), options={"base_url": url}, **more
    )
    adapter = Ems(account, caller(client), clock=lambda: NOW)
    is_courier(adapter)
    return adapter


def push(content: dict[str, str], *, key: str = KEY, suffix: bool = False) -> RawRequest:
    """A push as EMS sends it: `suffix` with the key text behind the JSON, as our own requests have it."""
    text = json.dumps(content, ensure_ascii=False)
    sealed = seal(text, key) if suffix else seal_bare(text, key)
    body = {"logitcsInterface": sealed, "method": "040002", "serialNo": "0f" * 16, "senderNo": "90000000000"}
    return RawRequest(headers={}, body=json.dumps(body).encode())


def seal_bare(text: str, key: str) -> str:
    padder = PKCS7(128).padder()
    encryptor = Cipher(SM4(key_bytes(key)), ECB()).encryptor()
    padded = padder.update(text.encode()) + padder.finalize()
    return "|$4|" + base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def scan(code: str, time: str = "2026-03-10 10:00:00", **more: str) -> dict[str, str]:
    return {"waybillNo": "1012345678901", "opCode": code, "opTime": time, "opDesc": "邮件", **more}


def replies(courier: Callable[[dict[str, Any]], Any]) -> Callable[[RawRequest], Acknowledgement]:
    """EMS's end: opens the envelope, answers what the test says."""

    def answer(raw: RawRequest) -> Acknowledgement:
        fields = raw.form()
        assert fields["authorization"] == "auth"
        assert fields["timeStamp"] == "2026-03-10 10:00:00"
        wish = json.loads(unseal(fields["logitcsInterface"], KEY))
        told = courier({"api": fields["apiCode"], "wish": wish})
        if isinstance(told, Acknowledgement):
            return told
        code, content = told
        return Acknowledgement(json.dumps({"retCode": code, "retBody": json.dumps(content)}).encode())

    return answer


def test_the_envelope_of_the_documentation() -> None:
    sealed = seal('{"language":"zh-CN","orderId":"QIAO-20200618-004"}', KEY)
    assert sealed == (
        "|$4|efB6PnjDpgHG4xfrvYlXonyBuMJoGTynkfasopHvbl2u3nmNeP+rznA3DyRwb/2GeZL7I3rL6HKD5+Tv3Uy6x8jIDISbYG8Bg14caH2flYE="
    )
    assert unseal(sealed, KEY) == '{"language":"zh-CN","orderId":"QIAO-20200618-004"}'


@given(st.text(max_size=200))
def test_what_is_sealed_can_be_opened(text: str) -> None:
    assert unseal(seal(text, OTHER_KEY), OTHER_KEY) == text


def test_a_push_is_read_with_and_without_the_key_suffix(client: httpx.Client) -> None:
    courier = ems(client)
    for raw in (push(scan("704")), push(scan("704"), suffix=True)):
        courier.verify(raw, now=NOW)
        (report,) = courier.parse_push(raw)
        assert report.waybill_number == "1012345678901"
        assert report.scans[0].kind is Kind.DELIVERED
        assert report.scans[0].at == NOW


def test_another_key_is_a_forgery_and_an_old_one_is_honoured(client: httpx.Client) -> None:
    with pytest.raises(Forged):
        ems(client).verify(push(scan("704"), key=OTHER_KEY), now=NOW)
    old = Retired(credentials={"key": OTHER_KEY}, until=NOW + timedelta(days=1))
    rotated = ems(client, retired=(old,))
    rotated.verify(push(scan("704"), key=OTHER_KEY), now=NOW)
    with pytest.raises(Forged):
        rotated.verify(push(scan("704"), key=OTHER_KEY), now=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"logitcsInterface":"|$4|AAAA"}', b'{"logitcsInterface":"x"}']
)
def test_what_is_no_envelope_is_a_forgery(body: bytes, client: httpx.Client) -> None:
    with pytest.raises(Forged):
        ems(client).verify(RawRequest(headers={}, body=body), now=NOW)


def test_a_time_that_cannot_be_read_is_refused(client: httpx.Client) -> None:
    with pytest.raises(BadPush):
        ems(client).parse_push(push(scan("704", time="昨天")))


def test_the_exact_acknowledgement(client: httpx.Client) -> None:
    courier, raw = ems(client), push(scan("704"))
    good = json.loads(courier.acknowledge(raw, accepted=True, now=NOW).body)
    assert good == {"serialNo": "0f" * 16, "code": "00000", "codeMessage": "", "senderNo": "90000000000"}
    assert json.loads(courier.acknowledge(raw, accepted=False, now=NOW).body)["code"] == "S00001"


def test_743_undoes_704(client: httpx.Client) -> None:
    courier = ems(client)
    pushes = [
        scan("702", "2026-03-10 09:00:00"),
        scan("704", "2026-03-10 10:00:00"),
        scan("743", "2026-03-10 11:00:00"),
    ]
    for order_of_arrival in (pushes, pushes[::-1]):
        scans = [courier.parse_push(push(one))[0].scans[0] for one in order_of_arrival]
        said = whereabouts(scans)
        assert said is not None
        assert said[0] is Kind.OUT_FOR_DELIVERY


def test_reversals_of_the_reference() -> None:
    assert voided_by("304") == ("303", "336", "345")
    assert voided_by("EDAD") == ("EDA",)
    assert voided_by("704") == ()
    assert all(kind_of(code) is Kind.REVERSAL for code in VOIDS)
    assert (kind_of("705"), kind_of("705", attempt="7")) == (Kind.FAILED_ATTEMPT, Kind.REFUSED)
    assert kind_of("999") is Kind.IN_TRANSIT


def created(ask: dict[str, Any]) -> Any:
    (wish,) = ask["wish"]
    return "00000", {
        "logisticsOrderNo": wish["logisticsOrderNo"],
        "waybillNo": "1012345678901,1",
        "routeCode": "A-1",
    }


def test_an_order_to_be_paid_by_the_receiver(client: httpx.Client) -> None:
    asked: list[dict[str, Any]] = []

    def office(ask: dict[str, Any]) -> Any:
        asked.append(ask)
        return created(ask)

    with listening(replies(office)) as listener:
        booking = ems(client, listener.url).create(order())
    assert (booking.waybill_number, booking.routing) == ("1012345678901", {"route_code": "A-1"})
    (ask,) = asked
    (wish,) = ask["wish"]
    assert (ask["api"], wish["paymentMode"], wish["bizProductNo"]) == ("020003", "4", "3")
    assert (wish["weight"], wish["receiver"]["prov"]) == ("320", "浙江省")


@pytest.mark.parametrize("told", [Acknowledgement(b"", status=500), ("S00001", {})])
def test_an_order_with_a_lost_answer_is_not_repeated(told: Any, client: httpx.Client) -> None:
    with listening(replies(lambda ask: told)) as listener:
        with pytest.raises(FateUnknown, match="登记运单号") as caught:
            ems(client, listener.url).create(order())
        assert len(listener.received) == 1
    assert not caught.value.can_retry
    assert not ems(client).creates_once


def test_other_calls(client: httpx.Client) -> None:
    told: dict[str, Any] = {
        "050005": {"totalFee": "15.50"},
        "020006": {},
        "040001": {"responseItems": [scan("203"), scan("203"), scan("704", "2026-03-10 12:00:00")]},
        "010004": {"data": "JVBERi0xLjQ="},
    }
    with listening(replies(lambda ask: ("00000", told[ask["api"]]))) as listener:
        courier = ems(client, listener.url)
        assert courier.quote(order()).amount_fen == 1550
        courier.cancel("1012345678901", reference=order().reference, reason="x")
        assert courier.label("1012345678901").content == b"%PDF-1.4"
        report = courier.query(Subscription("1012345678901", "", ""))
        assert [one.kind for one in report.scans] == [Kind.COLLECTED, Kind.DELIVERED]
    for call in (lambda: courier.find("x"), lambda: courier.fetch_charges(date(2026, 3, 1))):
        with pytest.raises(NotOffered):
            call()


def _answering(listener: Listener, code: str) -> None:
    listener.answer = replies(lambda ask: (code, {}))


def test_busy_and_no(client: httpx.Client) -> None:
    with listening(replies(lambda ask: ("S00001", {}))) as listener:
        with pytest.raises(Unreachable):
            ems(client, listener.url).cancel("1012345678901", reference=order().reference, reason="x")
        _answering(listener, "B00001")
        with pytest.raises(CourierSaidNo, match="B00001"):
            ems(client, listener.url).cancel("1012345678901", reference=order().reference, reason="x")


@pytest.mark.parametrize("credentials", [{}, SECRETS | {"key": "short"}, {"key": KEY}])
def test_an_account_is_complete(credentials: dict[str, str], client: httpx.Client) -> None:
    with pytest.raises(BadAccount):
        ems(client, credentials=credentials)
