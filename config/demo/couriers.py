"""The couriers of one demonstration: accounts in the sandbox, the contract, and who pays with which account."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from config.demo.stage import sandbox, sandbox_url
from logistics.models import Carrier, CarrierAccount
from logistics.postage.contracts import add_tariff
from logistics.sandbox.tariff import sample_tariff
from logistics.services.accounts import add_account, add_carrier
from registry.actors import SYSTEM
from registry.models import ServiceCentre
from registry.time import local_day


@dataclass(frozen=True)
class Couriers:
    """One courier that speaks our neutral interface, and one that is followed through 快递100."""

    neutral: CarrierAccount
    followed: CarrierAccount


def engage_couriers(*, centre: ServiceCentre, now: datetime) -> Couriers:
    """A fresh pair for each demonstration, so that its month can be settled again."""
    number = Carrier.objects.filter(code__startswith="demo-").count() // 2 + 1
    neutral = _engage(
        code=f"demo-{number}",
        name=f"演示速递{number}号",
        adapter="neutral",
        centre=centre,
        credentials=_neutral_credentials(),
        options={"base_url": sandbox_url()},
        now=now,
    )
    key, customer, salt = secrets.token_hex(8), secrets.token_hex(8), secrets.token_hex(12)
    sandbox("/sandbox/accounts", {"kuaidi100_key": key, "kuaidi100_customer": customer})
    followed = _engage(
        code=f"demo-k{number}",
        name=f"演示邮政{number}号",
        adapter="kuaidi100",
        centre=centre,
        credentials={"key": key, "customer": customer, "salt": salt},
        options={"poll_url": f"{sandbox_url()}/poll", "query_url": f"{sandbox_url()}/poll/query.do"},
        now=now,
    )
    return Couriers(neutral, followed)


def _neutral_credentials() -> dict[str, str]:
    api_key = secrets.token_hex(16)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    sandbox("/sandbox/accounts", {"api_key": api_key, "webhook_secrets": [secret]})
    return {"api_key": api_key, "webhook_secret": secret}


def _engage(
    *,
    code: str,
    name: str,
    adapter: str,
    centre: ServiceCentre,
    credentials: dict[str, str],
    options: dict[str, str],
    now: datetime,
) -> CarrierAccount:
    carrier = add_carrier(
        code=code,
        name=name,
        adapter=adapter,
        company="ems" if adapter == "kuaidi100" else "",
        actor=SYSTEM,
        now=now,
    )
    account = add_account(
        carrier=carrier,
        centre=centre,
        number=f"9{secrets.randbelow(10**12):012d}",
        credentials=credentials,
        options=options,
        actor=SYSTEM,
        now=now,
    )
    tariff = sample_tariff(carrier=code, centre_id=centre.pk, day=local_day(now))
    add_tariff(tariff=tariff, actor=SYSTEM, now=now)
    return account
