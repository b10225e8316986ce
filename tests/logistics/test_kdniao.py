"""kdniao: the reference's vector, values encoded twice, full snapshots."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from logistics.couriers.base import Account, Acknowledgement, RawRequest, Retired, Subscription
from logistics.couriers.errors import BadAccount, BadPush, CourierSaidNo, Forged
from logistics.couriers.kdniao import Kdniao
from logistics.couriers.kdniao.adapter import data_sign
from logistics.couriers.kdniao.codes import kind_of
from logistics.rules.tracking import TrackingKind as Kind
from tests.logistics.couriers import caller, is_courier
from tests.logistics.listener import listening

NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
SECRETS = {"customer_id": "T0001", "app_key": "key-B2"}
VECTOR = '{"EBusinessID":"T0001","PushTime":"2026-01-05 10:00:00","Count":"1","Data":[]}'
QUESTION = Subscription("1012345678901", "P1-1", "", company="ems", phone_tail="0000")


def kdniao(client: httpx.Client, url: str = "http://127.0.0.1:9", **more: Any) -> Kdniao:
    account = Account(
        number="", credentials=SECRETS, options={"subscribe_url": url, "query_url": url}, **more
    )
    adapter = Kdniao(account, caller(client))
    is_courier(adapter)
    return adapter


def tracked(**more: Any) -> dict[str, Any]:
    traces = [
        {"AcceptTime": "2026-01-05 09:00:00", "AcceptStation": "已揽收", "Action": "1"},
        {"AcceptTime": "2026-01-05 10:00:00", "AcceptStation": "派送 100%+1 中", "Action": "202"},
    ]
    return {
        "LogisticCode": "1012345678901",
        "Success": True,
        "State": "2",
        "StateEx": "202",
        "Traces": traces,
        **more,
    }


def push(content: Any, *, key: str = "key-B2", twice: bool = False) -> RawRequest:
    data = content if isinstance(content, str) else json.dumps({"Data": content}, ensure_ascii=False)
    fields = {"RequestData": data, "RequestType": "102", "DataSign": data_sign(data, key)}
    if twice:
        fields = {name: quote(value) for name, value in fields.items()}
    return RawRequest(headers={}, body=urlencode(fields).encode())


def test_the_vector_of_the_reference(client: httpx.Client) -> None:
    assert data_sign(VECTOR, "key-B2") == "M2E0YjgyODg4OTFlYzg0YzUyNjA4MGQ0NTJlMjMxNGI="
    kdniao(client).verify(push(VECTOR), now=NOW)
    assert kdniao(client).parse_push(push(VECTOR)) == []


@pytest.mark.parametrize("twice", [False, True])
def test_values_encoded_once_or_twice(twice: bool, client: httpx.Client) -> None:
    raw = push([tracked()], twice=twice)
    courier = kdniao(client)
    courier.verify(raw, now=NOW)
    (report,) = courier.parse_push(raw)
    assert [scan.kind for scan in report.scans] == [Kind.COLLECTED, Kind.OUT_FOR_DELIVERY]
    assert report.scans[1].words == "派送 100%+1 中"
    assert report.scans[1].at == NOW
    assert report.snapshot


def test_only_the_key_signs(client: httpx.Client) -> None:
    with pytest.raises(Forged):
        kdniao(client).verify(push([tracked()], key="other"), now=NOW)
    for body in (b"", b"RequestData=x", b"\xff"):
        with pytest.raises(Forged):
            kdniao(client).verify(RawRequest(headers={}, body=body), now=NOW)
    old = Retired(credentials={"app_key": "other"}, until=NOW + timedelta(days=1))
    kdniao(client, retired=(old,)).verify(push([tracked()], key="other"), now=NOW)


def test_the_exact_acknowledgement(client: httpx.Client) -> None:
    told = kdniao(client).acknowledge(push(VECTOR), accepted=True, now=NOW)
    assert (
        told.body == b'{"EBusinessID":"T0001","UpdateTime":"2026-01-05 10:00:00","Success":true,"Reason":""}'
    )


def test_without_states_per_line_the_newest_has_the_state_of_the_list(client: httpx.Client) -> None:
    traces = [{"AcceptTime": "2026-01-05 09:00:00", "AcceptStation": "a"}]
    (report,) = kdniao(client).parse_push(push([tracked(Traces=traces, State="3", StateEx="")]))
    assert [scan.kind for scan in report.scans] == [Kind.DELIVERED]
    assert report.ended


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("311", Kind.DELIVERED),
        ("399", Kind.DELIVERED),
        ("404", Kind.REFUSED),
        ("299", Kind.IN_TRANSIT),
        ("x", Kind.EXCEPTION),
    ],
)
def test_states(code: str, kind: Kind) -> None:
    assert kind_of(code) is kind


@pytest.mark.parametrize("content", ["", "{}", '{"Data":[{}]}', '{"Data":[{"LogisticCode":""}]}'])
def test_an_unreadable_push_is_refused(content: str, client: httpx.Client) -> None:
    with pytest.raises(BadPush):
        kdniao(client).parse_push(push(content))


def test_subscribing_and_asking(client: httpx.Client) -> None:
    asked: list[dict[str, str]] = []

    def vendor(raw: RawRequest) -> Acknowledgement:
        fields = raw.form()
        assert fields["DataSign"] == data_sign(fields["RequestData"], "key-B2")
        asked.append(fields)
        good = {"Success": True} if fields["RequestType"] == "8008" else tracked()
        return Acknowledgement(json.dumps(good).encode())

    with listening(vendor) as listener:
        courier = kdniao(client, listener.url)
        courier.subscribe(QUESTION)
        assert len(courier.query(QUESTION).scans) == 2
        listener.answer = lambda raw: Acknowledgement(b'{"Success":false,"LogisticCode":"1012345678901"}')
        with pytest.raises(CourierSaidNo):
            courier.subscribe(QUESTION)
        with pytest.raises(CourierSaidNo):
            courier.query(QUESTION)
    assert [fields["RequestType"] for fields in asked] == ["8008", "8002"]
    assert json.loads(asked[0]["RequestData"])["ShipperCode"] == "EMS"


def test_an_account_is_complete(client: httpx.Client) -> None:
    with pytest.raises(BadAccount):
        Kdniao(Account(number="", credentials={}), caller(client))
