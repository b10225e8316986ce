"""The process dies at a commit: just before it, so that nothing was written, or just after, so that nobody heard."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

WRITES = re.compile(r'\s*(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|UPDATE|DELETE FROM|COPY)\s+"?(\w+)', re.IGNORECASE)
HAZARD = 0.003
"""How likely a process dies on either side of a commit at which one died before."""
OURS = frozenset(
    {"storage", "registry", "ingest", "ocr", "dossier", "logistics", "workers", "config", "tests"}
)
PLAY, STAGE = "config.simulation.", "config.simulation.run"
"""Frames of the play are no way of the product's; what calls an act ends the way."""
FIRST, AGAIN = "first", "again"
BEFORE, AFTER = "before", "after"
Unlucky = Callable[[float], bool]
"""Whether a misfortune of this share happens now."""


class Crash(BaseException):
    """The end of a process. Not an Exception: nothing in the product may catch it and go on."""


class Survived(Exception):
    """Something caught the end of its process and went on."""


@dataclass(frozen=True, order=True)
class Point:
    """A side of a commit, as it is told apart: `way` are the lines of ours that lead there, each as
    `module.function:line`, the outermost first; `turn` says whether the act came there for the first time or again.
    """

    act: str
    way: tuple[str, ...]
    turn: str
    side: str

    @property
    def place(self) -> str:
        """The function that commits, without its line."""
        return self.way[-1].rpartition(":")[0] if self.way else "the play"

    def __str__(self) -> str:
        lines = [line.rpartition(".")[2] for line in self.way[:-1]]
        return f"{self.act} at {' > '.join([*lines, *self.way[-1:]]) or self.place}, {self.turn}, {self.side}"


class CommitPoints:
    """Every commit of the default connection passes here; a statement outside a transaction is a commit of its own.

    Where no process died yet, one dies at once, whoever comes there: so there is no point that was reached and not
    struck. Where one did, another dies by chance. Once dead, a process writes nothing more. `written`: the tables that
    were written since it was last emptied, also by what was rolled back.
    """

    def __init__(self, unlucky: Unlucky) -> None:
        self._unlucky = unlucky
        self.written: set[str] = set()
        self.reached: Counter[Point] = Counter()
        self.struck: Counter[Point] = Counter()
        self._act = ""
        self._turns: Counter[tuple[str, ...]] = Counter()
        self._died: Point | None = None

    @contextmanager
    def during(self, act: str) -> Iterator[None]:
        """Watches the commits of one act. Raises Crash out of the one at which the process dies, Survived when the act
        ended as if it had not.
        """
        self._act, self._died = act, None
        self._turns.clear()
        connection = connections[DEFAULT_DB_ALIAS]
        commit = connection._commit  # type: ignore[attr-defined]

        def commit_or_die() -> None:
            way = _way()
            if self._dies(way, BEFORE):
                connection.rollback()
                raise Crash(self._died)
            commit()
            if self._dies(way, AFTER):
                raise Crash(self._died)

        # The one place through which a transaction of Django ends well; hooks exist only for what comes afterwards.
        vars(connection)["_commit"] = commit_or_die
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            del vars(connection)["_commit"]
        if self._died is not None:
            raise Survived(str(self._died))

    def note(self, sql: str) -> bool:
        """Whether a statement writes, with the table remembered."""
        found = WRITES.match(sql)
        if found is not None:
            self.written.add(found[1])
        return found is not None

    def never_struck(self) -> list[Point]:
        """Points that were reached and at which no process died."""
        return sorted(self.reached.keys() - self.struck.keys())

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        writes = self.note(sql)
        if writes and self._died is not None:
            raise Crash(self._died)
        if context["connection"].in_atomic_block or not writes:
            return execute(sql, params, many, context)
        way = _way()
        if self._dies(way, BEFORE):
            raise Crash(self._died)
        result = execute(sql, params, many, context)
        if self._dies(way, AFTER):
            raise Crash(self._died)
        return result

    def _dies(self, way: tuple[str, ...], side: str) -> bool:
        if self._died is not None:
            return True
        self._turns[way] += side == BEFORE
        point = Point(self._act, way, FIRST if self._turns[way] == 1 else AGAIN, side)
        self.reached[point] += 1
        if point in self.struck and not self._unlucky(HAZARD):
            return False
        self.struck[point] += 1
        self._died = point
        return True


def _way() -> tuple[str, ...]:
    """The lines of ours on the way from the act to its commit."""
    lines: list[str] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == STAGE:
            break
        if module.partition(".")[0] in OURS and not module.startswith(PLAY):
            lines.append(f"{module}.{frame.f_code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return tuple(reversed(lines))
