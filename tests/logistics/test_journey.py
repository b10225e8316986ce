"""The whole road over real sockets: our web server, the sandbox as its own process, pushes between them."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from logistics.models import Incident, Waybill, WebhookDelivery
from logistics.rules.parcels import ParcelState
from logistics.services.custody import receive_parcel
from logistics.services.taking_in import sweep_inbox
from tests.cast import assemble
from tests.logistics.couriers import API_KEY, KUAIDI100, WEBHOOK_SECRET
from tests.logistics.road import Road, build_road, kuaidi100_account
from tests.shared import ROOT

pytestmark = pytest.mark.usefixtures("objects")


@pytest.fixture
def process(outside: dict[str, str]) -> Iterator[str]:
    """The address of `manage.py courier_sandbox`, run as operators run it."""
    environment = outside | {
        "SANDBOX_API_KEY": API_KEY,
        "SANDBOX_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "SANDBOX_KUAIDI100_KEY": KUAIDI100["key"],
        "SANDBOX_KUAIDI100_CUSTOMER": KUAIDI100["customer"],
    }
    command = [sys.executable, str(ROOT / "manage.py"), "courier_sandbox", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT, start_new_session=True
    ) as child:
        try:
            assert child.stdout is not None
            said = re.search(r"http://\S+", child.stdout.readline())
            assert said is not None
            yield said.group()
        finally:
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=20) == 0


@pytest.fixture
def road(process: str, live_server: LiveServer, settings: Any) -> Road:
    settings.PUBLIC_URL = live_server.url
    return build_road(assemble(), process).pre_reviewed()


def advance(client: httpx.Client, process: str, **wish: Any) -> list[Any]:
    answer = client.post(f"{process}/sandbox/advance", json=wish, timeout=20)
    answer.raise_for_status()
    return list(answer.json()["pushes"])


def sweep() -> None:
    """Process what came in, as the worker would."""
    sweep_inbox(now=timezone.now(), older_than=timedelta(0))


def test_from_the_window_to_the_office(road: Road, process: str, client: httpx.Client) -> None:
    waybill = road.booked(now=timezone.now())
    parcel = road.on_the_road(waybill)
    pushes = advance(client, process, waybill=waybill.number, to="delivered", through=True)
    assert [push["acknowledged"] for push in pushes] == [True] * 5
    sweep()
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.DELIVERED
    receive_parcel(
        parcel=parcel,
        ticked=[one.pk for one in road.originals],
        actor=road.cast.officer,
        now=timezone.now(),
    )
    assert {one.place for one in road.case.originals.all()} == {"office"}
    assert not Incident.objects.exists()


@pytest.mark.parametrize("fault", ["duplicate", "reordered", "wrong_signature", "silence"])
def test_a_misbehaving_courier_ends_in_the_same_story(
    fault: str, road: Road, process: str, client: httpx.Client
) -> None:
    waybill = road.booked(now=timezone.now())
    parcel = road.on_the_road(waybill)
    client.post(f"{process}/sandbox/faults", json={"kind": fault, "on": "push"}).raise_for_status()
    advance(client, process, waybill=waybill.number, to="delivered", through=True)
    client.post(f"{process}/sandbox/release").raise_for_status()
    sweep()
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.DELIVERED
    told = Waybill.objects.get().events.count()
    assert told == (4 if fault in ("wrong_signature", "silence") else 5)
    forged = WebhookDelivery.objects.filter(state="forged").count()
    assert forged == (1 if fault == "wrong_signature" else 0)


def test_a_waybill_followed_through_kuaidi100(road: Road, process: str, client: httpx.Client) -> None:
    waybill = road.registered("1012345678901", account=kuaidi100_account(road.cast, process))
    parcel = road.on_the_road(waybill)
    client.post(f"{process}/sandbox/faults", json={"kind": "wrong_company", "on": "push"}).raise_for_status()
    advance(client, process, waybill="1012345678901", to="delivered", through=True)
    sweep()
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.DELIVERED
    assert Waybill.objects.get().company == "yuantong"
    advance(client, process, waybill="1012345678901", to="reverse")
    sweep()
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.IN_TRANSIT
    assert Incident.objects.get().kind == "delivery_reversed"
