"""An account's way in for pushes: its unguessable path, changed with an overlap, and the addresses that may use it."""

import ipaddress
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from logistics.couriers.opening import FIRST_ADDRESS_STAYS
from logistics.models import CarrierAccount, RetiredPath, Waybill
from logistics.models.carriers import path_digest
from logistics.rules.parcels import WaybillState
from logistics.services.accounts import OVERLAP
from logistics.services.subscribing import STILL_NEWS
from registry import events
from registry.actors import Actor
from registry.permissions import check_may
from storage.errors import Refused

MOST_ADDRESSES = 50


def account_behind(digest: str, *, now: datetime) -> CarrierAccount | None:
    """The active account whose path, or whose old path that is still honoured, has this digest.

    That an old path is still in use is noted: the administrator waits for the courier to change over.
    """
    old = _honoured(now).filter(digest=digest)
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

    After its overlap an old path still leads in for a courier that cannot be told another for what it follows, until the
    last waybill that knows it is over; without an overlap it does not.

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
            RetiredPath.objects.filter(account=held).delete()
        held.path_token, held.path_digest = token, path_digest(token)
        held.save(update_fields=["path_token", "path_digest"])
        data = {"until": (now + overlap).isoformat()}
        events.record(kind="carrier_account.path_changed", actor=actor, subject=held, now=now, data=data)
    return held


def end_old_paths(*, account: CarrierAccount, actor: Actor, now: datetime) -> None:
    """The courier pushes to the new path: what still comes in on the old ones is nobody's."""
    check_may(actor, "carrier.edit")
    with transaction.atomic():
        ended, _ = RetiredPath.objects.filter(pk__in=_honoured(now).filter(account=account)).delete()
        if not ended:
            raise Refused("stale", "没有仍在使用的旧路径，请刷新页面。")
        events.record(kind="carrier_account.path_overlap_ended", actor=actor, subject=account, now=now)


def old_paths(*, now: datetime) -> dict[int, RetiredPath]:
    """Account id → the newest old path of it that is still honoured."""
    return {path.account_id: path for path in _honoured(now).order_by("until")}


def still_pushed_to_old_paths() -> dict[int, int]:
    """Account id → how many waybills on the road their courier goes on pushing to an older path."""
    counted = _first_told().exclude(push_path=F("account__path_digest")).order_by().values("account")
    return dict(counted.annotate(waybills=Count("pk")).values_list("account", "waybills"))


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


def _honoured(now: datetime) -> QuerySet[RetiredPath]:
    """Old paths that lead in: for their overlap, and for as long as a courier goes on pushing a waybill to them."""
    known = _first_told().filter(account=OuterRef("account"), push_path=OuterRef("digest"))
    return RetiredPath.objects.filter(Q(until__gt=now) | Exists(known))


def _first_told() -> QuerySet[Waybill]:
    """Waybills on the road whose courier pushes to the path that it was told first."""
    return Waybill.objects.filter(
        state=WaybillState.BOOKED,
        subscribed_at__isnull=False,
        ended_at__isnull=True,
        account__carrier__adapter__in=FIRST_ADDRESS_STAYS,
        parcel__state__in=STILL_NEWS,
    ).exclude(push_path="")


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        words = "来源地址应为 IP 或网段，例如 203.0.113.5、203.0.113.0/24，每行一个。"
        raise Refused("address_unreadable", words) from None
