"""What one process learned about a failing courier, the others know."""

from datetime import timedelta

import httpx
import pytest

from logistics.couriers.errors import CircuitOpen, CourierError
from logistics.models import CourierBreaker
from logistics.sandbox.server import SandboxServer
from logistics.services.accounts import courier_of
from logistics.services.breakers import LIMIT, PAUSE, SharedBreaker, open_breakers
from tests.cast import NOW, assemble
from tests.logistics.road import neutral_account, wish
from tests.workers.cast import Clock

pytestmark = pytest.mark.django_db
HOST = "courier.example:443"


def test_failures_of_all_processes_count_together() -> None:
    clock = Clock(NOW)
    here, there = SharedBreaker(HOST, clock), SharedBreaker(HOST, clock)
    for number in range(LIMIT):
        there.ask()
        (here if number % 2 else there).note(failed=True)
    for breaker in (here, there):
        with pytest.raises(CircuitOpen):
            breaker.ask()
    assert [row.host for row in open_breakers(now=NOW)] == [HOST]
    SharedBreaker("another.example", clock).ask()


def test_after_the_pause_one_process_probes_and_its_answer_closes_it_for_all() -> None:
    clock = Clock(NOW)
    here, there = SharedBreaker(HOST, clock), SharedBreaker(HOST, clock)
    for _ in range(LIMIT):
        here.note(failed=True)
    clock.now = NOW + PAUSE + timedelta(seconds=1)
    here.ask()
    with pytest.raises(CircuitOpen):
        there.ask()
    here.note(failed=True)
    clock.now += PAUSE - timedelta(seconds=1)
    with pytest.raises(CircuitOpen):
        there.ask()
    clock.now += timedelta(seconds=2)
    there.ask()
    there.note(failed=False)
    here.ask()
    assert not open_breakers(now=clock.now).exists()
    assert CourierBreaker.objects.get().failures == 0


def test_a_good_answer_writes_nothing() -> None:
    SharedBreaker(HOST).note(failed=False)
    assert not CourierBreaker.objects.exists()


def test_an_adapter_of_an_account_uses_it(sandbox: SandboxServer, client: httpx.Client) -> None:
    account = neutral_account(assemble(), sandbox.url)
    wish(client, sandbox, "faults", kind="error", on="find", times=LIMIT)
    for _ in range(2):
        with pytest.raises(CourierError):
            courier_of(account).find("x")  # three tries each
    with pytest.raises(CircuitOpen):
        courier_of(account).find("x")
    assert CourierBreaker.objects.get().host == sandbox.url.removeprefix("http://")
