"""A database of the simulation's own, made for one run and gone after it; the installation's data is not touched."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections

from registry.models import Event, User
from storage.errors import Refused


class NotEmpty(Refused):
    """Somebody works with this database."""

    def __init__(self) -> None:
        super().__init__("simulation_live_data", "这个数据库里有真实数据，模拟运行只在自建的空数据库里进行。")


@contextmanager
def throw_away_database() -> Iterator[None]:
    """In memory where SQLite is configured; on PostgreSQL a database beside ours, for which our user may need CREATEDB."""
    connection = connections[DEFAULT_DB_ALIAS]
    before = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite":
        connection.settings_dict["TEST"]["NAME"] = f"tongban_simulation_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def check_empty() -> None:
    """Raises NotEmpty where anything ever happened or anybody has an account."""
    if Event.objects.exists() or User.objects.exists():
        raise NotEmpty
