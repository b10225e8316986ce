"""Database triggers that make the postage records append-only, for PostgreSQL and SQLite alike.

The balance of the ledger needs none: a posting cannot name only one side (see `logistics.models.ledger`).
"""

from collections.abc import Mapping

# Tables whose rows never change.
FROZEN = (
    "logistics_charge",
    "logistics_chargeshare",
    "logistics_ledgerentry",
    "logistics_posting",
    "logistics_statementline",
    "logistics_settlementline",
)
# Tables of which only some columns may change, and from when on: (condition on the old row, its other columns).
STATEMENT_COLUMNS = (
    "id",
    "carrier_id",
    "centre_id",
    "month",
    "stored_id",
    "sha256",
    "encoding",
    "columns",
    "line_count",
    "amount_fen",
    "totals",
    "imported_at",
)
SETTLEMENT_COLUMNS = (
    "id",
    "number",
    "centre_id",
    "carrier_id",
    "month",
    "line_count",
    "billed_fen",
    "withheld_fen",
    "released_fen",
    "payable_fen",
    "accrued_count",
    "accrued_fen",
    "prepared_at",
    "prepared_by",
    "closed_at",
    "closed_by",
    "frozen",
)
PARTLY_FROZEN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "logistics_statement": ("", STATEMENT_COLUMNS),
    "logistics_settlement": ("OLD.frozen", SETTLEMENT_COLUMNS),
}

_FUNCTION = """
CREATE OR REPLACE FUNCTION logistics_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def install_sql(vendor: str) -> list[str]:
    """Statements that put the triggers up, one at a time. Raises KeyError for a database we do not know."""
    write = {"postgresql": _postgresql, "sqlite": _sqlite}[vendor]
    statements = [_FUNCTION] if vendor == "postgresql" else []
    for table in (*FROZEN, *PARTLY_FROZEN):
        statements += [write(table, "DELETE", ""), write(table, "UPDATE", _condition(vendor, table))]
    return statements


def remove_sql(vendor: str) -> list[str]:
    """The inverse, for going back."""
    on = " ON {table}" if vendor == "postgresql" else ""
    drops = [
        f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on.format(table=table)}"
        for table in (*FROZEN, *PARTLY_FROZEN)
        for verb in ("update", "delete")
    ]
    return [*drops, "DROP FUNCTION IF EXISTS logistics_frozen()"] if vendor == "postgresql" else drops


def _condition(vendor: str, table: str) -> str:
    """When an update is forbidden, as SQL over OLD and NEW; always, when empty."""
    if table not in PARTLY_FROZEN:
        return ""
    when, columns = PARTLY_FROZEN[table]
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    # JSON columns compare as text: PostgreSQL's json has no equality of its own, jsonb casts to a stable text.
    cast = "::text" if vendor == "postgresql" else ""
    changed = " OR ".join(f'OLD."{column}"{cast} {differs} NEW."{column}"{cast}' for column in columns)
    return f"{when} AND ({changed})" if when else changed


def _postgresql(table: str, verb: str, condition: str) -> str:
    when = f"WHEN ({condition}) " if condition else ""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"FOR EACH ROW {when}EXECUTE FUNCTION logistics_frozen()"
    )


def _sqlite(table: str, verb: str, condition: str) -> str:
    when = f"WHEN {condition} " if condition else ""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"FOR EACH ROW {when}BEGIN SELECT RAISE(ABORT, 'append-only: {verb} on {table}'); END"
    )
