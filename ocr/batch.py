"""Reads many page pictures, in several single-threaded processes when asked to; knows no Django."""

from __future__ import annotations

import atexit
import itertools
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Self

from ingest.inspect import Unpacked
from ocr.engines import quiet  # noqa: F401  # workers inherit the limit of one thread
from ocr.engines.choice import make_engine
from ocr.engines.interface import Engine, Identity
from ocr.reading import PageText, read_page
from storage.errors import Refused

AHEAD = 4
"""Pages given out per process before the first is asked back: keeps all busy and memory flat."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One page's text with who read it in how many seconds, or the code and sentence of why there is none."""

    engine: Identity
    text: PageText | None
    seconds: float
    code: str = ""
    reason: str = ""


class Readers:
    """Engines that load from the moment they are called for, while the caller finds out what there is to read.

    With `jobs` of one it is an engine in this process, else as many processes. Use as a context manager.
    """

    def __init__(self, *, engine: str = "rapidocr", backend: str = "auto", jobs: int = 1) -> None:
        self._engine, self._backend, self.jobs = engine, backend, jobs
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self.jobs > 1:
            # Spawned, not forked: neural libraries do not survive a fork.
            self._pool = ProcessPoolExecutor(self.jobs, multiprocessing.get_context("spawn"), _end_at_once)
            for _ in range(self.jobs):
                self._pool.submit(_engine_of_worker, self._engine, self._backend)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def read(self, pages: Iterable[Path | Unpacked]) -> Iterator[Outcome]:
        """Yield one outcome for each page, in the order of the pages, while later ones are still being read.

        Raises EngineFailed when the engine cannot be started, ValueError when there is no such engine.
        """
        if self._pool is None:
            reader = make_engine(self._engine, self._backend)
            yield from (_outcome(page, reader) for page in pages)
            return
        waiting: list[Future[Outcome]] = []
        queue = iter(pages)
        while True:
            more = itertools.islice(queue, self.jobs * AHEAD - len(waiting))
            waiting.extend(
                self._pool.submit(_read_in_worker, page, self._engine, self._backend) for page in more
            )
            if not waiting:
                return
            yield waiting.pop(0).result()


def read_pages(
    pages: Iterable[Path | Unpacked], *, engine: str = "rapidocr", backend: str = "auto", jobs: int = 1
) -> Iterator[Outcome]:
    """Yield one outcome for each page, as `Readers.read` does, and raise what it raises."""
    with Readers(engine=engine, backend=backend, jobs=jobs) as readers:
        yield from readers.read(pages)


def _end_at_once() -> None:
    """What a worker does first: see to it that nobody waits while its libraries are unloaded. It holds nothing."""
    atexit.register(os._exit, 0)


@lru_cache(maxsize=1)
def _engine_of_worker(name: str, backend: str) -> Engine:
    return make_engine(name, backend)


def _read_in_worker(page: Path | Unpacked, engine: str, backend: str) -> Outcome:
    return _outcome(page, _engine_of_worker(engine, backend))


def _outcome(page: Path | Unpacked, engine: Engine) -> Outcome:
    identity, begun = Identity.of(engine), perf_counter()
    try:
        text = read_page(page, engine)
    except Refused as refusal:
        return Outcome(identity, None, perf_counter() - begun, refusal.code, refusal.message)
    return Outcome(identity, text, perf_counter() - begun)
