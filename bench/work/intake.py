"""`intake prepare` opens a case; `intake take PDF…` uploads stacks into it; `intake look SCAN…` inspects and takes in single scans."""

import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.utils import timezone

from bench.processes import own_peak
from ingest.inspect import inspect_file, shared_pool
from ingest.models import Case
from ingest.piecewise import begin, finish_file, take_piece
from ingest.uploads import receive_file, to_scan_again
from registry.actors import Actor
from registry.models import User
from storage.services import prepare_buckets
from tests.cast import NOW, assemble, open_case

PIECE = 1 << 20
BLOCK = 1 << 16


def main(words: Sequence[str]) -> dict[str, object]:
    if words[0] == "prepare":
        return prepare()
    paths = [Path(word) for word in words[1:]]
    return take(paths) if words[0] == "take" else look(paths)


def prepare() -> dict[str, object]:
    prepare_buckets()
    case = open_case(assemble())
    return {"case": case.number}


def take(stacks: Sequence[Path]) -> dict[str, object]:
    """Peaks of this process after each file, in bytes."""
    case, clerk = _ours()
    peaks = []
    begun = time.monotonic()
    for path in stacks:
        now = timezone.now()
        arrival = begin(length=path.stat().st_size, original_name=path.name, actor=clerk, now=now)
        with path.open("rb") as file:
            for at in range(0, arrival.length, PIECE):
                size = min(PIECE, arrival.length - at)
                take_piece(
                    arrival=arrival, at=at, size=size, blocks=_blocks(file.read(size)), checksum=None, now=now
                )
        taken = finish_file(arrival=arrival, case=case, material=None, actor=clerk, now=NOW)
        if taken.verdict != "accepted":
            raise AssertionError(f"a stack was not taken in: {taken.code}")
        peaks.append(own_peak())
    seconds = time.monotonic() - begun
    return {
        "seconds": seconds,
        "peaks": peaks,
        "pages": case.pages.count(),
        "bytes": sum(path.stat().st_size for path in stacks),
    }


def look(scans: Sequence[Path]) -> dict[str, object]:
    """Wall clock and processor time of an inspection, and the time until each page's verdict, in milliseconds."""
    case, clerk = _ours()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(scans):
            if inspect_file(path, Path(folder) / str(number)).refused:
                raise AssertionError("a sound scan was refused")
    wall = time.monotonic() - begun
    shared_pool().close()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    verdicts = []
    for path in scans:
        arrived = time.monotonic()
        to_scan_again(
            receive_file(case=case, material=None, path=path, original_name=path.name, actor=clerk, now=NOW)
        )
        verdicts.append(1000 * (time.monotonic() - arrived))
    return {
        "ms": 1000 * wall / len(scans),
        "cpu_ms": 1000 * (children.ru_utime + children.ru_stime) / len(scans),
        "verdict_ms": verdicts,
    }


def _ours() -> tuple[Case, Actor]:
    return Case.objects.get(), Actor.of(User.objects.get(username="clerk"))


def _blocks(piece: bytes) -> Iterator[bytes]:
    for at in range(0, len(piece), BLOCK):
        yield piece[at : at + BLOCK]
