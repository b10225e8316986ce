"""The verbs of postage in one place, for pages, endpoints, reactions and commands."""

from logistics.postage.budgeting import budget_history, budget_outlook, set_budget
from logistics.postage.charging import charge_parcel, reverse_charge
from logistics.postage.closing import (
    approve_settlement,
    attach_settlement_pdf,
    prepare_month,
    return_settlement,
)
from logistics.postage.contracts import add_tariff, end_tariff
from logistics.postage.deciding import dispute_all, resolve_discrepancies, resolve_discrepancy
from logistics.postage.disputing import (
    attach_dispute_paper,
    dispute_workbook,
    keep_dispute_workbook,
    write_dispute,
)
from logistics.postage.drafting import Draft, draft_month
from logistics.postage.fees import hint_of, told_of
from logistics.postage.payment import decide_payment
from logistics.postage.policies import add_policy, ask_exception, decide_on_exception, end_policy
from logistics.postage.quoting import offers
from logistics.postage.reconciling import Reconciled, accruals, outcome_of, reconcile_statement
from logistics.postage.settlement_files import (
    keep_workbook,
    settlement_json,
    settlement_workbook,
)
from logistics.postage.settlement_paper import settlement_paper
from logistics.postage.spending import Spending, spending, spending_lines
from logistics.postage.statements import (
    Imported,
    Preview,
    import_statement,
    preview_statement,
    remember_columns,
)
from logistics.postage.tariff_files import TariffImport, export_tariff, import_tariff, quote_price
from logistics.postage.uploading import (
    ask_check,
    confirm_upload,
    drop_upload,
    import_uploaded,
    preview_upload,
    upload_statement,
)
from logistics.postage.whatif import try_policy

__all__ = [
    "Draft",
    "Imported",
    "Preview",
    "Reconciled",
    "Spending",
    "TariffImport",
    "accruals",
    "add_policy",
    "add_tariff",
    "approve_settlement",
    "ask_check",
    "ask_exception",
    "attach_dispute_paper",
    "attach_settlement_pdf",
    "budget_history",
    "budget_outlook",
    "charge_parcel",
    "confirm_upload",
    "decide_on_exception",
    "decide_payment",
    "dispute_all",
    "dispute_workbook",
    "draft_month",
    "drop_upload",
    "end_policy",
    "end_tariff",
    "export_tariff",
    "hint_of",
    "import_statement",
    "import_tariff",
    "import_uploaded",
    "keep_dispute_workbook",
    "keep_workbook",
    "offers",
    "outcome_of",
    "prepare_month",
    "preview_statement",
    "preview_upload",
    "quote_price",
    "reconcile_statement",
    "remember_columns",
    "resolve_discrepancies",
    "resolve_discrepancy",
    "return_settlement",
    "reverse_charge",
    "set_budget",
    "settlement_json",
    "settlement_paper",
    "settlement_workbook",
    "spending",
    "spending_lines",
    "told_of",
    "try_policy",
    "upload_statement",
    "write_dispute",
]
