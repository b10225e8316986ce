"""Which adapter speaks for which kind of account."""

import httpx

from logistics.couriers.base import Account, Courier
from logistics.couriers.calling import Caller, open_client
from logistics.couriers.ems import Ems
from logistics.couriers.errors import BadAccount
from logistics.couriers.kdniao import Kdniao
from logistics.couriers.kuaidi100 import Kuaidi100
from logistics.couriers.neutral import NeutralCourier
from logistics.couriers.sf import Sf

ADAPTERS: dict[str, str] = {
    "neutral": "中性接口（Standard Webhooks）",
    "ems": "中国邮政 EMS",
    "sf": "顺丰丰桥",
    "kuaidi100": "快递100",
    "kdniao": "快递鸟",
}


def open_courier(
    adapter: str, account: Account, *, client: httpx.Client | None = None, caller: Caller | None = None
) -> Courier:
    """The adapter for an account. A client given stays the caller's to close; `caller` has its own way to retry."""
    caller = caller or Caller(client=client or open_client())
    match adapter:
        case "neutral":
            return NeutralCourier(account, caller)
        case "ems":
            return Ems(account, caller)
        case "sf":
            return Sf(account, caller)
        case "kuaidi100":
            return Kuaidi100(account, caller)
        case "kdniao":
            return Kdniao(account, caller)
        case _:
            raise BadAccount(["adapter"])
