"""SF: Java's URL encoding, orders that SEARCH decides on, route pushes with their repetitions."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from logistics.couriers.base import Account, Acknowledgement, Proof, RawRequest, Subscription
from logistics.couriers.errors import AnswerLost, BadAccount, BadPush, CourierSaidNo, Unreachable
from logistics.couriers.sf import Sf
from logistics.couriers.sf.codes import kind_of
from logistics.couriers.sf.digest import java_url_encode, message_digest
from logistics.rules.tracking import TrackingKind as Kind
from tests.logistics.couriers import caller, is_courier, order
from tests.logistics.listener import listening

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SECRETS = {"partner_id": "TONGBAN", "checkword": "check-C3"}


def sf(client: httpx.Client, url: str = "http://127.0.0.1:9", **options: str) -> Sf:
    account = Account(number="5712345678", credentials=SECRETS, options={"service_url": url, **options})
    adapter = Sf(account, caller(client), clock=lambda: NOW)
    is_courier(adapter)
    return adapter


class Gateway:
    """SF's end: checks the digest, keeps orders, answers as told."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.on_create: Callable[[], Acknowledgement | None] = lambda: None

    def __call__(self, raw: RawRequest) -> Acknowledgement:
        fields = raw.form()
        expected = message_digest(fields["msgData"], fields["timestamp"], SECRETS["checkword"])
        if fields["msgDigest"] != expected:
            return self._outer("A1006", {})
        wish, service = json.loads(fields["msgData"]), fields["serviceCode"]
        self.asked.append(service)
        if service == "EXP_RECE_CREATE_ORDER":
            known = wish["orderId"] in self.orders
            self.orders.setdefault(wish["orderId"], wish)
            told = self.on_create()
            return told or (
                self._inner("8016") if known else self._inner("S0000", self._order(wish["orderId"]))
            )
        if service == "EXP_RECE_SEARCH_ORDER_RESP":
            if wish["orderId"] not in self.orders:
                return self._inner("8024")
            return self._inner("S0000", self._order(wish["orderId"]))
        if service == "EXP_RECE_SEARCH_ROUTES":
            route = {"acceptTime": "2026-03-10 10:00:00", "remark": "已签收", "opCode": "80"}
            answer = {"mailNo": wish["trackingNumber"][0], "routes": [route, route]}
            return self._inner("S0000", {"routeResps": [answer]})
        return self._inner("S0000", {})

    def _order(self, reference: str) -> dict[str, Any]:
        numbers = [{"waybillType": 3, "waybillNo": "SF9"}, {"waybillType": 1, "waybillNo": "SF1000000000001"}]
        return {"orderId": reference, "filterResult": "2", "waybillNoInfoList": numbers}

    def _inner(self, code: str, data: dict[str, Any] | None = None) -> Acknowledgement:
        return self._outer("A1000", {"success": code == "S0000", "errorCode": code, "msgData": data})

    def _outer(self, code: str, data: dict[str, Any]) -> Acknowledgement:
        return Acknowledgement(
            json.dumps({"apiResultCode": code, "apiResultData": json.dumps(data)}).encode()
        )


def push(*routes: dict[str, str]) -> RawRequest:
    return RawRequest(headers={}, body=json.dumps({"Body": {"WaybillRoute": list(routes)}}).encode())


def route(code: str = "50", number: str = "SF1000000000001", **more: str) -> dict[str, str]:
    times = {"acceptTime": "2026-01-05 10:00:00", "acceptAddress": "成都市", "remark": "已收件"}
    return {"id": "1001", "mailno": number, "orderid": "CASE-0001", "opCode": code, **times, **more}


def test_the_vector_that_tells_java_from_python() -> None:
    data = '{"orderId":"CASE-0001","tel":"138****0000"}'
    assert message_digest(data, "1767578400000", "check-C3") == "+JaF+xV1bno4vzDC5r9kkA=="
    naive = hashlib.md5(quote_plus(f"{data}1767578400000check-C3").encode(), usedforsecurity=False).digest()
    assert base64.b64encode(naive) == b"XAX0XVmDp+iBEm50C8JbIg==", (
        "what Python's own encoding would have signed"
    )
    assert java_url_encode("a*b~c d") == "a*b%7Ec+d"


