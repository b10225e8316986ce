"""A private PostgreSQL behind a Unix socket in its own folder: for tests and benchmarks, and for those who want one."""

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.services.processes import Running, Service, ServiceFailed

# Throw-away data: what a power cut would lose is not wanted back.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# What docs/operator.md asks of a server that takes in statements of a million lines; nothing of it is less safe.
ROOMY = ("shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=15min")


def find_binaries() -> Path | None:
    """The newest PostgreSQL of Debian's layout, or the one on the PATH."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name)
    )
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@dataclass(frozen=True)
class PrivatePostgresql(Service):
    """`durable=False` trades safety against power cuts for speed; `settings` are those of postgresql.conf."""

    durable: bool = True
    settings: tuple[str, ...] = ()

    name = "postgresql"

    @property
    def url(self) -> str:
        """Without the name of a database."""
        return f"postgresql://{self.account}@{quote(str(self.folder), safe='')}"

    def database_url(self, database: str = "postgres") -> str:
        return f"{self.url}/{database}"

    @property
    def account(self) -> str:
        return self.user() or pwd.getpwuid(os.getuid()).pw_name

    def user(self) -> str | None:
        """PostgreSQL refuses to run as root; Debian's package brings an account for it."""
        return "postgres" if os.getuid() == 0 else None

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        if owner := self.user():
            shutil.chown(self.folder, owner, owner)
        if (self.folder / "data" / "PG_VERSION").exists():
            return
        made = subprocess.run(
            [
                *(["runuser", "-u", owner, "--"] if owner else []),
                str(self._binaries() / "initdb"),
                "--pgdata=data",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                f"--username={self.account}",
                "--no-instructions",
                *(() if self.durable else ("--no-sync",)),
            ],
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        if made.returncode:
            raise ServiceFailed(f"initdb failed: {made.stderr.decode(errors='replace').strip()}")

    def command(self) -> list[str]:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "unix_socket_permissions=0700",
            *self.settings,
        ]
        if not self.durable:
            settings += FAST
        return [
            str(self._binaries() / "postgres"),
            "-D",
            "data",
            *(part for setting in settings for part in ("-c", setting)),
        ]

    def start(self) -> Running:
        running = super().start()
        running.stop_signal = signal.SIGINT  # fast shutdown: does not wait for clients to leave
        return running

    def is_ready(self) -> bool:
        asked = subprocess.run(
            [str(self._binaries() / "pg_isready"), "-q", "-h", str(self.folder)], check=False
        )
        return asked.returncode == 0

    def _binaries(self) -> Path:
        binaries = find_binaries()
        if binaries is None:
            raise ServiceFailed("PostgreSQL is not installed (Debian package: postgresql)")
        return binaries
