"""Runs one command to its end and tells what it cost: wall clock, processor, and memory of all its processes."""

import json
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 0.2
TAIL = 2000


class CommandFailed(Exception):
    """A measured command ended with an error, so there is nothing to compare."""


@dataclass(frozen=True)
class Ran:
    """`peak` is the largest sum of proportional set sizes seen, in bytes; sampled, so short spikes may be missed, and 0
    where nobody watched."""

    seconds: float
    cpu_seconds: float
    peak: int
    output: str


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path = ROOT,
    watched: bool = False,
) -> Ran:
    """Run and measure; memory only when `watched`, as looking takes 4 % of the time of many large processes.

    Raises CommandFailed with the end of what the command said.
    """
    words = [str(word) for word in command]
    # Compiled modules are kept, as they are wherever a program runs for the second time.
    surroundings = {**(environment or os.environ)}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    with subprocess.Popen(
        words, cwd=directory, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        watch = _Watch(process.pid)
        if watched:
            watch.start()
        try:
            output, errors = process.communicate()
        except BaseException:
            process.terminate()  # we are told to stop: nothing that we started may go on
            raise
        finally:
            watch.over.set()
            if watched:
                watch.join()
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise CommandFailed(f"{words[0]} ended with {process.returncode}: {(errors or output)[-TAIL:]}")
    cpu_seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Ran(seconds, cpu_seconds, watch.peak, output)


def last_line(ran: Ran) -> dict[str, Any]:
    """What a step of bench/work answers: JSON on its last line."""
    answer: dict[str, Any] = json.loads(ran.output.splitlines()[-1])
    return answer


def own_peak() -> int:
    """The largest resident set of this very process so far, in bytes; unlike getrusage it starts afresh at exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("this kernel does not tell VmHWM")


class _Watch(threading.Thread):
    """Looks at a process and all that descends from it, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.peak = 0
        self._pid = pid

    def run(self) -> None:
        while not self.over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_proportional_size, _family(self._pid))))


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:  # grows while it is walked
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue  # ended meanwhile
    return found


def _proportional_size(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # ended meanwhile, or ending
    return 0
