"""Carriers, parcels, waybills, tracking, custody; and postage."""

from logistics.models.carriers import Carrier, CarrierAccount
from logistics.models.parcels import CustodyEvent, Incident, Parcel, ParcelItem
from logistics.models.waybills import ParkedNumber, TrackingEvent, Waybill, WebhookDelivery

__all__ = [
    "Carrier",
    "CarrierAccount",
    "CustodyEvent",
    "Incident",
    "Parcel",
    "ParcelItem",
    "ParkedNumber",
    "TrackingEvent",
    "Waybill",
    "WebhookDelivery",
]
