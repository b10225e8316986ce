"""Which postage records the database itself keeps as they were written (see `storage.append_only`).

The balance of the ledger needs no trigger: a posting cannot name only one side (see `logistics.models.ledger`).
"""

from storage.append_only import Guards

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
POSTAGE_GUARDS: Guards = {
    "logistics_charge": ("", ()),
    "logistics_chargeshare": ("", ()),
    "logistics_ledgerentry": ("", ()),
    "logistics_posting": ("", ()),
    "logistics_statementline": ("", ()),
    "logistics_settlementline": ("", ()),
    "logistics_statement": ("", STATEMENT_COLUMNS),
    "logistics_settlement": ("OLD.frozen", SETTLEMENT_COLUMNS),
}
BUDGET_GUARDS: Guards = {"logistics_postagebudget": ("", ())}
ROAD_GUARDS: Guards = {
    "logistics_custodyevent": ("", ()),
    "logistics_trackingevent": ("", ()),
}
HANDOVER_GUARDS: Guards = {
    "logistics_handoverlist": ("OLD.state <> 'open'", ()),
    "logistics_handoverline": ("OLD.frozen", ()),
    "logistics_handoverentry": ("", ()),
}
LOSS_COLUMNS = (
    "id",
    "original_id",
    "incident_id",
    "reason",
    "remedy",
    "done",
    "declared_by_id",
    "declared_label",
    "declared_at",
)
LOSS_GUARDS: Guards = {"logistics_loss": ("", LOSS_COLUMNS)}
