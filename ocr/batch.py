"""Reads many page pictures, in several single-threaded processes when asked to; knows no Django."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter

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


def read_pages(
    pages: Iterable[Path], *, engine: str = "rapidocr", backend: str = "auto", jobs: int = 1
) -> Iterator[Outcome]:
    """Yield one outcome for each page, in the order of the pages, while later ones are still being read.

    Raises EngineFailed when the engine cannot be started, ValueError when there is no such engine.
    """
    if jobs <= 1:
        reader = make_engine(engine, backend)
        yield from (_outcome(page, reader) for page in pages)
        return
    # Spawned, not forked: neural libraries do not survive a fork.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        waiting: list[Future[Outcome]] = []
        queue = iter(pages)
        while True:
            more = itertools.islice(queue, jobs * AHEAD - len(waiting))
            waiting.extend(pool.submit(_read_in_worker, page, engine, backend) for page in more)
            if not waiting:
                return
            yield waiting.pop(0).result()


@lru_cache(maxsize=1)
def _engine_of_worker(name: str, backend: str) -> Engine:
    return make_engine(name, backend)


def _read_in_worker(page: Path, engine: str, backend: str) -> Outcome:
    return _outcome(page, _engine_of_worker(engine, backend))


def _outcome(page: Path, engine: Engine) -> Outcome:
    identity, begun = Identity.of(engine), perf_counter()
    try:
        text = read_page(page, engine)
    except Refused as refusal:
        return Outcome(identity, None, perf_counter() - begun, refusal.code, refusal.message)
    return Outcome(identity, text, perf_counter() - begun)
