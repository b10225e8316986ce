"""The list for the collector over the API: gathered, read by list and by parcel, signed once, by a person or a device."""

import pytest
from django.test import Client

from logistics.models import HandoverList, Parcel
from logistics.rules.parcels import ParcelState
from registry.models import ApiKey, Window
from tests.cast import NOW
from tests.logistics.road import Road
from tests.logistics.test_api import API, post, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
DRAWN = [[100, 200, 300, 80, 500, 310]]


@pytest.fixture
def parcel(road: Road) -> Parcel:
    return road.booked().parcel


def device(window: Window) -> Client:
    """A device at the counter with a key of its own."""
    _, secret = ApiKey.make(name="揽收终端", scopes=["dispatch"], now=NOW, window=window)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_from_the_scan_to_the_signature(road: Road, parcel: Parcel) -> None:
    clerk = signed_in("clerk")
    shown = post(clerk, "/handover-lists", {"carrier": "neutral"})
    assert post(clerk, "/handover-lists", {"carrier": "neutral"})["number"] == shown["number"]
    path = f"/handover-lists/{shown['number']}"
    for _ in range(2):
        listed = post(clerk, f"{path}/parcels", {"token": parcel.token_text})
    assert [line["parcel"] for line in listed["lines"]] == [parcel.number]
    assert listed["lines"][0]["waybill_number"] == parcel.waybills.get().number
    wish = {
        "signing": "screen",
        "collector": "王小明",
        "version": listed["version"],
        "strokes": DRAWN,
    }
    assert post(clerk, f"{path}/signature", {**wish, "version": 0}, status=409)["code"] == "handover_changed"
    empty = post(clerk, f"{path}/signature", {**wish, "strokes": []}, status=409)
    assert empty["code"] == "signature_missing"
    for _ in range(2):
        signed = post(clerk, f"{path}/signature", wish)
    assert (signed["state"], signed["signing"], signed["collector"]) == ("signed", "screen", "王**")
    assert "王小明" not in str(signed)
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.HANDED_OVER
    assert clerk.get(f"{API}/parcels/{parcel.number}/handover-list").json() == signed
    assert clerk.get(f"{API}{path}/list.pdf").content.startswith(b"%PDF")
    rows = clerk.get(f"{API}/handover-lists", {"state": "signed"}).json()["items"]
    assert [row["number"] for row in rows] == [shown["number"]]
    assert clerk.get(f"{API}/handover-lists", {"state": "open"}).json()["items"] == []


def test_on_paper_the_list_is_printed_first(road: Road, parcel: Parcel) -> None:
    clerk = signed_in("clerk")
    path = f"/handover-lists/{post(clerk, '/handover-lists', {'carrier': 'neutral'})['number']}"
    listed = post(clerk, f"{path}/parcels", {"token": parcel.token_text})
    wish = {"signing": "paper", "collector": "王小明", "version": listed["version"]}
    assert clerk.get(f"{API}{path}/list.pdf").status_code == 409
    assert post(clerk, f"{path}/signature", wish, status=409)["code"] == "handover_not_printed"
    printed = post(clerk, f"{path}/print", {})
    assert printed["slip"]
    assert post(clerk, f"{path}/signature", wish)["state"] == "signed"


def test_a_parcel_is_taken_off_and_a_list_is_dropped(road: Road, parcel: Parcel) -> None:
    clerk = signed_in("clerk")
    path = f"/handover-lists/{post(clerk, '/handover-lists', {'carrier': 'neutral'})['number']}"
    post(clerk, f"{path}/parcels", {"token": parcel.token_text})
    left = clerk.delete(f"{API}{path}/parcels/{parcel.number}")
    assert (left.status_code, left.json()["lines"]) == (200, [])
    assert post(clerk, f"{path}/drop", {})["state"] == "dropped"
    assert clerk.get(f"{API}/parcels/{parcel.number}/handover-list").status_code == 404


def test_a_device_gathers_and_has_signed_for_its_own_window_alone(road: Road, parcel: Parcel) -> None:
    ours, others = device(road.cast.zhuji), device(road.cast.taizhou_window)
    path = f"/handover-lists/{post(ours, '/handover-lists', {'carrier': 'neutral'})['number']}"
    listed = post(ours, f"{path}/parcels", {"token": parcel.token_text})
    assert others.get(API + path).status_code == 404
    assert others.get(f"{API}/handover-lists").json()["items"] == []
    wish = {"signing": "screen", "collector": "王小明", "version": listed["version"], "strokes": DRAWN}
    assert post(others, f"{path}/signature", wish, status=404)["code"] == "not_found"
    assert post(ours, f"{path}/signature", wish)["signed_before"] == "揽收终端"
    assert HandoverList.objects.get().signed_before == "揽收终端"
    assert ours.get(f"{API}/originals/{road.originals[0].pk}/whereabouts").status_code == 404


def test_a_receiver_reads_no_list_of_the_senders(road: Road, parcel: Parcel) -> None:
    clerk = signed_in("clerk")
    path = f"/handover-lists/{post(clerk, '/handover-lists', {'carrier': 'neutral'})['number']}"
    post(clerk, f"{path}/parcels", {"token": parcel.token_text})
    officer = signed_in("officer")
    for address in (path, f"/parcels/{parcel.number}/handover-list"):
        assert officer.get(API + address).status_code == 404
    assert Client().get(API + path).status_code == 401


def test_a_return_a_found_paper_and_an_archived_one(road: Road, parcel: Parcel) -> None:
    clerk, officer = signed_in("clerk"), signed_in("officer")
    post(clerk, "/handovers", {"token": parcel.token_text})
    here, gone = (one.pk for one in road.originals)
    ticked = {"ticked": [], "damaged": [here]}
    items = post(officer, f"/parcels/{parcel.number}/receipt", ticked)["items"]
    assert {item["original"]: item["finding"] for item in items} == {here: "damaged", gone: "missing"}
    found = post(officer, f"/parcels/{parcel.number}/originals/{gone}/found", {})
    assert (found["place"], found["by"], found["proof"]) == ("office", "officer", "清单核对")
    assert post(officer, f"/originals/{here}/archive", {})["place"] == "archive"
    assert post(clerk, f"/originals/{gone}/archive", {}, status=404)["code"] == "not_found"
    second = road.booked(road.another_sealed()).parcel
    post(clerk, "/handovers", {"token": second.token_text})
    assert post(officer, "/returns", {"token": second.token_text}, status=404)["code"] == "not_found"
    assert post(clerk, "/returns", {"token": second.token_text})["state"] == "returned"
