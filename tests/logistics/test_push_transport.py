"""How a push's body travels: of a told length or in chunks, never without an end, never too much."""

import base64
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.test import Client

from config.embedded import free_ports
from logistics.models import WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import neutral_push
from logistics.sandbox.server import SandboxServer
from logistics.services.inbox import LARGEST_BODY
from tests.cast import assemble
from tests.logistics.couriers import WEBHOOK_SECRET
from tests.logistics.play import Play
from tests.logistics.road import build_road
from tests.logistics.storm import start_web
from tests.processes import Start, starting

pytestmark = pytest.mark.usefixtures("objects")


@pytest.fixture
def start(outside: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    with starting(outside, tmp_path / "log") as start_one:
        yield start_one


def in_parts(body: bytes, size: int = 50) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


def test_chunks_are_put_together_and_a_body_without_end_or_measure_is_refused(
    start: Start, sandbox: SandboxServer
) -> None:
    road = build_road(assemble(), sandbox.url).pre_reviewed()
    play = Play(road.booked(), road.account)
    event = play.move(TrackingKind.COLLECTED)
    push = neutral_push(play.shipment, event, secrets=[WEBHOOK_SECRET], timestamp=int(time.time()))
    (port,) = free_ports(1)
    start_web(start, port)
    path = f"/api/v1/webhooks/couriers/{road.account.path_token}"
    url = f"http://127.0.0.1:{port}{path}"

    answer = httpx.post(url, content=in_parts(push.body), headers=push.headers, trust_env=False)
    assert answer.json() == {"accepted": True}
    (kept,) = WebhookDelivery.objects.values_list("raw", flat=True)
    assert base64.b64decode(kept["body"]) == push.body
    assert kept["headers"]["transfer-encoding"] == "chunked"

    too_much = in_parts(b"x" * (LARGEST_BODY + 1), 1 << 16)
    assert httpx.post(url, content=too_much, trust_env=False).status_code == 413
    assert httpx.post(url, content=b"x" * (LARGEST_BODY + 1), trust_env=False).status_code == 413
    assert status_of(port, f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n") == 411
    assert WebhookDelivery.objects.count() == 1, "what was refused was not kept"


def status_of(port: int, request: str) -> int:
    """The status of an answer to a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request.encode())
        return int(connection.recv(100).split()[1])


def test_a_push_without_length_is_told_what_is_missing(db: None) -> None:
    answer = Client().generic("POST", "/api/v1/webhooks/couriers/x")
    assert answer.status_code == 411
    assert "Content-Length" in answer.json()["message"]
