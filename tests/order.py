"""Which files begin a run: a long one that came last would keep one core busy while the others have nothing to do."""

from collections import Counter

import pytest

LONGEST = (
    "demo/test_demo.py",
    "config/test_simulation.py",
    "config/test_refused_forms.py",
    "ocr/test_scans.py",
    "config/test_simulation_finds.py",
    "config/test_simulation_books.py",
    "ocr/test_pictures.py",
    "ingest/test_quality.py",
    "services/test_serve.py",
    "upgrading/test_upgrading.py",
    "dossier/test_arriving.py",
    "config/test_reach.py",
    "walks/test_walks.py",
    "browser/test_every_page.py",
    "config/test_simulation_at_once.py",
    "workers/test_real_work.py",
    "logistics/test_pushes_killed.py",
    "logistics/test_pushes_database_killed.py",
)
"""Files that take half a minute or more with few tests in them, below tests/. Others begin by the number of their tests."""


def longest_first(items: list[pytest.Item]) -> None:
    """Order the tests by file; those of one file keep their order. Each process of a run comes to the same."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    count = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[int, int, str]:
        return rank.get(file_of(item), len(LONGEST)), -count[item.path], str(item.path)

    items.sort(key=place)


def file_of(item: pytest.Item) -> str:
    """As `LONGEST` names it."""
    return "/".join(item.path.parts[-2:])
