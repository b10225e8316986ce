"""Whether a push is the courier's: judged from what was kept; forged ones are capped, counted and raise an alarm."""

import base64
import ipaddress
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from logistics.couriers.base import Courier, Proof, RawRequest
from logistics.couriers.errors import Forged
from logistics.models import CarrierAccount, ForgeryTally, WebhookDelivery
from registry import events
from registry.actors import SYSTEM, Actor
from registry.models import User
from registry.permissions import check_may
from storage.errors import Refused

log = logging.getLogger("tongban.inbox")
MOST_KEPT = 200
MOST_KEPT_BYTES = 4 << 20
"""Of the forged pushes of one account and hour; what is beyond is counted and not kept."""
ALARM_AT = 20
"""So many in one hour are no slip of a courier: a wrong secret, or somebody who tries."""
State = WebhookDelivery.State


def judge(account: CarrierAccount, courier: Courier, raw: RawRequest, *, address: str, at: datetime) -> Proof:
    """What shows that the push is the courier's, or `Forged`. It follows from what was kept: `at` is when it came in."""
    if account.allowed_addresses:
        _check_address(account.allowed_addresses, address)
    return courier.verify(raw, now=at)


def raw_of(delivery: WebhookDelivery) -> tuple[RawRequest, str]:
    """The push as it came, and the address that it came from."""
    kept = delivery.raw
    raw = RawRequest(headers=kept["headers"], body=base64.b64decode(kept["body"]), query=kept["query"])
    return raw, kept.get("address", "")


def refuse(delivery: WebhookDelivery, *, fault: Forged, now: datetime) -> None:
    """Counts a forged push and keeps it while there is room. Refusing it again counts nothing."""
    size = len(delivery.raw["body"])
    with transaction.atomic():
        tally = _tally_of(delivery)
        unjudged = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.RECEIVED, proof="")
        if tally.kept < MOST_KEPT and tally.kept_bytes + size <= MOST_KEPT_BYTES:
            changed = unjudged.update(state=State.FORGED, fault=fault.reason, noted_at=now)
            if changed:
                tally.kept, tally.kept_bytes = tally.kept + 1, tally.kept_bytes + size
                _tell("webhook.forged", delivery, now, fault=fault.code)
        else:
            changed, _ = unjudged.delete()
        if not changed:
            return
        tally.count += 1
        tally.last_fault, tally.last_at = fault.reason[:200], now
        if tally.count >= ALARM_AT and tally.alarmed_at is None:
            tally.alarmed_at = now
            _tell("webhook.forgeries_alarmed", delivery, now, count=tally.count)
            log.error("account %s: %s forged pushes in one hour", delivery.account_id, tally.count)
        tally.save()
    log.warning("push refused: account %s, %s", delivery.account_id, fault.code)


def open_alarms() -> QuerySet[ForgeryTally]:
    """Hours with too many forged pushes that no administrator has seen yet, newest first."""
    return (
        ForgeryTally.objects.filter(alarmed_at__isnull=False, seen_at__isnull=True)
        .select_related("account__carrier", "account__centre")
        .defer("account__credentials", "account__path_token", "account__number")
        .order_by("-hour")
    )


def acknowledge_alarm(*, tally: ForgeryTally, actor: Actor, now: datetime) -> None:
    """An administrator knows of the forged pushes of that hour and of all hours before it at the same account."""
    check_may(actor, "inbox.see")
    with transaction.atomic():
        seen = open_alarms().filter(account=tally.account_id, hour__lte=tally.hour)
        by = User.objects.filter(pk=actor.id).first() if actor.kind == "user" else None
        if not ForgeryTally.objects.filter(pk__in=seen.values("pk")).update(seen_at=now, seen_by=by):
            raise Refused("stale", "该告警已有人知悉，请刷新页面。")
        events.record(
            kind="webhook.forgeries_seen",
            actor=actor,
            subject=tally,
            now=now,
            data={"account": tally.account_id, "hour": tally.hour.isoformat()},
        )


def tell_forgeries(*, now: datetime) -> int:
    """Writes into the audit chain how many forged pushes of a past hour were only counted; how many hours had any."""
    over = ForgeryTally.objects.filter(told_at__isnull=True, hour__lt=now - timedelta(hours=2))
    told = 0
    for tally in over.order_by("hour")[:MOST_KEPT]:
        with transaction.atomic():
            if not ForgeryTally.objects.filter(pk=tally.pk, told_at__isnull=True).update(told_at=now):
                continue
            if tally.count > tally.kept:
                counted = {
                    "account": tally.account_id,
                    "hour": tally.hour.isoformat(),
                    "count": tally.count,
                    "kept": tally.kept,
                }
                events.record(
                    kind="webhook.forgeries_counted", actor=SYSTEM, subject=tally, now=now, data=counted
                )
                told += 1
    return told


def _check_address(allowed: list[str], address: str) -> None:
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        raise Forged("来源地址无法识别") from None
    if not any(caller in ipaddress.ip_network(network) for network in allowed):
        raise Forged("来源地址不在允许范围内")


def _tally_of(delivery: WebhookDelivery) -> ForgeryTally:
    """The hour's row, locked."""
    hour = delivery.received_at.replace(minute=0, second=0, microsecond=0)
    tally, _ = ForgeryTally.objects.get_or_create(account_id=delivery.account_id, hour=hour)
    return ForgeryTally.objects.select_for_update().get(pk=tally.pk)


def _tell(kind: str, delivery: WebhookDelivery, now: datetime, **more: object) -> None:
    events.record(
        kind=kind,
        actor=SYSTEM,
        subject=delivery,
        now=now,
        data={"delivery": delivery.pk, "account": delivery.account_id, **more},
    )
