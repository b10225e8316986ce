"""Damaged copies of every kind of file: always a verdict with a sentence, never an unforeseen error."""

import logging
import random
from pathlib import Path

import pytest

from ingest.inspect import Pool
from tests.ingest import hostile
from tests.ingest.conftest import Inspect

ROUNDS = 25


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A few bytes changed, cut out or put in, half of the time near the beginning."""
    copy = bytearray(data)
    for _ in range(dice.choice((1, 2, 5, 20))):
        at = dice.randrange(len(copy) if dice.random() < 0.5 else min(len(copy), 600))
        kind = dice.random()
        if kind < 0.7:
            copy[at] = dice.choice((0, 255, 127, dice.randrange(256)))
        elif kind < 0.85:
            del copy[at : at + dice.randrange(1, 40)]
        else:
            copy[at:at] = dice.randbytes(dice.randrange(1, 20))
    return bytes(copy)


def seeds(folder: Path) -> dict[str, Path]:
    png, webp = folder / "a.png", folder / "a.webp"
    hostile.paper((200, 300)).save(png)
    hostile.paper((200, 300)).save(webp)
    return {
        "jpeg": hostile.jpeg(folder / "a.jpg", exif=hostile.gps_exif(6)),
        "png": png,
        "webp": webp,
        "heic": hostile.heic(folder / "a.heic"),
        "tiff": hostile.tiff(folder / "a.tiff", pages=2),
        "pdf": hostile.pdf_with_poison(folder / "a.pdf"),
    }


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
            found = inspect(path)
            assert found.reason.endswith("。")
            assert found.refused != bool(found.pages)
    assert caplog.messages == []
