"""`sign UNSIGNED.pdf RUNS`: B-LTA by us and by pyHanko's own call, in turns, each as often as asked."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.work.seals import seal_by_pyhanko, seal_ours, trust
from dossier.contents import WINDOW_SEAL
from dossier.sign import system_clock
from dossier.verify import Status, verify


def main(words: Sequence[str]) -> dict[str, object]:
    source, runs = Path(words[0]), int(words[1])
    ways: dict[str, Callable[[Path, Path, str], None]] = {"ours": seal_ours, "pyhanko": seal_by_pyhanko}
    answer: dict[str, dict[str, list[float]]] = {name: {"seconds": [], "bytes": []} for name in ways}
    for run in range(runs + 1):
        for name, seal in ways.items():
            target = source.with_name(f"signed-by-{name}.pdf")
            begun = time.monotonic()
            seal(source, target, WINDOW_SEAL)
            if run:  # the first round pays for keys and imports of both
                answer[name]["seconds"].append(time.monotonic() - begun)
                answer[name]["bytes"].append(target.stat().st_size - source.stat().st_size)
    verdict = verify(source.with_name("signed-by-ours.pdf"), trust=trust(), moment=system_clock())
    if verdict.status is not Status.VALID:
        raise RuntimeError(f"our own signature does not verify: {verdict.reasons}")
    return dict(answer)
