"""Carriers and the accounts that centres hold with them: opening, rotating secrets, getting an adapter."""

import atexit
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from logistics.couriers.base import Courier
from logistics.couriers.calling import Caller, open_client
from logistics.couriers.opening import open_courier
from logistics.models import Carrier, CarrierAccount
from logistics.models.carriers import path_digest
from logistics.services.breakers import SharedBreaker
from registry import events
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import check_may
from storage.errors import Refused

OVERLAP = timedelta(days=7)
LONGEST_SECRET = 400
REMEMBERED = timedelta(days=30)
"""How long ended secrets are kept for pushes that came in while they were honoured."""


class NoAccount(Refused):
    """The centre holds no account with the carrier."""

    def __init__(self, centre: str, carrier: str) -> None:
        super().__init__("no_carrier_account", f"{centre}尚未登记{carrier}的账户，请管理员先登记。")


def add_carrier(
    *, code: str, name: str, adapter: str, actor: Actor, now: datetime, company: str = ""
) -> Carrier:
    """A carrier and the way we speak with it. Doing it again with the same code changes nothing."""
    check_may(actor, "carrier.edit")
    with transaction.atomic():
        carrier, new = Carrier.objects.get_or_create(
            code=code, defaults={"name": name, "adapter": adapter, "company": company}
        )
        if new:
            events.record(kind="carrier.added", actor=actor, subject=carrier, now=now, data={"code": code})
    return carrier


def add_account(
    *,
    carrier: Carrier,
    centre: ServiceCentre,
    number: str,
    credentials: Mapping[str, str],
    options: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> CarrierAccount:
    """An account with a fresh push path. Raises BadAccount when the adapter misses a secret or an address."""
    check_may(actor, "carrier.edit")
    token = secrets.token_urlsafe(32)
    account = CarrierAccount(
        carrier=carrier,
        centre=centre,
        number=number,
        credentials={"current": dict(credentials), "retired": []},
        options=dict(options),
        path_token=token,
        path_digest=path_digest(token),
        created_at=now,
    )
    courier_of(account)
    with transaction.atomic():
        account.save(force_insert=True)
        events.record(
            kind="carrier_account.added",
            actor=actor,
            subject=account,
            now=now,
            data={"carrier": carrier.code, "centre": centre.code},
        )
    return account


def rotate_credentials(
    *,
    account: CarrierAccount,
    credentials: Mapping[str, str],
    actor: Actor,
    now: datetime,
    overlap: timedelta = OVERLAP,
) -> None:
    """New secrets from now on, those not named stay; pushes signed with the old ones are honoured for the overlap.

    Without an overlap every old secret ends now, as it has to when one became known to others. Raises BadAccount when the
    adapter cannot work with the new ones.
    """
    check_may(actor, "carrier.edit")
    with transaction.atomic():
        held = CarrierAccount.objects.select_for_update().get(pk=account.pk)
        current = held.credentials["current"]
        wished = {**current, **credentials}
        if wished == current:
            raise Refused("secrets_unchanged", "没有填写新的密钥，原密钥保持不变。")
        if any(len(value) > LONGEST_SECRET for value in credentials.values()):
            raise Refused("secret_long", f"密钥至多 {LONGEST_SECRET} 个字符，请核对粘贴的内容。")
        retired = _ended(_retired(held), at=now) if not overlap else _retired(held)
        retired.append({"credentials": current, "until": (now + overlap).isoformat()})
        # What ended stays for a while: a push that came in before is judged by the secrets of its time.
        retired = [old for old in retired if datetime.fromisoformat(old["until"]) > now - REMEMBERED]
        held.credentials = {"current": wished, "retired": retired}
        courier_of(held)
        held.save(update_fields=["credentials"])
        changed = sorted(name for name, value in wished.items() if value != current.get(name))
        data = {"changed": changed, "until": (now + overlap).isoformat()}
        events.record(kind="carrier_account.rotated", actor=actor, subject=held, now=now, data=data)
    account.credentials = held.credentials


def end_overlap(*, account: CarrierAccount, actor: Actor, now: datetime) -> None:
    """The courier signs with the new secrets only: the old ones are not honoured any more."""
    check_may(actor, "carrier.edit")
    with transaction.atomic():
        held = CarrierAccount.objects.select_for_update().get(pk=account.pk)
        if not held.old_secrets_until(now=now):
            raise Refused("stale", "没有仍在使用的旧密钥，请刷新页面。")
        held.credentials = {**held.credentials, "retired": _ended(_retired(held), at=now)}
        held.save(update_fields=["credentials"])
        events.record(kind="carrier_account.overlap_ended", actor=actor, subject=held, now=now)
    account.credentials = held.credentials


def account_of(*, centre: ServiceCentre, carrier: Carrier) -> CarrierAccount:
    """The centre's active account with a carrier, or NoAccount."""
    account = (
        CarrierAccount.objects.select_related("carrier", "centre")
        .filter(centre=centre, carrier=carrier, active=True, carrier__active=True)
        .first()
    )
    if account is None:
        raise NoAccount(centre.name, carrier.name)
    return account


def callback_url(account: CarrierAccount) -> str:
    """Where the courier pushes for this account. The path is a secret: never log it."""
    path = reverse("courier_push", kwargs={"path_token": account.path_token})
    return settings.PUBLIC_URL + path


def courier_of(account: CarrierAccount) -> Courier:
    """The adapter that speaks for the account."""
    return open_courier(account.carrier.adapter, account.opened(), caller=_caller.get()())


@contextmanager
def calling_through(caller: Callable[[], Caller]) -> Iterator[None]:
    """Couriers are called through callers of this making until the block ends: for a world whose clock is its own."""
    before = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(before)


def _retired(account: CarrierAccount) -> list[dict[str, Any]]:
    return list(account.credentials.get("retired", []))


def _ended(retired: list[dict[str, Any]], *, at: datetime) -> list[dict[str, Any]]:
    """The same secrets, honoured until `at` at the latest."""
    return [{**old, "until": min(datetime.fromisoformat(old["until"]), at).isoformat()} for old in retired]


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    # One pool of connections for the process; httpx clients may be shared between threads.
    client = open_client()
    atexit.register(client.close)
    return client


def _open_caller() -> Caller:
    return Caller(client=_client(), breakers=SharedBreaker)


_caller: ContextVar[Callable[[], Caller]] = ContextVar("caller", default=_open_caller)
