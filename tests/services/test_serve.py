"""`manage.py serve` as an operator meets it: one start, one stop, nothing left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.embedded import free_ports, load_or_make
from config.services.embedded import private_redis
from config.services.processes import wait_until
from registry.time import local_day
from registry.workdays import years_unknown
from tests.shared import ROOT

SECONDS = 180


class Served:
    """One installation with embedded servers and SQLite in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
        self.environment = {**kept, "TONGBAN_DATA_DIR": str(folder / "var")}
        self.said = folder / "said"
        self.process = self._command(self.said)

    def _command(self, output: Path) -> "subprocess.Popen[bytes]":
        with output.open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def second_start(self) -> tuple[int, str]:
        output = self.folder / "second"
        return self._command(output).wait(SECONDS), output.read_text()

    def wait_for(self, words: str) -> None:
        try:
            wait_until(
                lambda: words in self.said.read_text(),
                seconds=SECONDS,
                alive=lambda: self.process.poll() is None,
            )
        except TimeoutError:
            logs = "".join(path.read_text()[-1500:] for path in self.folder.glob("var/serve/log/*"))
            pytest.fail(f"{self.said.read_text()}\n{logs}")

    def processes(self) -> list[int]:
        """Every process that works in our data folder or was told of it (Redis writes over what it was told)."""
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and self._is_ours(entry)
        ]

    def _is_ours(self, entry: Path) -> bool:
        marker = f"TONGBAN_DATA_DIR={self.folder}/var".encode()
        try:
            told = marker in (entry / "environ").read_bytes().split(b"\0")
            return told or (entry / "cwd").readlink().is_relative_to(self.folder)
        except OSError:
            return False  # ended meanwhile, or not ours to look at

    def is_gone(self) -> bool:
        return self.process.poll() is not None and not self.processes()


@pytest.fixture
def served() -> Iterator[Served]:
    # Not pytest's folder: a Unix socket lies below, and its address may not be long.
    with tempfile.TemporaryDirectory(prefix="tongban-serve-", ignore_cleanup_errors=True) as folder:
        installation = Served(Path(folder))
        yield installation
        for pid in installation.processes():
            os.kill(pid, signal.SIGKILL)
        installation.process.wait()


def test_one_command_starts_everything_and_one_signal_stops_it(served: Served) -> None:
    served.wait_for("open http://")
    unknown = years_unknown(local_day(datetime.now(UTC)))
    assert served.said.read_text().count("放假调休安排尚未载入") == bool(unknown), (
        "loud at its start exactly while this or the next year is not known"
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/login/", timeout=10) as page:
        assert page.status == 200

    code, said = served.second_start()
    assert code == 1
    assert f"already running: http://127.0.0.1:{served.port}/" in said

    redis = private_redis(served.folder / "var", load_or_make(served.folder / "var"))
    pid = _redis_process(served)
    os.kill(pid, signal.SIGKILL)
    served.wait_for("redis had ended and was started again")
    assert redis.is_ready()

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(SECONDS) == 0
    assert served.said.read_text().rstrip().endswith("stopped")
    assert served.processes() == []


def test_a_killed_manager_takes_its_processes_along(served: Served) -> None:
    served.wait_for("open http://")
    assert len(served.processes()) > 5
    served.process.kill()
    wait_until(served.is_gone, seconds=SECONDS)


def _redis_process(served: Served) -> int:
    for pid in served.processes():
        if b"redis-server" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    pytest.fail("no redis-server runs")
