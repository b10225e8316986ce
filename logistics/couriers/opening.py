"""Which adapter speaks for which kind of account."""

import httpx

from logistics.couriers.base import Account, Courier
from logistics.couriers.calling import Caller, open_client
from logistics.couriers.errors import BadAccount
from logistics.couriers.kuaidi100 import Kuaidi100
from logistics.couriers.neutral import NeutralCourier

ADAPTERS: dict[str, str] = {
    "neutral": "中性接口（Standard Webhooks）",
    "kuaidi100": "快递100",
}


def open_courier(adapter: str, account: Account, *, client: httpx.Client | None = None) -> Courier:
    """The adapter for an account. A client given stays the caller's to close."""
    caller = Caller(client=client or open_client())
    match adapter:
        case "neutral":
            return NeutralCourier(account, caller)
        case "kuaidi100":
            return Kuaidi100(account, caller)
        case _:
            raise BadAccount(["adapter"])
