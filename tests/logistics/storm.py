"""A storm of signed pushes against the web server as it runs in service, and couriers that repeat until they are heard."""

import subprocess
import sys
import threading
import time
from collections import Counter

import httpx

from config.services.processes import wait_until
from logistics.models import WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import Push, neutral_push
from logistics.sandbox.server import SandboxServer
from tests.cast import assemble
from tests.logistics.couriers import WEBHOOK_SECRET
from tests.logistics.play import Play
from tests.logistics.road import build_road
from tests.processes import Start

SECONDS = 120
State = WebhookDelivery.State


class Courier:
    """Sends every push until it is acknowledged, as couriers do, from several connections."""

    def __init__(self, url: str, pushes: list[Push]) -> None:
        self.url, self.pushes = url, pushes
        self.acknowledged: list[str] = []
        self.disappointed = 0
        self.refused: Counter[int] = Counter()
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
            if not answer.is_success:
                with self._lock:
                    self.refused[answer.status_code] += 1
                time.sleep(0.05)
                continue
            assert answer.json() == {"accepted": True}
            with self._lock:
                self.acknowledged.append(push.headers["webhook-id"])
            return
        raise TimeoutError


def brewing(sandbox: SandboxServer, port: int, scan_count: int) -> tuple[set[str], Courier]:
    """So many scans of one parcel on its road: their ids, and the courier that brings a push for each to the port."""
    road = build_road(assemble(), sandbox.url).pre_reviewed()
    waybill = road.booked()
    road.on_the_road(waybill)
    play = Play(waybill, road.account)
    scans = [play.move(TrackingKind.IN_TRANSIT) for _ in range(scan_count)]
    pushes = [
        neutral_push(play.shipment, scan, secrets=[WEBHOOK_SECRET], timestamp=int(time.time()))
        for scan in scans
    ]
    url = f"http://127.0.0.1:{port}/api/v1/webhooks/couriers/{road.account.path_token}"
    return {scan.id for scan in scans}, Courier(url, pushes)


def start_web(start: Start, port: int) -> "subprocess.Popen[bytes]":
    """gunicorn as `manage.py serve` starts it, and listening."""
    words = ("--workers", "2", "--threads", "4", "--no-control-socket", "--log-level", "error")
    web = start(
        sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}", *words
    )
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
    """The ids of the pushes that the inbox holds, read from their raw headers; repetitions have none."""
    rows = WebhookDelivery.objects.exclude(state__in=[State.FORGED, State.REPEATED])
    return {raw["headers"]["webhook-id"] for raw in rows.values_list("raw", flat=True)}
