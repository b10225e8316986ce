"""An account's way in for pushes: its unguessable path, changed with an overlap, and the addresses that may use it."""

import ipaddress
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from logistics.models import CarrierAccount, RetiredPath
from logistics.models.carriers import path_digest
from logistics.services.accounts import OVERLAP
from registry import events
from registry.actors import Actor
from registry.permissions import check_may
from storage.errors import Refused

MOST_ADDRESSES = 50


def account_behind(digest: str, *, now: datetime) -> CarrierAccount | None:
    """The active account whose path, or whose old path that is still honoured, has this digest.

    That an old path is still in use is noted: the administrator waits for the courier to change over.
    """
    old = RetiredPath.objects.filter(digest=digest, until__gt=now)
    found = (
        CarrierAccount.objects.select_related("carrier")
        .defer("path_token")
        .filter(Q(path_digest=digest) | Q(pk__in=old.values("account")), active=True)
        .first()
    )
    if found is not None and found.path_digest != digest:
        old.update(used_at=now)
    return found


def change_path(
    *, account: CarrierAccount, replaces: str, actor: Actor, now: datetime, overlap: timedelta = OVERLAP
) -> CarrierAccount:
    """A fresh path from now on; the old ones are honoured for the overlap, or end now when there is none.

    `replaces` is the digest of the path that the caller saw, so that a form sent twice changes it once. The answer
    carries the new path: it is shown to the administrator who asked, and never again.
    """
    check_may(actor, "carrier.edit")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        held = CarrierAccount.objects.select_for_update().select_related("carrier").get(pk=account.pk)
        if held.path_digest != replaces:
            raise Refused("stale", "推送路径已更换过，请刷新页面。")
        if overlap:
            RetiredPath.objects.create(account=held, digest=held.path_digest, until=now + overlap)
        else:
            _still_honoured(held, now).update(until=now)
        held.path_token, held.path_digest = token, path_digest(token)
        held.save(update_fields=["path_token", "path_digest"])
        data = {"until": (now + overlap).isoformat()}
        events.record(kind="carrier_account.path_changed", actor=actor, subject=held, now=now, data=data)
    return held


def end_old_paths(*, account: CarrierAccount, actor: Actor, now: datetime) -> None:
    """The courier pushes to the new path: what still comes in on the old ones is nobody's."""
    check_may(actor, "carrier.edit")
    with transaction.atomic():
        if not _still_honoured(account, now).update(until=now):
            raise Refused("stale", "没有仍在使用的旧路径，请刷新页面。")
        events.record(kind="carrier_account.path_overlap_ended", actor=actor, subject=account, now=now)


def old_paths(*, now: datetime) -> dict[int, RetiredPath]:
    """Account id → the old path of it that is honoured longest."""
    return {path.account_id: path for path in RetiredPath.objects.filter(until__gt=now).order_by("until")}


def allow_addresses(
    *, account: CarrierAccount, addresses: Iterable[str], actor: Actor, now: datetime
) -> None:
    """From which addresses and networks pushes are taken; none means from everywhere. Raises Refused for what is none."""
    check_may(actor, "carrier.edit")
    networks = sorted({_network(text) for text in addresses})
    if len(networks) > MOST_ADDRESSES:
        raise Refused("addresses_many", f"来源地址最多 {MOST_ADDRESSES} 个，请合并为网段。")
    with transaction.atomic():
        held = CarrierAccount.objects.select_for_update().get(pk=account.pk)
        if held.allowed_addresses == networks:
            raise Refused("addresses_unchanged", "来源地址没有变化。")
        held.allowed_addresses = networks
        held.save(update_fields=["allowed_addresses"])
        data = {"addresses": networks}
        events.record(kind="carrier_account.addresses_set", actor=actor, subject=held, now=now, data=data)


def _still_honoured(account: CarrierAccount, now: datetime) -> QuerySet[RetiredPath]:
    return RetiredPath.objects.filter(account=account, until__gt=now)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        words = "来源地址应为 IP 或网段，例如 203.0.113.5、203.0.113.0/24，每行一个。"
        raise Refused("address_unreadable", words) from None
