"""A courier sandbox that really listens, a client to reach it, and a parcel on its road."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from logistics.sandbox.server import SandboxServer, running
from logistics.sandbox.world import World
from tests.cast import Cast, assemble
from tests.logistics.contracts import TERMS
from tests.logistics.couriers import API_KEY, KUAIDI100, WEBHOOK_SECRET
from tests.logistics.office import Office
from tests.logistics.play import Play
from tests.logistics.road import Road, build_road


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


@pytest.fixture(params=list(TERMS))
def office(request: pytest.FixtureRequest, sandbox: SandboxServer, client: httpx.Client) -> Office:
    """Each courier in turn."""
    terms = TERMS[request.param]
    terms.tell(sandbox, client)
    return Office(terms, terms.courier(sandbox.url, client), sandbox, client)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def road(cast: Cast, sandbox: SandboxServer) -> Road:
    """A case whose originals may travel."""
    return build_road(cast, sandbox.url).pre_reviewed()


@pytest.fixture
def play(road: Road) -> Play:
    """The courier's side of a parcel that was handed over."""
    waybill = road.booked()
    road.on_the_road(waybill)
    return Play(waybill, road.account)
