"""Accounts, orders and clients that the courier tests share."""

import random
from collections.abc import Mapping

import httpx

from logistics.couriers.base import Account, Courier, Order, Party, Payer, Payment, Settling
from logistics.couriers.calling import Breaker, Caller
from logistics.couriers.kuaidi100 import Kuaidi100
from logistics.couriers.neutral import NeutralCourier

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
API_KEY = "key-of-taizhou"
NEUTRAL = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
KUAIDI100 = {"key": "kd-key", "customer": "kd-customer", "salt": "salt-A1"}


def caller(client: httpx.Client, *, waits: list[float] | None = None, limit: int = 50) -> Caller:
    """Retries without waiting; how long it would have waited goes into `waits`."""
    told = waits if waits is not None else []
    return Caller(client=client, sleep=told.append, dice=random.Random(7), breaker=Breaker(limit=limit))


def neutral(url: str, client: httpx.Client, **secrets: str) -> NeutralCourier:
    account = Account(number="T-331000", credentials={**NEUTRAL, **secrets}, options={"base_url": url})
    return NeutralCourier(account, caller(client))


def kuaidi100(url: str, client: httpx.Client, *, credentials: Mapping[str, str] = KUAIDI100) -> Kuaidi100:
    options = {"poll_url": f"{url}/poll", "query_url": f"{url}/poll/query.do"}
    return Kuaidi100(Account(number="", credentials=credentials, options=options), caller(client))


def order(reference: str = "P2026031000001-1", *, weight_g: int = 320) -> Order:
    window = Party(
        name="诸暨市行政服务中心通办专窗",
        phone="0575-87000000",
        province="浙江省",
        city="绍兴市",
        county="诸暨市",
        address="艮塔西路138号",
    )
    office = Party(
        name="台州市住房和城乡建设局",
        phone="0576-88000000",
        province="浙江省",
        city="台州市",
        county="",
        address="白云山南路233号",
    )
    payment = Payment(payer=Payer.RECEIVER, settling=Settling.MONTHLY, account="T-331000")
    return Order(reference=reference, sender=window, receiver=office, payment=payment, weight_g=weight_g)


def is_courier(adapter: Courier) -> Courier:
    """Lets the type checker see that an adapter offers the whole interface."""
    return adapter
