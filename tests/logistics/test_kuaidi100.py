"""kuaidi100: the reference's vector, a real push of another project, and the sandbox that plays it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest

from logistics.couriers.base import Account, RawRequest, Report, Retired, Subscription
from logistics.couriers.errors import BadAccount, BadPush, CourierSaidNo, Forged, NotOffered
from logistics.couriers.kuaidi100 import Kuaidi100
from logistics.couriers.kuaidi100.adapter import push_sign
from logistics.couriers.kuaidi100.codes import KINDS, kind_of
from logistics.rules.tracking import TrackingKind as Kind
from logistics.rules.tracking import whereabouts
from logistics.sandbox.server import SandboxServer
from tests.logistics.couriers import KUAIDI100, caller, is_courier, kuaidi100, order
from tests.logistics.listener import listening
from tests.shared import shared

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
PARAM = '{"status":"polling","lastResult":{"state":"0","com":"ems","nu":"1012345678901","data":[]}}'
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def courier(sandbox: SandboxServer, client: httpx.Client) -> Kuaidi100:
    adapter = kuaidi100(sandbox.url, client)
    is_courier(adapter)
    return adapter


def push(param: str, *, salt: str = "salt-A1", sign: str | None = None) -> RawRequest:
    fields = {"param": param, "sign": push_sign(param, salt) if sign is None else sign}
    return RawRequest(headers={}, body=urlencode(fields).encode())


def wrapped(listing: dict[str, Any], **more: Any) -> RawRequest:
    return push(json.dumps({"status": "polling", "lastResult": listing, **more}, ensure_ascii=False))


def line(time: str, words: str, code: str = "") -> dict[str, str]:
    return {"time": time, "ftime": time, "context": words, "statusCode": code}


def only(courier: Kuaidi100, raw: RawRequest) -> Report:
    (report,) = courier.parse_push(raw)
    return report


def wish(client: httpx.Client, sandbox: SandboxServer, path: str, **body: Any) -> Any:
    answer = client.post(f"{sandbox.url}/sandbox/{path}", json=body)
    answer.raise_for_status()
    return answer.json()


def question(url: str, number: str = "1012345678901", company: str = "ems") -> Subscription:
    return Subscription(
        waybill_number=number, reference="", callback_url=url, company=company, phone_tail="0000"
    )


def test_the_vector_of_the_reference(courier: Kuaidi100) -> None:
    assert push_sign(PARAM, "salt-A1") == "61B68913A2B33EE20CE6930B10315A6A"
    courier.verify(push(PARAM), now=NOW)
    report = only(courier, push(PARAM))
    assert (report.waybill_number, report.scans, report.snapshot) == ("1012345678901", (), False)


@pytest.mark.parametrize(
    "raw",
    [
        push(PARAM, salt="salt-A2"),
        push(PARAM, sign=""),
        push(PARAM, sign=push_sign(PARAM, "salt-A1").lower()),
        push(PARAM, sign="签名"),
        RawRequest(headers={}, body=urlencode({"param": PARAM}).encode()),
        RawRequest(headers={}, body=b"\xff\xfe"),
        RawRequest(headers={}, body=b""),
    ],
)
def test_anything_but_the_right_sign_is_forged(raw: RawRequest, courier: Kuaidi100) -> None:
    with pytest.raises(Forged):
        courier.verify(raw, now=NOW)


def test_the_sign_is_over_the_value_as_it_came(courier: Kuaidi100) -> None:
    spaced = '{"status": "polling",  "lastResult": {"nu": "1012345678901", "message": "签收 100%+1"}}'
    courier.verify(push(spaced), now=NOW)


def test_an_old_salt_is_honoured_until_it_ends(client: httpx.Client) -> None:
    retired = Retired(credentials=KUAIDI100, until=NOW + timedelta(days=30))
    account = Account(number="", credentials=KUAIDI100 | {"salt": "salt-new"}, retired=(retired,))
    courier = Kuaidi100(account, caller(client))
    courier.verify(push(PARAM), now=NOW)
    courier.verify(push(PARAM, salt="salt-new"), now=NOW)
    with pytest.raises(Forged):
        courier.verify(push(PARAM), now=NOW + timedelta(days=30))


def test_the_exact_acknowledgement_bodies(courier: Kuaidi100) -> None:
    good = courier.acknowledge(push(PARAM), accepted=True, now=NOW)
    assert (good.status, good.body.decode()) == (200, '{"result":true,"returnCode":"200","message":"成功"}')
    assert json.loads(courier.acknowledge(push(PARAM), accepted=False, now=NOW).body)["result"] is False


def test_a_real_push_of_another_project(courier: Kuaidi100) -> None:
    param = (shared("samples", "courier") / "kuaidi100-push-param.json").read_text("utf-8")
    report = only(courier, push(param))
    assert report.waybill_number == "YT6186594166532"
    assert [scan.kind for scan in report.scans] == [
        Kind.IN_TRANSIT,
        Kind.IN_TRANSIT,
        Kind.IN_TRANSIT,
        Kind.COLLECTED,
    ]
    assert report.scans[0].at == datetime(2021, 12, 15, 20, 15, 14, tzinfo=SHANGHAI)
    assert report.scans[0].place == "江苏,苏州市"
    assert report.snapshot


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("1", Kind.COLLECTED),
        ("101", Kind.ORDERED),
        ("1001", Kind.ARRIVED_CITY),
        ("1009", Kind.IN_TRANSIT),
        ("501", Kind.AT_LOCKER),
        ("304", Kind.DELIVERED),
        ("399", Kind.DELIVERED),
        ("14", Kind.REFUSED),
        ("203", Kind.REFUSED),
        ("299", Kind.EXCEPTION),
        ("77", Kind.EXCEPTION),
        ("", Kind.EXCEPTION),
        ("签收", Kind.EXCEPTION),
    ],
)
def test_states_and_how_unknown_ones_fall_back(code: str, kind: Kind) -> None:
    assert kind_of(code) is kind


def test_every_state_of_the_table_is_known() -> None:
    table = (
        "1 101 102 103 0 1001 1002 1003 5 501 3 301 302 303 304 6 4 401 14 7 2 201 202 203 204 205 206 207"
    )
    table += " 208 209 210 8 10 11 12 13"
    assert set(KINDS) == set(table.split())


def test_without_advanced_states_the_newest_line_has_the_state_of_the_list(courier: Kuaidi100) -> None:
    lines = [line("2026-03-10 10:00:00", "已签收"), line("2026-03-09 10:00:00", "已揽收")]
    report = only(courier, wrapped({"nu": "1012345678901", "state": "3", "data": lines}))
    assert [scan.kind for scan in report.scans] == [Kind.DELIVERED, Kind.IN_TRANSIT]


def test_a_line_keeps_its_key_when_its_area_is_filled_in_later(courier: Kuaidi100) -> None:
    bare = line("2026-03-10 10:00:00", "到达", "1001")
    first = only(courier, wrapped({"nu": "1012345678901", "data": [bare]}))
    later = only(courier, wrapped({"nu": "1012345678901", "data": [bare | {"areaName": "浙江,台州市"}]}))
    assert first.scans[0].key == later.scans[0].key


def test_giving_up_asks_for_a_new_subscription(courier: Kuaidi100) -> None:
    report = only(
        courier, wrapped({"nu": "1012345678901", "data": None}, status="abort", message="3天查询无记录")
    )
    assert report.ended
    assert report.resubscribe
    assert report.scans == ()


def test_a_corrected_company_is_not_giving_up(courier: Kuaidi100) -> None:
    listing = {"nu": "1012345678901", "com": "ems", "data": []}
    report = only(courier, wrapped(listing, status="abort", autoCheck="0", comNew="youzhengguonei"))
    assert (report.company, report.ended, report.resubscribe) == ("youzhengguonei", False, False)
    over = only(
        courier, wrapped(listing, status="abort", autoCheck="1", comOld="ems", comNew="youzhengguonei")
    )
    assert over.resubscribe


@pytest.mark.parametrize(
    "param",
    [
        "",
        "[]",
        "{}",
        '{"status":"polling"}',
        '{"status":"polling","lastResult":{"nu":"1","data":[{"ftime":"昨天","context":"x"}]}}',
        '{"status":"polling","lastResult":{"nu":"1","data":"x"}}',
        '{"status":"polling","lastResult":"x"}',
    ],
)
def test_an_unreadable_push_is_refused(param: str, courier: Kuaidi100) -> None:
    with pytest.raises(BadPush):
        courier.parse_push(push(param))


def test_subscribe_and_be_told(courier: Kuaidi100, sandbox: SandboxServer, client: httpx.Client) -> None:
    wish(client, sandbox, "shipments", number="1012345678901", company="ems")
    now = datetime.now(UTC)
    with listening(lambda raw: courier.acknowledge(raw, accepted=True, now=now)) as listener:
        courier.subscribe(question(listener.url))
        courier.subscribe(question(listener.url))  # 501: already followed
        answer = wish(client, sandbox, "advance", waybill="1012345678901", to="delivered", through=True)
    assert [outcome["acknowledged"] for outcome in answer["pushes"]] == [True] * 5
    for raw in listener.received:
        courier.verify(raw, now=now)
    reports = [only(courier, raw) for raw in listener.received]
    assert [len(report.scans) for report in reports] == [1, 2, 3, 4, 5]
    assert reports[-1].ended
    said = whereabouts(reports[-1].scans)
    assert said is not None
    assert said[0] is Kind.DELIVERED


def test_a_push_answered_with_the_wrong_body_counts_as_not_taken(
    courier: Kuaidi100, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "shipments", number="1012345678901")
    with listening(lambda raw: courier.acknowledge(raw, accepted=False, now=NOW)) as listener:
        courier.subscribe(question(listener.url))
        answer = wish(client, sandbox, "advance", waybill="1012345678901", to="collected")
    assert answer["pushes"][0]["status"] == 200
    assert answer["pushes"][0]["acknowledged"] is False


def test_the_wrong_company_is_corrected(
    courier: Kuaidi100, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "shipments", number="1012345678901", company="ems")
    with listening(lambda raw: courier.acknowledge(raw, accepted=True, now=NOW)) as listener:
        courier.subscribe(question(listener.url, company="shunfeng"))
        wish(client, sandbox, "advance", waybill="1012345678901", to="collected")
        wish(client, sandbox, "advance", waybill="1012345678901", to="in_transit")
    reports = [only(courier, raw) for raw in listener.received]
    assert [(report.company, len(report.scans)) for report in reports] == [("ems", 0), ("ems", 1), ("ems", 2)]


def test_asking_instead_of_waiting(courier: Kuaidi100, sandbox: SandboxServer, client: httpx.Client) -> None:
    wish(client, sandbox, "shipments", number="1012345678901")
    assert courier.query(question("")).scans == ()
    wish(client, sandbox, "advance", waybill="1012345678901", to="collected")
    report = courier.query(question(""))
    assert [scan.kind for scan in report.scans] == [Kind.COLLECTED]
    assert report.snapshot


def test_a_wrong_key_is_the_administrators_business(sandbox: SandboxServer, client: httpx.Client) -> None:
    stranger = kuaidi100(sandbox.url, client, credentials=KUAIDI100 | {"key": "wrong"})
    with pytest.raises(CourierSaidNo, match="授权"):
        stranger.subscribe(question("http://127.0.0.1:1/"))
    with pytest.raises(CourierSaidNo):
        stranger.query(question(""))


def test_what_it_does_not_offer_it_says(courier: Kuaidi100) -> None:
    with pytest.raises(NotOffered, match="登记运单号"):
        courier.create(order())


@pytest.mark.parametrize("credentials", [{}, KUAIDI100 | {"salt": ""}, KUAIDI100 | {"salt": "x" * 33}])
def test_an_account_needs_a_salt(credentials: dict[str, str], client: httpx.Client) -> None:
    with pytest.raises(BadAccount) as caught:
        Kuaidi100(Account(number="", credentials=credentials), caller(client))
    assert "salt" in caught.value.missing
