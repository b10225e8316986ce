"""Damaged copies of every kind of file: always a verdict with a sentence, never an unforeseen error."""

import logging
import random
from pathlib import Path

import pytest

from ingest.inspect import Pool
from tests.ingest.conftest import Inspect
from tests.ingest.fuzzing import contradicts_itself, damaged, seeds

ROUNDS = 25
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*"))
"""What longer sessions of `tests.ingest.fuzzing` found, once mended."""


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "heic", "tiff", "pdf"])
def test_damage_ends_in_a_verdict(
    kind: str, tmp_path: Path, inspect: Inspect, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    data = seeds(tmp_path)[kind].read_bytes()
    dice = random.Random(kind)
    with caplog.at_level(logging.WARNING, logger="ingest.inspect"):
        for number in range(ROUNDS):
            path = tmp_path / f"damaged-{number}"
            path.write_bytes(damaged(data, dice))
            assert not contradicts_itself(inspect(path))
    assert caplog.messages == []


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_was_found_once_is_foreseen(
    path: Path, inspect: Inspect, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="ingest.inspect"):
        assert not contradicts_itself(inspect(path))
    assert caplog.messages == []
