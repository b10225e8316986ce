"""What the tests of the file intake share: one warm pool of inspection children, ended afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.inspect import Inspection, Pool, inspect_file

Inspect = Callable[..., Inspection]


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    children = Pool(size=1)
    yield children
    children.close()


@pytest.fixture
def inspect(pool: Pool, tmp_path: Path) -> Inspect:
    """Inspect a file into this test's own folder."""

    def run(path: Path, *, password: str | None = None) -> Inspection:
        return inspect_file(path, tmp_path / f"pages-of-{path.name}", password=password, pool=pool)

    return run
