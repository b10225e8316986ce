"""Packing a second case into a bag, and comparing what arrives, as the pages offer it."""

import pytest
from django.urls import reverse

from logistics.models import Incident, Parcel, ParcelItem
from logistics.rules.payers import PaymentTerm
from logistics.services.parcels import add_originals, seal_parcel
from logistics.services.waybills import register_waybill
from tests.cast import NOW
from tests.config.conftest import SignIn
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db


def test_the_open_bag_to_the_same_office_is_offered_and_takes_another_case(
    road: Road, sign_in: SignIn
) -> None:
    bag, second = road.pre_reviewed().packed(), road.another_case()
    address = reverse("pack", args=[second[0].case.number])
    client = sign_in(road.cast.clerk)
    shown = client.get(address).content.decode()
    assert f'value="{bag.number}"' in shown
    assert "已装 2 件" in shown
    answer = client.post(address, {"leg": bag.number, "original": [one.pk for one in second]})
    assert answer.headers["location"] == reverse("parcel", args=[bag.number])
    assert {item.original.case.number for item in bag.items.all()} == {
        road.case.number,
        second[0].case.number,
    }
    assert Parcel.objects.count() == 1


def test_somebody_elses_bag_is_not_joined(road: Road, sign_in: SignIn) -> None:
    bag, second = road.pre_reviewed().sealed(), road.another_case()
    address = reverse("pack", args=[second[0].case.number])
    client = sign_in(road.cast.clerk)
    assert bag.number not in client.get(address).content.decode()
    answer = client.post(address, {"leg": bag.number, "original": [second[0].pk]})
    assert answer.status_code == 409
    assert bag.items.count() == len(road.originals)


def test_what_is_torn_is_ticked_beside_its_name_and_stays_visible(road: Road, sign_in: SignIn) -> None:
    bag, second = road.pre_reviewed().packed(), road.another_case()
    add_originals(parcel=bag, originals=second, actor=road.cast.clerk, now=NOW)
    seal_parcel(parcel=bag, weight_g=640, actor=road.cast.clerk, now=NOW)
    waybill = register_waybill(
        parcel=bag,
        account=road.account,
        number="1012345678901",
        term=PaymentTerm.COLLECT,
        actor=road.cast.clerk,
        now=NOW,
    )
    road.on_the_road(waybill)
    client = sign_in(road.cast.officer)
    address = reverse("receive", args=[bag.number])
    shown = client.get(address).content.decode()
    assert shown.count("<fieldset>") == 2
    torn = second[1]
    there = [one.pk for one in (*road.originals, second[0])]
    client.post(address, {"original": there, "damaged": [torn.pk]})
    assert ParcelItem.objects.get(original=torn).finding == "damaged"
    assert Incident.objects.get().original == torn
    assert "破损" in client.get(reverse("parcel", args=[bag.number])).content.decode()
