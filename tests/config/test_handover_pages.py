"""The collector's list as its pages show it: opened, scanned onto, signed, printed, and found from the parcel."""

import json

import pytest
from django.urls import reverse

from logistics.models import HandoverList
from tests.config.conftest import SignIn
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db
DRAWN = json.dumps([[100, 200, 300, 80, 500, 310]])


def test_from_the_first_scan_to_the_parcels_page(road: Road, sign_in: SignIn) -> None:
    parcel = road.pre_reviewed().registered().parcel
    client = sign_in(road.cast.clerk)
    opened = client.post(reverse("handovers"), {"carrier": road.account.carrier.code})
    handover = HandoverList.objects.get()
    address = reverse("handover", args=[handover.number])
    assert opened.headers["location"] == address
    assert "还有 1 件没有扫到" in client.get(address).content.decode()
    assert client.post(address, {"code": parcel.token_text}).headers["location"] == address
    shown = client.get(address).content.decode()
    assert parcel.number in shown
    assert "没有扫到" not in shown
    handover.refresh_from_db()
    sign = {"collector": "王小明", "drawn": DRAWN, "version": handover.version, "signing": "screen"}
    refused = client.post(reverse("sign_handover", args=[handover.number]), {**sign, "drawn": ""})
    assert refused.status_code == 409
    assert "签名框内签名" in refused.content.decode()
    client.post(reverse("sign_handover", args=[handover.number]), sign)
    for page in (address, reverse("parcel", args=[parcel.number]), reverse("case", args=[road.case.number])):
        html = client.get(page).content.decode()
        assert "王**" in html
        assert "王小明" not in html
        assert handover.number in html
    picture = client.get(reverse("handover_signature", args=[handover.number]))
    assert b"".join(picture).startswith(b"\x89PNG")
    paper = client.post(reverse("print_handover", args=[handover.number]))
    assert paper.content.startswith(b"%PDF")
    client.post(reverse("correct_handover", args=[handover.number]), {"words": "件数无误，袋口破损"})
    assert "袋口破损" in client.get(address).content.decode()


def test_the_receiver_reads_who_signed_but_not_the_list(road: Road, sign_in: SignIn) -> None:
    parcel = road.pre_reviewed().registered().parcel
    client = sign_in(road.cast.clerk)
    client.post(reverse("handovers"), {"carrier": road.account.carrier.code})
    handover = HandoverList.objects.get()
    client.post(reverse("handover", args=[handover.number]), {"code": parcel.token_text})
    client.post(
        reverse("sign_handover", args=[handover.number]),
        {"collector": "王小明", "drawn": DRAWN, "version": 1},
    )
    office = sign_in(road.cast.officer)
    html = office.get(reverse("parcel", args=[parcel.number])).content.decode()
    assert "王**" in html
    assert reverse("handover", args=[handover.number]) not in html
    assert office.get(reverse("handover", args=[handover.number])).status_code == 404


def test_the_clerk_is_told_how_many_lie_on_the_list_not_how_many_were_scanned(
    road: Road, sign_in: SignIn
) -> None:
    first = road.pre_reviewed().registered().parcel
    second = road.registered("1012345678902", parcel=road.another_sealed()).parcel
    client = sign_in(road.cast.clerk)
    client.post(reverse("handovers"), {"carrier": road.account.carrier.code})
    number = HandoverList.objects.get().number
    client.post(reverse("handover", args=[number]), {"code": first.token_text})
    client.post(reverse("take_off_handover", args=[number, first.number]))
    shown = client.post(reverse("handover", args=[number]), {"code": second.token_text}, follow=True)
    assert f"第 1 件：{second.number} 已列入。" in shown.content.decode()
