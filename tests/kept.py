"""What the product makes for many tests: made once in a process, then put back as the database and the store gave it."""

import io
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from storage.client import digest, store
from storage.models import ARCHIVED, StoredObject
from storage.services import open_verified

FOREIGN = {"django_content_type", "auth_permission"}
"""Filled by the migrations; nothing of ours."""
Rows = dict[str, list[Any]]
"""By table: PostgreSQL's own lines of text, or SQLite's tuples."""


class Kept:
    """What `make` adds to an empty world, or to one that holds what `on` adds and nothing else: rows of tables that
    were empty, and what lies in the store. It may change no row that was there. In any other world it is simply called.
    """

    def __init__(self, make: Callable[[], object], on: "Kept | None" = None) -> None:
        self._make = make
        self._on = on
        self._added: Rows = {}
        self._bytes: list[tuple[StoredObject, bytes]] = []

    def lay_out(self) -> None:
        before = taken()
        if not same(before, self._on.whole() if self._on else {}):
            self._make()
        elif self._added:
            self._put_back()
        else:
            self._make()
            self._keep(before, taken())

    def whole(self) -> Rows:
        """Every row of the world after it was laid out."""
        return (self._on.whole() if self._on else {}) | self._added

    def _keep(self, before: Rows, after: Rows) -> None:
        assert same(before, {table: after[table] for table in before}), "rows that were there have changed"
        self._added = {table: rows for table, rows in after.items() if table not in before}
        self._bytes = [(stored, open_verified(stored)) for stored in StoredObject.objects.all()]
        assert not any(stored.kind in ARCHIVED for stored, _ in self._bytes), "what is locked is made anew"

    def _put_back(self) -> None:
        for stored, content in self._bytes:
            file = io.BytesIO(content)
            store().put(
                bucket=stored.bucket,
                key=stored.key,
                file=file,
                digests=digest(file),
                media_type=stored.media_type,
            )
        with transaction.atomic():
            for table, rows in self._added.items():
                _put(table, rows)


def same(one: Rows, other: Rows) -> bool:
    """In whatever order the rows lie: PostgreSQL puts new ones where old ones have left a gap."""
    return one.keys() == other.keys() and all(
        sorted(one[table], key=repr) == sorted(other[table], key=repr) for table in one
    )


def _tables() -> list[str]:
    models = apps.get_models(include_auto_created=True)
    return [model._meta.db_table for model in models if model._meta.db_table not in FOREIGN]


def taken() -> Rows:
    """All rows, table by table, leaving out the empty ones."""
    tables = _tables()
    with connection.cursor() as cursor:
        # One question for all tables, most of which are empty.
        cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {table})" for table in tables))
        filled: Any = cursor.fetchone()
        return {
            table: _rows_of(cursor, table)
            for table, is_filled in zip(tables, filled, strict=True)
            if is_filled
        }


def _rows_of(cursor: Any, table: str) -> list[Any]:
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} TO STDOUT") as copy:
            return b"".join(copy).splitlines(keepends=True)
    return list(cursor.execute(f"SELECT * FROM {table}").fetchall())


def _put(table: str, rows: list[Any]) -> None:
    """With the keys that they had: those lie below what the database gives out next."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(b"".join(rows))
        else:
            marks = ", ".join("%s" for _ in rows[0])
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
