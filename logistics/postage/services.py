"""The verbs of postage in one place, for pages, endpoints, reactions and commands."""

from logistics.postage.charging import charge_parcel, reverse_charge
from logistics.postage.closing import attach_settlement_pdf, close_month
from logistics.postage.contracts import add_tariff, end_tariff
from logistics.postage.deciding import dispute_all, resolve_discrepancies, resolve_discrepancy
from logistics.postage.payment import decide_payment
from logistics.postage.reconciling import Reconciled, accruals, outcome_of, reconcile_statement
from logistics.postage.settlement_files import (
    keep_workbook,
    settlement_json,
    settlement_workbook,
)
from logistics.postage.settlement_paper import settlement_paper
from logistics.postage.statements import (
    Imported,
    Preview,
    import_statement,
    preview_statement,
    remember_columns,
)

__all__ = [
    "Imported",
    "Preview",
    "Reconciled",
    "accruals",
    "add_tariff",
    "attach_settlement_pdf",
    "charge_parcel",
    "close_month",
    "decide_payment",
    "dispute_all",
    "end_tariff",
    "import_statement",
    "keep_workbook",
    "outcome_of",
    "preview_statement",
    "reconcile_statement",
    "remember_columns",
    "resolve_discrepancies",
    "resolve_discrepancy",
    "reverse_charge",
    "settlement_json",
    "settlement_paper",
    "settlement_workbook",
]
