"""The inbox: pushes kept as they came, answered at once, processed later with exactly one effect."""

import base64
import ipaddress
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef

from logistics.couriers.base import Acknowledgement, Courier, Proof, RawRequest
from logistics.couriers.errors import BadPush, Forged
from logistics.models import CarrierAccount, ParkedNumber, Waybill, WebhookDelivery
from logistics.models.carriers import path_digest
from logistics.services.accounts import courier_of
from logistics.services.tracking import apply_report
from registry import events
from registry.actors import SYSTEM, Actor
from registry.permissions import NotYours, check_may
from storage.errors import Refused

log = logging.getLogger("tongban.inbox")
LARGEST_BODY = 1 << 20
KEPT_HEADERS = 40
SWEEP_AFTER = timedelta(minutes=1)
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
State = WebhookDelivery.State


class TooLarge(Refused):
    """No courier sends that much."""

    def __init__(self) -> None:
        super().__init__("push_too_large", "推送内容过大，已拒收。")


def accept_webhook(
    *,
    path_token: str,
    headers: Mapping[str, str],
    body: bytes,
    query: str,
    remote_address: str,
    now: datetime,
) -> Acknowledgement:
    """Verifies and keeps a push, and answers with the body that the courier wants to see.

    The raw bytes are kept before anything reads them. Raises NotYours for an unknown path, TooLarge.
    """
    if len(body) > LARGEST_BODY:
        raise TooLarge
    account = _account_at(path_token)
    raw = RawRequest(headers=_kept(headers), body=body, query=query)
    courier = courier_of(account)
    try:
        _check_address(account, remote_address)
        proof = courier.verify(raw, now=now)
    except Forged as fault:
        _keep_forged(account, raw, fault, now)
        return courier.acknowledge(raw, accepted=False, now=now)
    _keep(account, courier, raw, proof, now)
    return courier.acknowledge(raw, accepted=True, now=now)


def process_delivery(*, delivery_id: int, now: datetime) -> str:
    """Applies one push; its state afterwards. Doing it again, or at the same time, has no second effect."""
    delivery = WebhookDelivery.objects.select_related("account__carrier").get(pk=delivery_id)
    if delivery.state not in (State.RECEIVED, State.PARKED):
        return str(delivery.state)
    try:
        reports = courier_of(delivery.account).parse_push(_raw_of(delivery))
    except BadPush as fault:
        return _give_up(delivery, fault, now)
    with transaction.atomic():
        claimed = WebhookDelivery.objects.filter(pk=delivery.pk, state=delivery.state).update(
            state=State.PROCESSED,
            processed_at=now,
            numbers=sorted({report.waybill_number for report in reports}),
        )
        if not claimed:
            delivery.refresh_from_db()
            return str(delivery.state)
        unknown = []
        for report in reports:
            waybill = Waybill.objects.filter(
                carrier=delivery.account.carrier, number=report.waybill_number
            ).first()
            if waybill is None:
                unknown.append(report.waybill_number)
            else:
                apply_report(waybill=waybill, report=report, now=now, delivery=delivery)
        _park(delivery, unknown, now)
    delivery.refresh_from_db()
    return str(delivery.state)


def adopt_parked(*, waybill: Waybill, now: datetime) -> int:
    """Takes in the pushes that spoke of this waybill before we knew it; how many there were."""
    waiting = ParkedNumber.objects.filter(
        carrier=waybill.carrier, number=waybill.number, delivery__state=State.PARKED
    )
    ids = list(waiting.order_by("delivery_id").values_list("delivery_id", flat=True))
    for delivery_id in ids:
        process_delivery(delivery_id=delivery_id, now=now)
    return len(ids)


def sweep_inbox(*, now: datetime, older_than: timedelta = SWEEP_AFTER) -> int:
    """Takes up pushes whose processing was lost, and parked ones whose waybill is known by now; how many."""
    forgotten = WebhookDelivery.objects.filter(state=State.RECEIVED, received_at__lt=now - older_than)
    booked = Waybill.objects.filter(carrier=OuterRef("carrier"), number=OuterRef("number"))
    known = ParkedNumber.objects.filter(Exists(booked), delivery__state=State.PARKED)
    ids = [*forgotten.values_list("pk", flat=True), *known.values_list("delivery_id", flat=True)]
    for delivery_id in sorted(set(ids)):
        process_delivery(delivery_id=delivery_id, now=now)
    return len(set(ids))


