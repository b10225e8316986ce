"""Places, people, items and cooperation: what every other room depends on."""

from registry.models.batches import CatalogueBatch
from registry.models.brakes import CallCount
from registry.models.calendar import HolidayNotice
from registry.models.calls import IdempotentCall
from registry.models.cooperation import Agreement, ColourPolicy, Grant, RegionIndex
from registry.models.deadlines import DeadlinePolicy
from registry.models.expiry import ExpiryNotice, ExpiryPolicy
from registry.models.forms import SentForm
from registry.models.items import Contact, ItemOffice, MaterialRequirement, ServiceItem
from registry.models.journal import Event, NumberSequence
from registry.models.people import ApiKey, User
from registry.models.places import Office, Region, Seal, ServiceCentre, Window
from registry.models.problems import ProblemTime
from registry.models.slips import Slip

__all__ = [
    "Agreement",
    "ApiKey",
    "CallCount",
    "CatalogueBatch",
    "ColourPolicy",
    "Contact",
    "DeadlinePolicy",
    "Event",
    "ExpiryNotice",
    "ExpiryPolicy",
    "Grant",
    "HolidayNotice",
    "IdempotentCall",
    "ItemOffice",
    "MaterialRequirement",
    "NumberSequence",
    "Office",
    "ProblemTime",
    "Region",
    "RegionIndex",
    "Seal",
    "SentForm",
    "ServiceCentre",
    "ServiceItem",
    "Slip",
    "User",
    "Window",
]
