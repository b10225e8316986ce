"""Starts each real server when a test first needs it, and stops them all, by exact process, when the run ends.

With pytest-xdist every process may be the first to need one, so starting is done under a file lock in the
folder of the run, and the process that leads the run does the stopping.
"""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config.embedded import load_or_make
from config.services.embedded import private_redis, private_seaweed
from config.services.postgresql import PrivatePostgresql, find_binaries
from config.services.processes import Running, Service, wait_until
from config.services.redis import PrivateRedis
from config.services.seaweed import PrivateSeaweed

PREFIX = "tongban-test-"


@dataclass(frozen=True)
class TestServers:
    """The servers of one test run. Give `ensure` the one you need."""

    __test__ = False

    folder: Path
    redis: PrivateRedis
    seaweed: PrivateSeaweed
    postgresql: PrivatePostgresql
    started_here: list[Running] = field(default_factory=list)

    @classmethod
    def at(cls, folder: Path) -> "TestServers":
        embedded = load_or_make(folder)
        return cls(
            folder=folder,
            redis=private_redis(folder, embedded),
            seaweed=private_seaweed(folder, embedded),
            postgresql=PrivatePostgresql(folder / "postgresql", durable=False),
        )

    @property
    def all(self) -> list[Service]:
        return [self.redis, self.seaweed, self.postgresql]

    def ensure(self, service: Service) -> None:
        """Start it unless it runs already. Raises ServiceFailed."""
        with self.alone("servers"):
            if _pid_of(service) is None:
                running = service.start()
                self.started_here.append(running)
                _pid_file(service).write_text(str(running.pid))

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The address of an empty PostgreSQL database of this name; it goes with whoever is still in it."""
        self.ensure(self.postgresql)
        with psycopg.connect(self.postgresql.database_url("postgres"), autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            try:
                yield self.postgresql.database_url(name)
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Stop what was started and remove the folder. Only for the process that leads the run."""
        for service in self.all:
            if pid := _pid_of(service):
                # PostgreSQL would wait for its clients after SIGTERM.
                os.kill(pid, signal.SIGINT if service is self.postgresql else signal.SIGTERM)
        for service in self.all:
            _wait_or_kill(service)
        for running in self.started_here:
            running.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Held by one process of the run at a time; let go of when that one is killed."""
        with (self.folder / f"{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def open_run() -> TestServers:
    """A new folder for this run. Runs whose leader was killed are cleared away first."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _clear_if_abandoned(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # PostgreSQL runs under another account when we are root
    (folder / "leader").write_text(str(os.getpid()))
    return TestServers.at(folder)


def has_postgresql() -> bool:
    return find_binaries() is not None


def _clear_if_abandoned(folder: Path) -> None:
    leader = folder / "leader"
    try:
        if folder.stat().st_uid != os.getuid() or Path("/proc", leader.read_text()).exists():
            return
    except OSError:
        return
    TestServers.at(folder).stop()


def _pid_file(service: Service) -> Path:
    return service.folder / "test.pid"


def _pid_of(service: Service) -> int | None:
    """Its process, if the number on file still belongs to it: every server runs inside its own folder."""
    try:
        pid = int(_pid_file(service).read_text())
        return pid if _working_folder(pid, service) else None
    except (OSError, ValueError):
        return None


def _working_folder(pid: int, service: Service) -> bool:
    here = Path(f"/proc/{pid}/cwd").readlink()
    # PostgreSQL moves into its data folder.
    return here == service.folder or here == service.folder / "data"


def _wait_or_kill(service: Service) -> None:
    pid = _pid_of(service)
    if pid is None:
        return
    try:
        wait_until(lambda: _pid_of(service) is None or _is_zombie(pid), seconds=20)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
