"""The engines of this process, each loaded once."""

from functools import lru_cache

from ocr.engines.choice import FullEngine, make_engine


@lru_cache(maxsize=2)
def engine_of_process(name: str, backend: str) -> FullEngine:
    """Return this process's engine; loading one takes a second and a third of a gigabyte."""
    return make_engine(name, backend)