def replay(*, delivery: WebhookDelivery, actor: Actor, now: datetime) -> str:
    """Processes a push again from its raw bytes, by hand; what was applied already is not applied twice."""
    check_may(actor, "inbox.see")
    with transaction.atomic():
        changed = WebhookDelivery.objects.filter(pk=delivery.pk, state__in=WebhookDelivery.REPLAYABLE).update(
            state=State.RECEIVED, fault=""
        )
        if not changed:
            raise Refused("delivery_state", "该推送验签失败或正在处理，不能重放。")
        events.record(kind="webhook.replayed", actor=actor, subject=delivery, now=now)
    return process_delivery(delivery_id=delivery.pk, now=now)


def _account_at(path_token: str) -> CarrierAccount:
    account = (
        CarrierAccount.objects.select_related("carrier")
        .filter(path_digest=path_digest(path_token), active=True)
        .first()
    )
    if account is None:
        raise NotYours
    return account


def _check_address(account: CarrierAccount, remote_address: str) -> None:
    if not account.allowed_addresses:
        return
    try:
        caller = ipaddress.ip_address(remote_address)
    except ValueError:
        raise Forged("来源地址无法识别") from None
    if not any(caller in ipaddress.ip_network(network) for network in account.allowed_addresses):
        raise Forged("来源地址不在允许范围内")


def _keep(account: CarrierAccount, courier: Courier, raw: RawRequest, proof: Proof, now: datetime) -> None:
    key = courier.delivery_key(raw)
    try:
        with transaction.atomic():
            delivery = _new(account, raw, key=key, state=State.RECEIVED, proof=proof.value, now=now)
            delivery.save(force_insert=True)
            events.record(
                kind="webhook.received",
                actor=SYSTEM,
                subject=delivery,
                now=now,
                data={"delivery": delivery.pk, "carrier": account.carrier.code},
            )
    except IntegrityError:
        same = WebhookDelivery.objects.filter(account=account, key=key).exclude(state=State.FORGED)
        if not same.update(repeats=F("repeats") + 1):
            raise


def _keep_forged(account: CarrierAccount, raw: RawRequest, fault: Forged, now: datetime) -> None:
    with transaction.atomic():
        delivery = _new(account, raw, key=raw.digest, state=State.FORGED, proof="", now=now)
        delivery.fault = fault.reason
        delivery.save(force_insert=True)
        events.record(
            kind="webhook.forged",
            actor=SYSTEM,
            subject=delivery,
            now=now,
            data={"delivery": delivery.pk, "carrier": account.carrier.code},
        )
    log.warning("push refused: account %s, %s", account.pk, fault.code)


def _new(
    account: CarrierAccount, raw: RawRequest, *, key: str, state: State, proof: str, now: datetime
) -> WebhookDelivery:
    return WebhookDelivery(
        account=account,
        key=key,
        raw={
            "headers": dict(raw.headers),
            "body": base64.b64encode(raw.body).decode("ascii"),
            "query": raw.query,
        },
        digest=raw.digest,
        proof=proof,
        state=state,
        received_at=now,
    )


def _raw_of(delivery: WebhookDelivery) -> RawRequest:
    return RawRequest(
        headers=delivery.raw["headers"],
        body=base64.b64decode(delivery.raw["body"]),
        query=delivery.raw["query"],
    )


def _give_up(delivery: WebhookDelivery, fault: BadPush, now: datetime) -> str:
    with transaction.atomic():
        changed = WebhookDelivery.objects.filter(pk=delivery.pk, state=delivery.state).update(
            state=State.FAILED, fault=fault.message[:200]
        )
        if changed:
            events.record(
                kind="webhook.failed",
                actor=SYSTEM,
                subject=delivery,
                now=now,
                data={"delivery": delivery.pk, "fault": fault.code},
            )
    delivery.refresh_from_db()
    return str(delivery.state)


def _park(delivery: WebhookDelivery, unknown: list[str], now: datetime) -> None:
    ParkedNumber.objects.filter(delivery=delivery).exclude(number__in=unknown).delete()
    if not unknown:
        return
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=State.PARKED)
    for number in dict.fromkeys(unknown):
        ParkedNumber.objects.get_or_create(
            delivery=delivery, number=number, defaults={"carrier": delivery.account.carrier}
        )


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in headers if name.lower() not in SECRET_HEADERS][:KEPT_HEADERS]
    return {name.lower(): headers[name][:4096] for name in names}
