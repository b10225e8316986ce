"""Writing many rows of one table at once: COPY where the database has it, ordinary inserts elsewhere."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models

_BATCH = 2000


def append_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows whose values stand in the order of `columns` (names of database columns of `model`).

    Runs in the caller's transaction. Constraints and triggers hold as for any insert; defaults of the model do not
    apply, so every column without a database default has to be named.
    """
    if connection.vendor == "postgresql":
        _copy(model, columns, rows)
        return
    fields = {field.column: field.attname for field in model._meta.concrete_fields}
    names = [fields[column] for column in columns]
    made = (model(**dict(zip(names, row, strict=True))) for row in rows)
    while batch := list(islice(made, _BATCH)):
        model._default_manager.bulk_create(batch)


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    quote = connection.ops.quote_name
    named = ", ".join(quote(column) for column in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(model._meta.db_table)} ({named}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
    with connection.cursor() as cursor:
        # The planner would go on believing in the table of before, and read it from end to end for every question.
        cursor.execute(f"ANALYZE {quote(model._meta.db_table)}")
