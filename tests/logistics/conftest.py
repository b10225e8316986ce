"""A courier sandbox that really listens, and a client to reach it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from logistics.sandbox.server import SandboxServer, running
from logistics.sandbox.world import World
from tests.logistics.couriers import API_KEY, KUAIDI100, WEBHOOK_SECRET


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        yield client


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    world = World(
        accounts={API_KEY: [WEBHOOK_SECRET]},
        followers={KUAIDI100["key"]: KUAIDI100["customer"]},
        clock=lambda: datetime.now(UTC),
    )
    with running(world) as server:
        yield server
