"""The endpoints: a parcel from packing to receipt over the API, and what others are told."""

from typing import Any

import pytest
from django.test import Client

from logistics.models import Incident
from registry.models import ApiKey, User
from tests.cast import NOW
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
API = "/api/v1"


def signed_in(username: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def post(client: Client, path: str, body: dict[str, Any], *, status: int = 200) -> Any:
    answer = client.post(API + path, body, content_type="application/json")
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


def test_a_parcel_from_the_window_to_the_office(road: Road) -> None:
    clerk, officer, stranger = signed_in("clerk"), signed_in("officer"), signed_in("other-officer")
    ids = [original.pk for original in road.originals]
    wish = {
        "leg": "materials",
        "sender": {"kind": "window", "id": road.cast.zhuji.pk},
        "receiver": {"kind": "office", "id": road.cast.taizhou.pk},
        "originals": ids,
    }
    parcel = post(clerk, "/parcels", wish, status=201)
    path = f"/parcels/{parcel['number']}"
    assert [item["original"] for item in parcel["items"]] == ids
    assert officer.get(API + path).status_code == 404
    assert post(clerk, f"{path}/seal", {"weight_g": 320})["open_acts"] == ["unseal", "cancel", "hand_over"]
    first = post(clerk, f"{path}/waybill", {"carrier": "neutral"})
    assert post(clerk, f"{path}/waybill", {"carrier": "neutral"}) == first
    assert (first["state"], first["term"]) == ("booked", "collect")
    token = road.case.originals.get(pk=ids[0]).parcel_items.get().parcel.token_text
    assert post(clerk, "/handovers", {"token": token})["state"] == "handed_over"
    assert post(clerk, "/handovers", {"token": token}, status=409)["code"] == "parcel_hand_over"
    assert officer.get(f"{API}/originals/{ids[0]}/whereabouts").json()["parcel_number"] == parcel["number"]
    assert post(officer, f"{path}/receipt", {"ticked": ids})["state"] == "received"
    story = clerk.get(f"{API}{path}/timeline").json()
    assert [entry["kind"] for entry in story["entries"]] == ["packed", "sealed", "handed_over", "received"]
    assert [row["number"] for row in officer.get(f"{API}/parcels").json()["items"]] == [parcel["number"]]
    assert stranger.get(f"{API}/parcels").json()["items"] == []
    assert stranger.get(API + path).status_code == 404
    assert stranger.get(f"{API}{path}/timeline").status_code == 404


def test_nobody_is_nobody(road: Road) -> None:
    assert Client().get(f"{API}/parcels").status_code == 401


def test_a_refusal_is_a_sentence(road: Road) -> None:
    wish = {
        "leg": "result",
        "sender": {"kind": "window", "id": road.cast.zhuji.pk},
        "receiver": {"kind": "office", "id": road.cast.taizhou.pk},
    }
    told = post(signed_in("clerk"), "/parcels", wish, status=409)
    assert told["code"] == "parcel_ends"
    assert "请改选寄件类型" in told["message"]
    missing = wish | {"receiver": {"kind": "office", "id": 999_999}}
    assert post(signed_in("clerk"), "/parcels", missing, status=404)["code"] == "not_found"


def test_what_is_not_on_the_desk_is_reported_and_found_again(road: Road) -> None:
    clerk, officer, stranger = signed_in("clerk"), signed_in("officer"), signed_in("other-clerk")
    path = f"/originals/{road.originals[0].pk}"
    told = {"words": "夹在另一本卷内"}
    assert post(clerk, f"{path}/found", told, status=409)["code"] == "original_not_gone"
    assert post(officer, f"{path}/missing", {}, status=409)["code"] == "original_not_here"
    for act in ("missing", "found"):
        post(stranger, f"{path}/{act}", told, status=404)
    where = post(clerk, f"{path}/missing", {})
    assert (where["place"], where["at_name"], where["by"]) == ("missing", road.cast.zhuji.name, "clerk")
    assert post(clerk, f"{path}/missing", {}, status=409)["code"] == "original_not_here"
    number = {"words": "证号 330681198807150038 的卷内"}
    assert post(clerk, f"{path}/found", number, status=409)["code"] == "words_personal"
    assert post(clerk, f"{path}/found", {"words": "字" * 201}, status=422)
    where = post(officer, f"{path}/found", told)
    assert (where["place"], where["at_name"]) == ("office", road.cast.taizhou.name)
    assert Incident.objects.get().resolution == told["words"]


def test_no_key_says_that_a_paper_is_gone(road: Road) -> None:
    path = f"/originals/{road.originals[0].pk}"
    for scope in ("dispatch", "platform", "courier"):
        _, secret = ApiKey.make(name=scope, scopes=[scope], now=NOW, window=road.cast.zhuji)
        key = Client(headers={"Authorization": f"Bearer {secret}"})
        for act in ("missing", "found"):
            post(key, f"{path}/{act}", {"words": "找到"}, status=404)
    assert Client().post(f"{API}{path}/missing").status_code == 401
    assert not Incident.objects.exists()
