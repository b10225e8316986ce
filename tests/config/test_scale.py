"""The scale at the counter: its bridge tells what it shows, and whoever seals a bag there finds it in the form."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from logistics.models import ScaleReading
from logistics.services.scales import FRESH
from registry.models import ApiKey, Window
from tests.cast import NOW
from tests.config.conftest import SignIn
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db


def tell(window: Window, grams: int, *, scopes: tuple[str, ...] = ("scale",)) -> Any:
    secret = ApiKey.make(name="电子秤", scopes=list(scopes), now=NOW, window=window)[1]
    bridge = Client(headers={"authorization": f"Bearer {secret}"})
    return bridge.post("/api/v1/scale", {"weight_g": grams}, content_type="application/json")


def test_what_the_scale_shows_stands_in_the_form(road: Road, sign_in: SignIn) -> None:
    parcel = road.pre_reviewed().packed()
    clerk, page = sign_in(road.cast.clerk), reverse("parcel", args=[parcel.number])
    assert "从电子秤读取" in clerk.get(page).text
    assert "没有读数" in clerk.get(reverse("scale_reading")).text
    for grams in (120, 345):
        assert tell(road.cast.zhuji, grams).json()["weight_g"] == grams
    assert ScaleReading.objects.count() == 1
    for address in (page, reverse("scale_reading")):
        assert 'value="345"' in clerk.get(address).text
    clerk.post(reverse("seal", args=[parcel.number]), {"weight": "345"})
    parcel.refresh_from_db()
    assert parcel.weight_g == 345


def test_an_old_weight_and_that_of_another_window_are_not_read(road: Road, sign_in: SignIn) -> None:
    tell(road.cast.taizhou_window, 500)
    address = reverse("scale_reading")
    assert "没有读数" in sign_in(road.cast.clerk).get(address).text
    tell(road.cast.zhuji, 345)
    ScaleReading.objects.update(at=timezone.now() - FRESH - timedelta(seconds=1))
    assert "没有读数" in sign_in(road.cast.clerk).get(address).text


def test_only_a_scale_tells_and_only_what_a_scale_can_show(road: Road) -> None:
    assert tell(road.cast.zhuji, 345, scopes=("reader",)).status_code == 404
    refused = tell(road.cast.zhuji, 0)
    assert (refused.status_code, refused.json()["code"]) == (409, "parcel_weight")
    assert not ScaleReading.objects.exists()
