"""A platform reads which papers its applicant sends, and tells that they left; nobody else does."""

from typing import Any

import pytest
from django.test import Client

from ingest.models import Original
from logistics.models import Parcel
from logistics.sandbox.server import SandboxServer
from registry.models import ApiKey, Event, Window
from tests.cast import NOW, Cast
from tests.logistics.online import NUMBER, Online, build_online
from tests.logistics.test_api import API

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def online(cast: Cast, sandbox: SandboxServer) -> Online:
    return build_online(cast, sandbox.url)


def client_of(window: Window, scope: str = "platform", **headers: str) -> Client:
    _, secret = ApiKey.make(name=f"{scope} {window.code}", scopes=[scope], now=NOW, window=window)
    return Client(headers={"Authorization": f"Bearer {secret}", **headers})


def send(client: Client, online: Online, body: dict[str, Any], path: str = "", **headers: str) -> Any:
    return client.post(
        f"{API}/cases/{online.case.number}/papers{path}",
        body,
        content_type="application/json",
        headers=headers,
    )


def test_a_platform_reads_what_is_to_be_sent_where(online: Online) -> None:
    told = client_of(online.window).get(f"{API}/cases/{online.case.number}/papers").json()
    assert told == {
        "point": {"office": online.office.name, "phone": "0575-88000000", "address": "诸暨市东一路三十一号"},
        "payer": "",
        "term": "寄付现结",
        "carriers": [{"code": "neutral", "name": "中性快递"}, {"code": "ems", "name": "邮政特快专递"}],
        "owed": [
            {"position": 1, "name": "居民身份证", "due": None},
            {"position": 2, "name": "灵活就业人员参保登记表", "due": None},
        ],
        "sent": [],
    }


def test_the_submission_names_what_has_no_electronic_seal(cast: Cast, sandbox: SandboxServer) -> None:
    online = build_online(cast, sandbox.url, mailed=False, on_paper=[2])
    told = client_of(online.window).get(f"{API}/cases/{online.case.number}/papers").json()
    assert [paper["position"] for paper in told["owed"]] == [2]
    path = f"{API}/cases/{online.case.number}/submit"
    again = client_of(online.window, "platform").post(path, {"paper": [1]}, content_type="application/json")
    assert again.status_code == 409


def test_it_tells_once_with_one_key_and_with_one_number(online: Online) -> None:
    client = client_of(online.window)
    body = {"carrier": "neutral", "number": NUMBER, "papers": [1]}
    first = send(client, online, body, **{"Idempotency-Key": "k-1"})
    again = send(client, online, body, **{"Idempotency-Key": "k-1"})
    other = send(client, online, body)
    assert [answer.status_code for answer in (first, again, other)] == [201, 201, 201]
    assert first.json() == again.json() == other.json()
    assert again["Idempotency-Replayed"] == "true"
    told = first.json()["sent"]
    assert [(sent["number"], sent["state"], sent["papers"]) for sent in told] == [
        (NUMBER, "handed_over", [1])
    ]
    assert Parcel.objects.count() == 1
    assert Event.objects.get(kind="parcel.announced").actor_kind == "integration"


def test_it_puts_right_and_takes_back(online: Online) -> None:
    client = client_of(online.window)
    sent = send(client, online, {"company": "跑腿", "number": "PT2026"}).json()["sent"][0]
    right = send(client, online, {"carrier": "neutral", "number": NUMBER}, f"/{sent['parcel']}/number").json()
    assert [(one["carrier"], one["number"]) for one in right["sent"]] == [("中性快递", NUMBER)]
    path = f"{API}/cases/{online.case.number}/papers/{sent['parcel']}"
    for _ in range(2):
        left = client.delete(path).json()
    assert (left["sent"], len(left["owed"])) == ([], 2)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"carrier": "nobody", "number": NUMBER}, 409, "unknown_code"),
        ({"carrier": "neutral", "number": "12"}, 409, "waybill_number"),
        ({"carrier": "neutral", "number": NUMBER, "papers": [9]}, 409, "papers_choice"),
        ({"carrier": "neutral", "number": NUMBER, "papers": []}, 409, "papers_choice"),
        ({"number": NUMBER}, 409, "papers_company"),
        ({"carrier": "neutral"}, 422, None),
    ],
)
def test_a_wrong_telling_is_refused_with_its_reason(
    online: Online, body: dict[str, Any], status: int, code: str | None
) -> None:
    answer = send(client_of(online.window), online, body)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert not Parcel.objects.exists()


def test_other_keys_and_windows_find_nothing(online: Online) -> None:
    sent = send(client_of(online.window), online, {"carrier": "neutral", "number": NUMBER}).json()["sent"][0]
    strangers = [
        client_of(Window.objects.get(code="370402-01")),
        client_of(online.window, "watcher"),
        client_of(online.window, "dispatch"),
    ]
    path = f"{API}/cases/{online.case.number}/papers"
    for stranger in strangers:
        assert stranger.get(path).status_code == 404
        assert send(stranger, online, {"carrier": "neutral", "number": "1012345678902"}).status_code == 404
        wrong = {"carrier": "neutral", "number": "1012345678902"}
        assert send(stranger, online, wrong, f"/{sent['parcel']}/number").status_code == 404
        assert stranger.delete(f"{path}/{sent['parcel']}").status_code == 404
    assert Original.objects.filter(place="parcel").count() == 2
    assert send(client_of(online.window), online, {"number": "1"}, "/P0/number").status_code == 404
