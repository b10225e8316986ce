"""A database that the migrations made, once in a run: every process that tests works on a copy of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection

from tests.services.servers import TestServers

TEMPLATE = "migrated"


def copy_migrated(servers: TestServers, name: str) -> None:
    """Give this process the migrated database under a name of its own; whoever comes first runs the migrations.

    On SQLite the copy is the file that the settings name, as it is in service, and `name` says nothing.
    """
    copy = _copy_postgresql if connection.vendor == "postgresql" else _copy_sqlite
    connection.close()
    with servers.alone("template"):
        copy(servers, name)


def _copy_postgresql(servers: TestServers, name: str) -> None:
    url = servers.postgresql.database_url("postgres")
    with psycopg.connect(url, autocommit=True) as server:
        if not _is_made(servers):
            # Left half made by a process that was killed.
            server.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {TEMPLATE}")
            _migrate(servers, TEMPLATE)
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    connection.settings_dict["NAME"] = name


def _copy_sqlite(servers: TestServers, name: str) -> None:
    template = servers.folder / f"{TEMPLATE}.sqlite3"
    if not _is_made(servers):
        _remove(template)
        _migrate(servers, template)
    own = Path(connection.settings_dict["NAME"])
    _remove(own)
    shutil.copyfile(template, own)


def _migrate(servers: TestServers, name: Any) -> None:
    with _working_on(name):
        call_command("migrate", verbosity=0, interactive=False)
    _mark(servers).touch()


@contextmanager
def _working_on(name: Any) -> Iterator[None]:
    """The connection of this process on another database. The last to close an SQLite file writes its log into it."""
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _is_made(servers: TestServers) -> bool:
    return _mark(servers).exists()


def _mark(servers: TestServers) -> Path:
    return servers.folder / f"{TEMPLATE}.done"


def _remove(database: Path) -> None:
    for path in (
        database,
        database.with_name(f"{database.name}-wal"),
        database.with_name(f"{database.name}-shm"),
    ):
        path.unlink(missing_ok=True)
