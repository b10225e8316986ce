"""Carriers, parcels, waybills, tracking, custody; and postage."""

from logistics.models.billing import (
    ColumnName,
    Discrepancy,
    Settlement,
    SettlementLine,
    Statement,
    StatementLine,
    StatementState,
)
from logistics.models.budgets import PostageBudget
from logistics.models.carriers import Carrier, CarrierAccount, CourierBreaker, RetiredPath
from logistics.models.chasing import Chase, ChaseMark
from logistics.models.disputes import DisputeLetter
from logistics.models.exceptions import PostageException
from logistics.models.fees import CarrierFee
from logistics.models.handovers import HandoverEntry, HandoverLine, HandoverList
from logistics.models.inbox import ForgeryTally, ParkedNumber, WebhookDelivery
from logistics.models.ledger import LedgerAccount, LedgerEntry, Posting
from logistics.models.losses import Loss
from logistics.models.parcels import CustodyEvent, Incident, Parcel, ParcelItem
from logistics.models.postage import Charge, ChargeShare, PostagePolicy, TariffContract, TariffZone
from logistics.models.scales import ScaleReading
from logistics.models.settling import SettlementProposal
from logistics.models.uploads import StatementUpload
from logistics.models.waybills import TrackingEvent, Waybill

__all__ = [
    "Carrier",
    "CarrierAccount",
    "CarrierFee",
    "Charge",
    "ChargeShare",
    "Chase",
    "ChaseMark",
    "ColumnName",
    "CourierBreaker",
    "CustodyEvent",
    "Discrepancy",
    "DisputeLetter",
    "ForgeryTally",
    "HandoverEntry",
    "HandoverLine",
    "HandoverList",
    "Incident",
    "LedgerAccount",
    "LedgerEntry",
    "Loss",
    "Parcel",
    "ParcelItem",
    "ParkedNumber",
    "PostageBudget",
    "PostageException",
    "PostagePolicy",
    "Posting",
    "RetiredPath",
    "ScaleReading",
    "Settlement",
    "SettlementLine",
    "SettlementProposal",
    "Statement",
    "StatementLine",
    "StatementState",
    "StatementUpload",
    "TariffContract",
    "TariffZone",
    "TrackingEvent",
    "Waybill",
    "WebhookDelivery",
]
