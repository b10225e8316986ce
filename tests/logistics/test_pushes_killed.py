"""A burst of pushes while the web server and the worker are killed: nothing acknowledged is lost, nothing counts twice."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.embedded import free_ports
from config.services.processes import wait_until
from logistics.models import TrackingEvent, Waybill, WebhookDelivery
from logistics.sandbox.server import SandboxServer
from registry.events import verify_chains
from registry.models import Event
from tests.logistics.storm import SECONDS, brewing, kept, start_web
from tests.processes import Start, kill, starting

pytestmark = pytest.mark.usefixtures("objects")
PUSHES = 120
State = WebhookDelivery.State


@pytest.fixture
def start(outside: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts one of our processes on this test's database; whatever is left of them is killed at the end."""
    with starting({**outside, "TONGBAN_JOB_LEASE_SECONDS": "2"}, tmp_path / "log") as start_one:
        yield start_one


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(
    start: Start, sandbox: SandboxServer
) -> None:
    (port,) = free_ports(1)
    events, courier = brewing(sandbox, port, PUSHES)
    web = start_web(start, port)

    with ThreadPoolExecutor(6) as connections:
        sent = [connections.submit(courier.deliver, push) for push in courier.pushes]
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

    drain = (sys.executable, "manage.py", "drain", "--patience", "60")
    worker = start(*drain)
    wait_until(lambda: TrackingEvent.objects.count() >= PUSHES // 4, seconds=SECONDS)
    kill(worker)
    assert TrackingEvent.objects.count() < PUSHES, "the worker was to be killed in the middle"
    assert start(*drain).wait(SECONDS) == 0

    assert set(Waybill.objects.get().events.values_list("key", flat=True)) == events
    assert TrackingEvent.objects.count() == PUSHES
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) <= {State.PROCESSED, State.REPEATED}
    assert WebhookDelivery.objects.filter(state=State.PROCESSED).count() == PUSHES
    tracked = Event.objects.filter(kind="parcel.tracked").values_list("data__new", flat=True)
    assert sum(tracked) == PUSHES
    noted = [pk for event in Event.objects.filter(kind="webhook.received") for pk, _ in event.data["pushes"]]
    assert sorted(noted) == sorted(WebhookDelivery.objects.values_list("pk", flat=True))
    assert list(verify_chains()) == []
