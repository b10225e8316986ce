"""The engines of this process, each loaded once."""

import threading
from functools import lru_cache

from ocr.engines.choice import FullEngine, make_engine

_loading = threading.Lock()


def engine_of_process(name: str, backend: str) -> FullEngine:
    """Return this process's engine; loading one takes a second and a third of a gigabyte.

    Whoever asks while it is being loaded waits for that one.
    """
    with _loading:
        return _loaded(name, backend)


@lru_cache(maxsize=2)
def _loaded(name: str, backend: str) -> FullEngine:
    return make_engine(name, backend)
