"""Pictures of a live camera: what is read off them, who may send them, and which pages may open a camera at all."""

import io
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from logistics.models import Parcel
from logistics.rules.parcels import ParcelState
from logistics.services import pictures
from registry.models import CallCount
from registry.tokens import Purpose, mint
from storage.models import StoredObject
from storage.scratch import scratch
from tests.config.conftest import SignIn
from tests.ingest import hostile
from tests.logistics.road import Road

CAMERA = "/parcels/camera/"
SCANNING = (
    "/parcels/hand-over/",
    "/parcels/arriving/",
    "/parcels/hand-over/offline/",
    "/parcels/returning/",
)


def frame_of(*texts: str) -> SimpleUploadedFile:
    """What a camera sees of these codes, as the page sends it."""
    seen = Image.new("RGB", (1280, 720), (120, 118, 110))
    for number, text in enumerate(texts):
        seen.paste(hostile.qr(text), (60 + 620 * number, 120))
    out = io.BytesIO()
    seen.save(out, "JPEG", quality=85)
    return SimpleUploadedFile("frame.jpg", out.getvalue(), "image/jpeg")


def test_a_picture_says_its_code_moves_nothing_and_is_kept_nowhere(road: Road, sign_in: SignIn) -> None:
    parcel = road.pre_reviewed().registered().parcel
    kept = StoredObject.objects.count()
    answer = sign_in(road.cast.clerk).post(CAMERA, {"frame": frame_of(parcel.token_text)})
    assert (answer.status_code, answer.json()) == (200, {"code": parcel.token_text})
    assert Parcel.objects.get().state == ParcelState.SEALED
    assert StoredObject.objects.count() == kept
    with scratch("any") as folder:
        assert not [left for left in folder.parent.glob("*") if "photo" in left.name]


def test_a_picture_without_a_code_is_no_fault(road: Road, sign_in: SignIn) -> None:
    answer = sign_in(road.cast.clerk).post(CAMERA, {"frame": frame_of()})
    assert (answer.status_code, answer.json()) == (200, {"code": ""})


def test_the_parcels_code_is_told_from_others_in_view(road: Road, sign_in: SignIn) -> None:
    parcel = road.pre_reviewed().registered().parcel
    client = sign_in(road.cast.clerk)
    for other in ("https://carrier.example/t/1012345678901", mint(Purpose.SLIP).text):
        answer = client.post(CAMERA, {"frame": frame_of(other, parcel.token_text)})
        assert answer.json() == {"code": parcel.token_text}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"GIF89a" + bytes(40), "照片打不开"),
        (b"", "照片打不开"),
        (b"\xff\xd8" + bytes(2 << 20), "画面没有传到"),
    ],
)
def test_what_is_no_picture_is_a_sentence(content: bytes, sentence: str, road: Road, sign_in: SignIn) -> None:
    client = sign_in(road.cast.clerk)
    answer = client.post(CAMERA, {"frame": SimpleUploadedFile("frame.jpg", content, "image/jpeg")})
    assert answer.status_code == 409
    assert sentence in answer.json()["said"]


def test_the_brake_is_one_persons_own(road: Road, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "BRAKE", replace(pictures.BRAKE, from_one=2))
    clerk, officer = sign_in(road.cast.clerk), sign_in(road.cast.officer)
    statuses = [clerk.post(CAMERA, {"frame": frame_of()}).status_code for _ in range(3)]
    assert statuses == [200, 200, 503]
    assert officer.post(CAMERA, {"frame": frame_of()}).status_code == 200
    assert not CallCount.objects.filter(caller__contains=road.cast.clerk.id, brake="camera").exclude(
        caller__regex="^([0-9a-f]{32,}|[*])$"
    )


def test_what_waits_for_the_courier_is_printed_on_a4_in_one_go(road: Road, sign_in: SignIn) -> None:
    clerk = sign_in(road.cast.clerk)
    assert clerk.get("/parcels/labels.pdf").status_code == 409
    road.pre_reviewed().registered()
    assert "/parcels/labels.pdf" in clerk.get("/parcels/hand-over/").content.decode()
    answer = clerk.get("/parcels/labels.pdf", {"size": "76x130"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")


def test_finance_has_nothing_to_scan(road: Road, sign_in: SignIn) -> None:
    assert sign_in(road.cast.finance).post(CAMERA, {"frame": frame_of()}).status_code == 404


def test_only_pages_that_scan_may_open_the_camera(road: Road, sign_in: SignIn) -> None:
    clerk, officer = sign_in(road.cast.clerk), sign_in(road.cast.officer)
    for address in SCANNING:
        reader = officer if address == "/parcels/arriving/" else clerk
        assert "camera=(self)" in reader.get(address)["Permissions-Policy"], address
        assert "unsafe" not in reader.get(address)["Content-Security-Policy"]
    for client, address in (
        (Client(), reverse("login")),
        (clerk, reverse("home")),
        (clerk, reverse("parcels")),
    ):
        assert "camera=()" in client.get(address)["Permissions-Policy"], address
