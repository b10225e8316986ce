"""What a simulated world holds beside our database: dice, clock, people, the courier's books, and where bags really are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import TypeVar

import httpx

from config.simulation.clock import Clock
from config.simulation.people import OFFICES, People, assemble
from config.simulation.wire import Wire
from logistics.couriers.calling import Caller
from logistics.models import Carrier
from logistics.postage.contracts import add_tariff
from logistics.sandbox.server import running
from logistics.sandbox.tariff import sample_tariff
from logistics.sandbox.world import World as CourierWorld
from logistics.services.accounts import add_account, add_carrier, calling_through
from logistics.services.breakers import SharedBreaker
from registry.actors import SYSTEM
from registry.models import Office, ServiceCentre
from registry.reference.load import load_reference
from registry.time import local_day

T = TypeVar("T")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 — signs pushes of the sandbox alone


class Where(StrEnum):
    """Where a bag really is, whatever anybody wrote down. BACK: at the sender again, after it was on the road."""

    SENDER = "sender"
    COURIER = "courier"
    RECEIVER = "receiver"
    BACK = "back"
    GONE = "gone"


@dataclass(frozen=True)
class Deed:
    """One thing that somebody is about to do. `name` is one of a small number: commits are counted by it.

    `do` reads afresh what it acts on, so that it can be done again after the process died over it.
    """

    name: str
    who: str
    what: str
    do: Callable[[], object]


@dataclass
class World:
    """`wanted`: how many cases are opened in all. `calm`: misfortunes are over, everybody brings things to their end."""

    seed: int
    wanted: int
    dice: Random
    clock: Clock
    people: People
    neutral: Carrier
    followed: Carrier
    courier: CourierWorld
    wire: Wire
    bags: dict[str, Where] = field(default_factory=dict)
    broker: list[int] = field(default_factory=list)
    written: int = 0
    calm: bool = False

    def chance(self, share: float) -> bool:
        """Whether a misfortune or a whim of this share happens now; none does when all is calm."""
        return self.dice.random() < share and not self.calm

    def one_of(self, things: "list[T] | tuple[T, ...]") -> T | None:
        return self.dice.choice(things) if things else None

    def bag(self, parcel_number: str) -> Where:
        return self.bags.get(parcel_number, Where.SENDER)


@contextmanager
def opened_world(*, seed: int, cases: int) -> Iterator[World]:
    """Reference data, people, a courier sandbox that listens, and its accounts, in the database of this process."""
    clock = Clock()
    courier = CourierWorld(clock=clock.now)
    with running(courier) as server, httpx.Client(timeout=10.0, trust_env=False) as client:
        dice = Random(seed)  # noqa: S311 — a play that can be played again, no secret

        def caller() -> Caller:
            return Caller(
                client=client,
                sleep=lambda seconds: clock.move(timedelta(seconds=seconds)),
                dice=dice,
                breakers=lambda host: SharedBreaker(host, clock=clock.now),
            )

        with calling_through(caller):
            load_reference()
            people = assemble()
            neutral, followed = _engage(courier, server.url, clock)
            yield World(
                seed=seed,
                wanted=cases,
                dice=dice,
                clock=clock,
                people=people,
                neutral=neutral,
                followed=followed,
                courier=courier,
                wire=Wire(),
            )


def _engage(courier: CourierWorld, url: str, clock: Clock) -> tuple[Carrier, Carrier]:
    """Two carriers, and an account of every paying centre with each: one we order from, one followed by kuaidi100."""
    now = clock.now()
    neutral = add_carrier(code="neutral", name="中性速递", adapter="neutral", actor=SYSTEM, now=now)
    followed = add_carrier(
        code="ems", name="邮政速递", adapter="kuaidi100", company="ems", actor=SYSTEM, now=now
    )
    codes = sorted({office.centre.code for office in Office.objects.filter(code__in=OFFICES)})
    for code in codes:
        centre = ServiceCentre.objects.get(code=code)
        courier.accounts[f"key-{code}"] = [SECRET]
        courier.kuaidi100_keys[f"kd-{code}"] = f"customer-{code}"
        secrets = {"api_key": f"key-{code}", "webhook_secret": SECRET}
        _account(neutral, centre, secrets, {"base_url": url}, clock)
        secrets = {"key": f"kd-{code}", "customer": f"customer-{code}", "salt": "salt-A1"}
        _account(
            followed, centre, secrets, {"poll_url": f"{url}/poll", "query_url": f"{url}/poll/query.do"}, clock
        )
    return neutral, followed


def _account(
    carrier: Carrier, centre: ServiceCentre, secrets: dict[str, str], options: dict[str, str], clock: Clock
) -> None:
    add_account(
        carrier=carrier,
        centre=centre,
        number=f"T-{centre.code}",
        credentials=secrets,
        options=options,
        actor=SYSTEM,
        now=clock.now(),
    )
    tariff = sample_tariff(carrier=carrier.code, centre_id=centre.pk, day=local_day(clock.now()))
    add_tariff(tariff=tariff, actor=SYSTEM, now=clock.now())