def test_an_order_and_its_second_click(client: httpx.Client) -> None:
    gateway = Gateway()
    with listening(gateway) as listener:
        courier = sf(client, listener.url)
        first = courier.create(order())
        assert courier.create(order()) == first
    assert first.waybill_number == "SF1000000000001"
    assert gateway.asked.count("EXP_RECE_CREATE_ORDER") == 1
    wish = gateway.orders[order().reference]
    assert (wish["payMethod"], wish["monthlyCard"]) == (2, "T-331000")


def test_a_lost_answer_is_settled_by_searching(client: httpx.Client) -> None:
    gateway = Gateway()
    gateway.on_create = lambda: Acknowledgement(b"", status=500)
    with listening(gateway) as listener:
        assert sf(client, listener.url).create(order()).waybill_number == "SF1000000000001"
    assert gateway.asked.count("EXP_RECE_CREATE_ORDER") == 1


def test_an_order_that_was_never_made_is_said_so(client: httpx.Client) -> None:
    gateway = Gateway()

    def forget() -> Acknowledgement:
        gateway.orders.clear()
        return Acknowledgement(b"", status=500)

    gateway.on_create = forget
    with listening(gateway) as listener, pytest.raises(AnswerLost):
        sf(client, listener.url).create(order())


def test_routes_cancel_and_register(client: httpx.Client) -> None:
    gateway = Gateway()
    with listening(gateway) as listener:
        courier = sf(client, listener.url)
        question = Subscription("SF1000000000001", "CASE-0001", "")
        assert [scan.kind for scan in courier.query(question).scans] == [Kind.DELIVERED]
        courier.subscribe(question)
        courier.cancel("SF1000000000001", reference=order().reference, reason="x")
    assert gateway.asked == ["EXP_RECE_SEARCH_ROUTES", "EXP_RECE_REGISTER_ROUTE", "EXP_RECE_UPDATE_ORDER"]


@pytest.mark.parametrize(("code", "fault"), [("A1005", Unreachable), ("A1006", CourierSaidNo)])
def test_limits_and_wrong_credentials(code: str, fault: type[Exception], client: httpx.Client) -> None:
    told = Acknowledgement(json.dumps({"apiResultCode": code}).encode())
    with listening(lambda raw: told) as listener, pytest.raises(fault):
        sf(client, listener.url).cancel("SF1000000000001", reference=order().reference, reason="x")


def test_a_push_of_two_waybills(client: httpx.Client) -> None:
    courier = sf(client)
    raw = push(route(), route("80", acceptTime="2026-01-06 09:00:00"), route(number="SF1000000000002"))
    assert courier.verify(raw, now=NOW) is Proof.PATH
    first, second = courier.parse_push(raw)
    assert [scan.kind for scan in first.scans] == [Kind.COLLECTED, Kind.DELIVERED]
    assert (second.waybill_number, second.reference) == ("SF1000000000002", "CASE-0001")


def test_the_same_scan_under_another_id_is_one_scan(client: httpx.Client) -> None:
    courier = sf(client)
    (report,) = courier.parse_push(push(route(), route(id="1002")))
    assert len(report.scans) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"Body":{"WaybillRoute":[]}}', b'{"Body":{"WaybillRoute":[{}]}}']
)
def test_an_unreadable_push_is_refused(body: bytes, client: httpx.Client) -> None:
    with pytest.raises(BadPush):
        sf(client).parse_push(RawRequest(headers={}, body=body))


def test_the_exact_acknowledgements(client: httpx.Client) -> None:
    courier = sf(client)
    good, bad = (courier.acknowledge(push(), accepted=taken, now=NOW) for taken in (True, False))
    assert good.body.decode() == '{"return_code":"0000","return_msg":"成功"}'
    assert json.loads(bad.body)["return_code"] == "1000"


def test_papers_filed_after_a_delivery_mean_a_loss_only_with_a_reason() -> None:
    assert (kind_of("8000"), kind_of("8000", "6"), kind_of("8000", "2")) == (
        Kind.IN_TRANSIT,
        Kind.LOST,
        Kind.DAMAGED,
    )
    assert kind_of("99") is Kind.EXCEPTION


def test_an_account_is_complete(client: httpx.Client) -> None:
    with pytest.raises(BadAccount):
        Sf(Account(number="", credentials={}), caller(client))
