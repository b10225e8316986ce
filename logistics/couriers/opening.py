"""Which adapter speaks for which kind of account."""

from collections.abc import Mapping
from dataclasses import dataclass

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

PUSHES_MOVE = frozenset({"neutral"})
"""Whose courier takes another address for a waybill that it follows already.

kuaidi100 is told an address with each subscription, too, but ignores a second one while it follows (501); EMS, SF and
kdniao push to the one address that stands in their console.
"""

FIRST_ADDRESS_STAYS = frozenset({"kuaidi100"})
"""Whose courier pushes to the address it was first told until it ends to follow a waybill; and signs what it pushes, so
that an old path alone proves nothing."""


@dataclass(frozen=True)
class Secret:
    """One credential of an adapter. `signs_pushes`: the courier's pushes are checked with it, so it needs an overlap."""

    name: str
    label: str
    signs_pushes: bool = False


SECRETS: Mapping[str, tuple[Secret, ...]] = {
    "neutral": (
        Secret("api_key", "接口密钥"),
        Secret("webhook_secret", "推送签名密钥（whsec_…）", signs_pushes=True),
    ),
    "ems": (Secret("key", "加密密钥（Base64）", signs_pushes=True), Secret("authorization", "授权码")),
    "sf": (Secret("partner_id", "顾客编码"), Secret("checkword", "校验码")),
    "kuaidi100": (
        Secret("key", "授权 key"),
        Secret("customer", "customer"),
        Secret("salt", "推送签名 salt", signs_pushes=True),
    ),
    "kdniao": (Secret("customer_id", "用户 ID"), Secret("app_key", "AppKey", signs_pushes=True)),
}
"""What each adapter's accounts have to hold."""


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
