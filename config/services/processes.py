"""One outside server: how it is prepared, started, asked for its health, and stopped by its exact process."""

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 20.0


class ServiceFailed(Exception):
    """A server did not start or is not installed. The message says what to do; it names the log, not its content."""


@dataclass(frozen=True)
class Service(ABC):
    """A server that keeps everything it writes below `folder`."""

    folder: Path

    name = "service"
    start_seconds = 30.0

    @abstractmethod
    def prepare(self) -> None:
        """Write the folder and configuration that the server needs; harmless when they are there."""

    @abstractmethod
    def command(self) -> list[str]:
        """The foreground command, to be run with `folder` as working directory."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers now, with our credentials."""

    def environment(self) -> dict[str, str]:
        """Variables on top of the caller's own."""
        return {}

    def user(self) -> str | None:
        """The account to run as, when it may not be the caller's."""
        return None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> "Running":
        """Start and wait until ready. Raises ServiceFailed."""
        self.prepare()
        running = Running(self, self._spawn())
        try:
            wait_until(self.is_ready, seconds=self.start_seconds, alive=running.is_alive)
        except TimeoutError:
            running.stop()
            raise ServiceFailed(f"{self.name} did not start; its log is {self.log}") from None
        return running

    def _spawn(self) -> subprocess.Popen[bytes]:
        account = self.user()
        try:
            with self.log.open("ab") as log:
                return subprocess.Popen(
                    self.command(),
                    cwd=self.folder,
                    env={**os.environ, **self.environment()},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=0o077,
                    user=account,
                    group=account,
                    extra_groups=[] if account else None,
                )
        except FileNotFoundError as error:
            raise ServiceFailed(f"{error.filename} is not installed; run scripts/setup") from error


@dataclass
class Running:
    """A started server. Stopping it twice is harmless."""

    service: Service
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals = field(default=signal.SIGTERM)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        if not self.is_alive():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """What a power cut looks like to the server."""
        self.process.kill()
        self.process.wait()


def wait_until(
    holds: Callable[[], bool],
    *,
    seconds: float,
    alive: Callable[[], bool] = lambda: True,
    pause: float = 0.05,
) -> None:
    """Return when `holds()`; raise TimeoutError when it does not in time, or at once when no longer `alive()`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end or not alive():
            raise TimeoutError
        time.sleep(pause)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
