"""Two people do two things in the same moment, each in a transaction of their own, and the same way each time.

Two threads with a connection each; one of them runs at a time. The first is held at a commit, or after one of its
statements, with all its locks; then the second runs until it is done or waits for a lock, and so on in turns. What is
left to chance elsewhere, the moment at which one comes before the other, is chosen here by the dice.
"""

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

LOOK_EVERY = 0.002
"""Seconds between looks at whether a statement waits for a lock."""
MOST_STATEMENTS = 25
GIVEN_UP_AFTER = 60.0
"""Seconds after which two that hold each other up are a fault of the play itself."""
Ends = Callable[[], str]
"""Does one's act, whatever becomes of it, and says what did."""
BLOCKED = "SELECT cardinality(pg_blocking_pids(%s)) > 0"


def can_race() -> bool:
    """SQLite lets one write at a time, so that nobody meets there; a transaction around us would hide our rows."""
    connection = connections[DEFAULT_DB_ALIAS]
    return connection.vendor == "postgresql" and not connection.in_atomic_block


@dataclass(frozen=True)
class Hold:
    """Where the first of two is held: before its commit of this number, or after its statement of that."""

    commit: int = 0
    statement: int = 0

    @classmethod
    def cast(cls, dice: Random) -> "Hold":
        """Mostly before a commit, where most is at stake."""
        if dice.random() < 0.6:
            return cls(commit=dice.choice((1, 1, 1, 2, 2, 3)))
        return cls(statement=dice.randint(1, MOST_STATEMENTS))


class Stage:
    """Whose turn it is. Both wait here before and after each statement, so that exactly one runs."""

    def __init__(self) -> None:
        self._turn = 0
        self._changed = threading.Condition()
        self.asking = [False, False]
        self.done = [False, False]

    def wait_for_turn(self, me: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._turn == me, GIVEN_UP_AFTER):
                raise RuntimeError("no turn came")

    def give_turn(self, to: int) -> None:
        with self._changed:
            self._turn = to
            self._changed.notify_all()

    def finish(self, me: int) -> None:
        with self._changed:
            self.done[me] = True
            self._turn = 1 - me if not self.done[1 - me] else me
            self._changed.notify_all()

    def turn(self) -> int:
        return self._turn


class Rivals:
    """Two threads that keep their connections for the whole play."""

    def __init__(self, note: Callable[[str], object]) -> None:
        self._note = note
        self._pools = [ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"rival-{me}") for me in (0, 1)]
        self._pids = [pool.submit(_pid).result() for pool in self._pools]

    def close(self) -> None:
        """Their connections go, so that the database can."""
        for pool in self._pools:
            pool.submit(connections.close_all).result()
            pool.shutdown()

    def meet(self, acts: tuple[Ends, Ends], hold: Hold) -> tuple[str, str]:
        """What became of each. Whatever an act raises beyond what it says itself comes out here."""
        stage = Stage()
        futures = [
            pool.submit(contextvars.copy_context().run, self._play, stage, me, acts[me], hold)
            for me, pool in enumerate(self._pools)
        ]
        self._direct(stage, futures)
        return futures[0].result(), futures[1].result()

    def _direct(self, stage: Stage, futures: list[Future[str]]) -> None:
        """Gives the turn on whenever whoever has it waits for the other in the database."""
        while not all(stage.done):
            one = stage.turn()
            try:
                futures[one].exception(timeout=LOOK_EVERY)
                continue
            except TimeoutError:
                pass
            other = 1 - one
            if stage.done[other] or not (stage.asking[one] and self._waits(one)):
                continue
            if not (stage.asking[other] and self._waits(other)):
                stage.give_turn(other)

    def _waits(self, me: int) -> bool:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(BLOCKED, [self._pids[me]])
            return bool(cursor.fetchone()[0])

    def _play(self, stage: Stage, me: int, act: Ends, hold: Hold) -> str:
        try:
            stage.wait_for_turn(me)
            with self._taking_turns(stage, me, hold):
                return act()
        finally:
            stage.finish(me)

    @contextmanager
    def _taking_turns(self, stage: Stage, me: int, hold: Hold) -> Iterator[None]:
        connection = connections[DEFAULT_DB_ALIAS]
        commit = connection._commit  # type: ignore[attr-defined]
        counts = {"commit": 0, "statement": 0}

        def passed(what: str, at: int) -> None:
            counts[what] += 1
            if me == 0 and counts[what] == at and not stage.done[1]:
                stage.give_turn(1)
                stage.wait_for_turn(me)

        def asked(ask: Callable[[], Any]) -> Any:
            stage.asking[me] = True
            try:
                return ask()
            finally:
                stage.asking[me] = False
                stage.wait_for_turn(me)

        def held_commit() -> None:
            passed("commit", hold.commit)
            asked(commit)

        def statement(
            execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
        ) -> Any:
            self._note(sql)
            result = asked(lambda: execute(sql, params, many, context))
            passed("statement", hold.statement)
            return result

        vars(connection)["_commit"] = held_commit
        try:
            with connection.execute_wrapper(statement):
                yield
        finally:
            del vars(connection)["_commit"]


def _pid() -> int:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
