"""The endpoints: a parcel from packing to receipt over the API, and what others are told."""

from typing import Any

import pytest
from django.test import Client

from registry.models import User
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
