"""The process dies at a commit: just before it, so that nothing was written, or just after, so that nobody heard."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b", re.IGNORECASE)

MOST_OF_AN_ACT = 20
"""Commits of one act that are told apart; rounds of upkeep make as many as there is to do."""


class Crash(BaseException):
    """The end of a process. Not an Exception: nothing in the product may catch it and go on."""


class CommitPoints:
    """Every commit of the default connection passes here, named by the act that made it, its number and the side.

    A statement outside a transaction is a commit of its own. Points at which no process died yet are chosen first, so
    that in time each has had its crash. `wrote`: whether anything was written since it was last set back.
    """

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self.wrote = False
        self.reached: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self._act, self._count, self._target = "", 0, ""

    @contextmanager
    def during(self, act: str, *, armed: bool) -> Iterator[None]:
        """Counts the commits of one act; when armed, the process dies at one of them, if the act comes that far."""
        self._act, self._count = act, 0
        self._target = self._choose(act) if armed else ""
        connection = connections[DEFAULT_DB_ALIAS]
        commit = connection._commit  # type: ignore[attr-defined]

        def commit_or_die() -> None:
            self._pass("before", undo=connection.rollback)
            commit()
            self._pass("after")

        # The one place through which a transaction of Django ends well; hooks exist only for what comes afterwards.
        vars(connection)["_commit"] = commit_or_die
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            del vars(connection)["_commit"]
            self._act = ""

    def never_struck(self) -> list[str]:
        """Commits at which no process died."""
        return sorted(point for point in self.reached if point not in self.struck)

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        writes = WRITES.match(sql) is not None
        self.wrote = self.wrote or writes
        if context["connection"].in_atomic_block or not writes:
            return execute(sql, params, many, context)
        self._pass("before")
        result = execute(sql, params, many, context)
        self._pass("after")
        return result

    def _pass(self, side: str, *, undo: Callable[[], None] | None = None) -> None:
        self._count = min(self._count + (side == "before"), MOST_OF_AN_ACT)
        point = f"{self._act} {self._count} {side}"
        self.reached[point] += 1
        if self._target not in (point, "any"):
            return
        self.struck[point] += 1
        self._target = ""
        if undo is not None:
            undo()
        raise Crash(point)

    def _choose(self, act: str) -> str:
        known = [point for point in self.reached if point.rsplit(" ", 2)[0] == act]
        fresh = [point for point in known if point not in self.struck]
        if fresh:
            return max(fresh, key=lambda point: self.reached[point])
        return self._dice.choice(known) if known else "any"
