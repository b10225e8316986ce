"""Database triggers that keep rows as they were written, for PostgreSQL and SQLite alike.

They guard against our own mistakes and against hands in the database; whoever may drop a trigger is not stopped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Guards = Mapping[str, tuple[str, Sequence[str]]]
"""Table → (condition on the old row, columns that may then not change). No columns: nothing may change, ever."""

_FUNCTION = """
CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def install_sql(vendor: str, guards: Guards) -> list[str]:
    """Statements that put the triggers up, one at a time. Raises KeyError for a database we do not know."""
    write = {"postgresql": _postgresql, "sqlite": _sqlite}[vendor]
    statements = [_FUNCTION] if vendor == "postgresql" else []
    for table, (when, columns) in guards.items():
        statements += [write(table, "DELETE", ""), write(table, "UPDATE", _condition(vendor, when, columns))]
    return statements


def remove_sql(vendor: str, guards: Guards) -> list[str]:
    """The inverse, for going back."""
    return [
        f"DROP TRIGGER IF EXISTS {table}_no_{verb}{f' ON {table}' if vendor == 'postgresql' else ''}"
        for table in guards
        for verb in ("update", "delete")
    ]


def install(guards: Guards) -> Any:
    """The forward half of a migration's RunPython."""

    def run(apps: Any, schema_editor: Any) -> None:
        for statement in install_sql(schema_editor.connection.vendor, guards):
            # No parameters: the percent sign of the function is PostgreSQL's own.
            schema_editor.execute(statement, params=None)

    return run


def remove(guards: Guards) -> Any:
    """The backward half of a migration's RunPython."""

    def run(apps: Any, schema_editor: Any) -> None:
        for statement in remove_sql(schema_editor.connection.vendor, guards):
            # No parameters: the percent sign of the function is PostgreSQL's own.
            schema_editor.execute(statement, params=None)

    return run


def _condition(vendor: str, when: str, columns: Sequence[str]) -> str:
    """When an update is forbidden, as SQL over OLD and NEW; always, when empty."""
    if not columns:
        return when
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    # JSON columns compare as text: PostgreSQL's json has no equality of its own, jsonb casts to a stable text.
    cast = "::text" if vendor == "postgresql" else ""
    changed = " OR ".join(f'OLD."{column}"{cast} {differs} NEW."{column}"{cast}' for column in columns)
    return f"{when} AND ({changed})" if when else changed


def _postgresql(table: str, verb: str, condition: str) -> str:
    when = f"WHEN ({condition}) " if condition else ""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"FOR EACH ROW {when}EXECUTE FUNCTION append_only()"
    )


def _sqlite(table: str, verb: str, condition: str) -> str:
    when = f"WHEN {condition} " if condition else ""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"FOR EACH ROW {when}BEGIN SELECT RAISE(ABORT, 'append-only: {verb} on {table}'); END"
    )
