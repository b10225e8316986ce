"""What a simulated world holds beside our database: dice, clock, people, the courier's books, and where bags really are."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TypeVar

import httpx
from django.db.models import Model, QuerySet

from config.simulation.bills import Bills
from config.simulation.clock import Clock
from config.simulation.couriers import Couriers, engage
from config.simulation.envelopes import Envelopes, Where
from config.simulation.people import People, assemble
from config.simulation.postage import take_over
from config.simulation.wire import Wire
from logistics.couriers.calling import Caller
from logistics.models import Parcel
from logistics.sandbox.server import running
from logistics.sandbox.world import World as CourierWorld
from logistics.services.accounts import calling_through
from logistics.services.breakers import SharedBreaker
from registry.reference.load import load_reference

T = TypeVar("T")
Row = TypeVar("Row", bound=Model)


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
    """`wanted`: how many cases are opened in all. `calm`: misfortunes are over, everybody brings things to their end.
    `on_paper`: numbers of the cases that have real pages, one in `paper_every` (0: none). `rescans`: by their digests,
    whether what was scanned when a paper arrived was that very paper. `envelopes`: what applicants sent themselves.
    `mislaid`: by the key of a paper that is not on its desk, where it really is. `issued`: digests of the files that
    offices issued as results.
    """

    seed: int
    wanted: int
    dice: Random
    clock: Clock
    people: People
    couriers: Couriers
    courier: CourierWorld
    wire: Wire
    bags: dict[str, Where] = field(default_factory=dict)
    envelopes: Envelopes = field(default_factory=Envelopes)
    mislaid: dict[int, Where] = field(default_factory=dict)
    issued: set[str] = field(default_factory=set)
    bills: Bills = field(default_factory=Bills)
    paper_every: int = 0
    on_paper: set[str] = field(default_factory=set)
    rescans: dict[str, bool] = field(default_factory=dict)
    broker: list[int] = field(default_factory=list)
    written: int = 0
    calm: bool = False

    def chance(self, share: float) -> bool:
        """Whether a misfortune or a whim of this share happens now; none does when all is calm."""
        return self.dice.random() < share and not self.calm

    def one_of(self, things: "list[T] | tuple[T, ...]") -> T | None:
        return self.dice.choice(things) if things else None

    def one_row(self, rows: "QuerySet[Row]") -> "Row | None":
        """One of the rows by chance; only that one is read, for most bear encrypted columns."""
        pk = self.one_of(list(rows.order_by("pk").values_list("pk", flat=True)))
        return None if pk is None else rows.get(pk=pk)

    def is_on_paper(self, number: str) -> bool:
        """Whether a case has real pages: about one in `paper_every`, told from its number; they are kept in mind."""
        if self.paper_every and zlib.crc32(number.encode()) % self.paper_every == 0:
            self.on_paper.add(number)
        return number in self.on_paper

    def bag(self, parcel: Parcel) -> Where:
        """Where a bag or an applicant's envelope really is. Of an envelope that nobody knows any more: at the applicant's."""
        if not parcel.is_from_applicant:
            return self.bags.get(parcel.number, Where.SENDER)
        envelope = self.envelopes.of(parcel)
        return envelope.where if envelope else Where.SENDER

    def put(self, parcel: Parcel, where: Where) -> None:
        """The bag is there now."""
        envelope = self.envelopes.of(parcel) if parcel.is_from_applicant else None
        if envelope is not None:
            envelope.where = where
        else:
            self.bags[parcel.number] = where


@contextmanager
def opened_world(*, seed: int, cases: int, paper_every: int = 0) -> Iterator[World]:
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
            couriers = engage(courier, server.url, clock)
            take_over(clock)
            yield World(
                seed=seed,
                wanted=cases,
                dice=dice,
                clock=clock,
                people=people,
                couriers=couriers,
                courier=courier,
                wire=Wire(),
                paper_every=paper_every,
            )
