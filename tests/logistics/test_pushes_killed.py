"""A burst of pushes while the web server and the worker are killed: nothing acknowledged is lost, nothing counts twice."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from config.embedded import free_ports
from config.services.processes import wait_until
from logistics.models import TrackingEvent, Waybill, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import Push, neutral_push
from logistics.sandbox.server import SandboxServer
from registry.events import verify_chains
from registry.models import Event
from tests.cast import assemble
from tests.logistics.couriers import WEBHOOK_SECRET
from tests.logistics.play import Play
from tests.logistics.road import build_road
from tests.processes import Start, kill, starting

pytestmark = pytest.mark.usefixtures("objects")
PUSHES = 120
SECONDS = 120
State = WebhookDelivery.State


@pytest.fixture
def start(outside: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts one of our processes on this test's database; whatever is left of them is killed at the end."""
    with starting({**outside, "TONGBAN_JOB_LEASE_SECONDS": "2"}, tmp_path / "log") as start_one:
        yield lambda *words: start_one(sys.executable, *words)


class Courier:
    """Sends every push until it is acknowledged, as couriers do, from several connections."""

    def __init__(self, url: str, pushes: list[Push]) -> None:
        self.url, self.pushes = url, pushes
        self.acknowledged: list[str] = []
        self.disappointed = 0
        self._lock = threading.Lock()

    def deliver(self, push: Push) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                answer = httpx.post(
                    self.url, content=push.body, headers=push.headers, timeout=20, trust_env=False
                )
            except httpx.TransportError:
                with self._lock:
                    self.disappointed += 1
                time.sleep(0.05)
                continue
            assert answer.json() == {"accepted": True}
            with self._lock:
                self.acknowledged.append(push.headers["webhook-id"])
            return
        raise TimeoutError


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(
    start: Start, sandbox: SandboxServer
) -> None:
    road = build_road(assemble(), sandbox.url).pre_reviewed()
    waybill = road.booked()
    road.on_the_road(waybill)
    play = Play(waybill, road.account)
    events = [play.move(TrackingKind.IN_TRANSIT) for _ in range(PUSHES)]
    pushes = [
        neutral_push(play.shipment, event, secrets=[WEBHOOK_SECRET], timestamp=int(time.time()))
        for event in events
    ]
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    courier = Courier(f"{address}/api/v1/webhooks/couriers/{road.account.path_token}", pushes)
    web = start_web(start, port)

    with ThreadPoolExecutor(6) as connections:
        sent = [connections.submit(courier.deliver, push) for push in pushes]
        wait_until(lambda: len(courier.acknowledged) >= PUSHES // 4, seconds=SECONDS)
        kill(web)
        before = set(courier.acknowledged)
        assert before <= kept(), "acknowledged before the server died"
        start_web(start, port)
        for one in sent:
            one.result()
    assert courier.disappointed
    assert len(set(courier.acknowledged)) == PUSHES
    assert kept() == set(courier.acknowledged)

    worker = start("manage.py", "drain", "--patience", "60")
    wait_until(lambda: TrackingEvent.objects.count() >= PUSHES // 4, seconds=SECONDS)
    kill(worker)
    assert TrackingEvent.objects.count() < PUSHES, "the worker was to be killed in the middle"
    assert start("manage.py", "drain", "--patience", "60").wait(SECONDS) == 0

    assert set(Waybill.objects.get().events.values_list("key", flat=True)) == {event.id for event in events}
    assert TrackingEvent.objects.count() == PUSHES
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) <= {State.PROCESSED, State.REPEATED}
    assert WebhookDelivery.objects.filter(state=State.PROCESSED).count() == PUSHES
    tracked = Event.objects.filter(kind="parcel.tracked").values_list("data__new", flat=True)
    assert sum(tracked) == PUSHES
    noted = [pk for event in Event.objects.filter(kind="webhook.received") for pk, _ in event.data["pushes"]]
    assert sorted(noted) == sorted(WebhookDelivery.objects.values_list("pk", flat=True))
    assert list(verify_chains()) == []


def start_web(start: Start, port: int) -> "subprocess.Popen[bytes]":
    """gunicorn as `manage.py serve` starts it, and listening."""
    words = ("--workers", "2", "--threads", "4", "--no-control-socket", "--log-level", "error")
    web = start("-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}", *words)
    wait_until(lambda: listens(port), seconds=SECONDS, alive=lambda: web.poll() is None)
    return web


def listens(port: int) -> bool:
    try:
        return (
            httpx.get(f"http://127.0.0.1:{port}/api/v1/webhooks/couriers/x", trust_env=False).status_code
            == 405
        )
    except httpx.TransportError:
        return False


def kept() -> set[str]:
    """The ids of the pushes that the inbox holds, read from their raw headers."""
    rows = WebhookDelivery.objects.exclude(state=State.FORGED).values_list("raw", flat=True)
    return {raw["headers"]["webhook-id"] for raw in rows}
