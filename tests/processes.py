"""Our own programs as processes of a test: started on its servers, killed as an out-of-memory killer or a power cut does."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.shared import ROOT

Process = subprocess.Popen[bytes]
Start = Callable[..., Process]


@contextmanager
def starting(environment: Mapping[str, str], log: Path) -> Iterator[Start]:
    """Gives a function that starts a command; whatever is left of its processes is killed at the end."""
    running: list[Process] = []

    def start_one(*command: str) -> Process:
        with log.open("ab") as written:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=written, stderr=written, start_new_session=True
            )
        running.append(process)
        return process

    yield start_one
    for process in running:
        kill(process)


def kill(process: Process) -> None:
    """The whole family at once, children too."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
