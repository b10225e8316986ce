"""A throw-away installation of the product: settings, and the private servers that a benchmark asks for."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.benchmarks import Missing
from bench.processes import ROOT, Ran, last_line, run
from config.embedded import load_or_make
from config.services.embedded import private_seaweed
from config.services.postgresql import ROOMY, PrivatePostgresql, find_binaries
from config.services.processes import ServiceFailed


@dataclass(frozen=True)
class Installation:
    """`environment` is what its processes need; `database_url` is empty without a database."""

    environment: dict[str, str]
    database_url: str = ""

    def manage(self, *words: str | Path, watched: bool = False) -> Ran:
        """`manage.py` as an operator types it."""
        return run([sys.executable, "manage.py", *words], environment=self.environment, watched=watched)

    def working(self, step: str, *words: str | Path) -> Ran:
        """A step of bench/work in a process of its own, measured as a whole."""
        return run([sys.executable, "-m", "bench.work", step, *words], environment=self.environment)

    def work(self, step: str, *words: str | Path) -> dict[str, Any]:
        """The answer of such a step, with `peak_bytes` of its process."""
        return last_line(self.working(step, *words))


@contextmanager
def installed(*, database: bool = False, store: bool = False) -> Iterator[Installation]:
    """Made from nothing and gone at the end. PostgreSQL keeps its safety against power cuts, and has the memory that the
    operator's guide asks for. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="tongban-bench-") as name, ExitStack() as started:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs under another account when we are root
        environment = _environment(folder / "data")
        url = ""
        try:
            if database:
                if find_binaries() is None:
                    raise Missing("PostgreSQL is not installed (Debian package: postgresql)")
                server = PrivatePostgresql(folder / "pg", settings=ROOMY)
                started.callback(server.start().stop)
                url = server.database_url()
                environment["TONGBAN_DATABASE_URL"] = url
            if store:
                data = Path(environment["TONGBAN_DATA_DIR"])
                started.callback(private_seaweed(data, load_or_make(data)).start().stop)
        except ServiceFailed as fault:
            raise Missing(str(fault)) from fault
        ours = Installation(environment, url)
        if database:
            ours.manage("migrate", "--verbosity", "0")
        yield ours


def _environment(data: Path) -> dict[str, str]:
    data.mkdir(mode=0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "TONGBAN_DATA_DIR": str(data),
    }
