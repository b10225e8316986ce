"""What begins a run is there, and a file stays together."""

from itertools import groupby

import pytest

from tests.order import LONGEST, file_of, longest_first
from tests.shared import ROOT


def test_the_longest_files_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_the_longest_begin_and_no_file_is_torn_apart(request: pytest.FixtureRequest) -> None:
    collected = list(request.session.items)
    items = sorted(collected, key=lambda item: item.name)
    longest_first(items)
    files = [file for file, _ in groupby(items, key=file_of)]
    assert len(files) == len(set(files))
    assert set(items) == set(collected)
    long = [name for name in LONGEST if name in files]
    assert files[: len(long)] == long
