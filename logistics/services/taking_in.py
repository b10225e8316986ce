"""From a kept push to exactly one effect: judged, told from its repetitions, merged, parked, or given to a person."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, InterfaceError, transaction
from django.db.models import Exists, F, OuterRef

from logistics.couriers.errors import BadPush, Forged
from logistics.models import ParkedNumber, Waybill, WebhookDelivery
from logistics.services.accounts import courier_of
from logistics.services.judging import judge, raw_of, refuse
from logistics.services.tracking import apply_report
from registry import events
from registry.actors import SYSTEM, Actor
from registry.permissions import check_may
from storage.errors import Refused

log = logging.getLogger("tongban.inbox")
SWEEP_AFTER = timedelta(minutes=1)
MOST_SWEPT = 500
"""Pushes taken up in one round of upkeep; the rest have their turn in the next."""
MOST_ATTEMPTS = 5
State = WebhookDelivery.State


def process_delivery(*, delivery_id: int, now: datetime) -> str:
    """Applies one push; its state afterwards. Doing it again, or at the same time, has no second effect."""
    delivery = WebhookDelivery.objects.select_related("account__carrier").filter(pk=delivery_id).first()
    if delivery is None:
        return str(State.FORGED)  # refused meanwhile, and there was no room to keep it
    if delivery.state not in (State.RECEIVED, State.PARKED):
        return str(delivery.state)
    courier = courier_of(delivery.account)
    raw, address = raw_of(delivery)
    if not delivery.proof:
        try:
            proof = judge(delivery.account, courier, raw, address=address, at=delivery.received_at)
        except Forged as fault:
            refuse(delivery, fault=fault, now=now)
            return str(State.FORGED)
        if not _name(delivery, key=courier.delivery_key(raw), proof=proof.value, now=now):
            return _state_of(delivery)
    try:
        reports = courier.parse_push(raw)
    except BadPush as fault:
        return _give_up(delivery, words=fault.message, code=fault.code, now=now)
    with transaction.atomic():
        claimed = WebhookDelivery.objects.filter(pk=delivery.pk, state=delivery.state).update(
            state=State.PROCESSED,
            processed_at=now,
            numbers=sorted({report.waybill_number for report in reports}),
        )
        if not claimed:
            return _state_of(delivery)
        unknown = []
        # In a fixed order, so that two pushes about the same waybills do not wait for each other.
        for report in sorted(reports, key=lambda report: report.waybill_number):
            waybill = Waybill.objects.filter(
                carrier=delivery.account.carrier, number=report.waybill_number
            ).first()
            if waybill is None:
                unknown.append(report.waybill_number)
            else:
                apply_report(waybill=waybill, report=report, now=now, delivery=delivery)
        _park(delivery, unknown, now)
    return _state_of(delivery)


def process_all(*, delivery_ids: Iterable[int], now: datetime) -> int:
    """Applies many pushes, each for itself; how many came through. One that fails does not keep the others waiting.

    A push whose processing went wrong waits for `sweep_inbox`, and after `MOST_ATTEMPTS` for a person. Raises
    DatabaseError and InterfaceError: then it is not the push that is at fault.
    """
    through = 0
    for delivery_id in delivery_ids:
        try:
            process_delivery(delivery_id=delivery_id, now=now)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as fault:  # noqa: BLE001 — whatever is wrong with one push is kept with it and shown
            _stumble(delivery_id, fault, now)
        else:
            through += 1
    return through


def adopt_parked(*, waybill: Waybill, now: datetime) -> int:
    """Takes in the pushes that spoke of this waybill before we knew it; how many there were."""
    waiting = ParkedNumber.objects.filter(
        carrier=waybill.carrier, number=waybill.number, delivery__state=State.PARKED
    )
    ids = list(waiting.order_by("delivery_id").values_list("delivery_id", flat=True))
    process_all(delivery_ids=ids, now=now)
    return len(ids)


def sweep_inbox(*, now: datetime, older_than: timedelta = SWEEP_AFTER, at_most: int = MOST_SWEPT) -> int:
    """Takes up pushes whose processing was lost, and parked ones whose waybill is known by now; how many came through.

    Those that never went wrong come first. Each is counted as attempted before it is touched, so that one that takes
    the process down with it is given up, too.
    """
    forgotten = WebhookDelivery.objects.filter(state=State.RECEIVED, received_at__lt=now - older_than)
    booked = Waybill.objects.filter(carrier=OuterRef("carrier"), number=OuterRef("number"))
    known = ParkedNumber.objects.filter(Exists(booked), delivery__state=State.PARKED)
    ids = [
        *forgotten.order_by("attempts", "pk").values_list("pk", flat=True)[:at_most],
        *known.order_by("delivery__attempts", "delivery_id").values_list("delivery_id", flat=True)[:at_most],
    ]
    through = 0
    for delivery_id in dict.fromkeys(ids):
        delivery = WebhookDelivery.objects.get(pk=delivery_id)
        if delivery.attempts >= MOST_ATTEMPTS:
            _give_up(delivery, words="处理时多次中断", code="push_interrupted", now=now)
            continue
        through += _one_more_try(delivery_id, now)
    return through


def replay(*, delivery: WebhookDelivery, actor: Actor, now: datetime) -> str:
    """Processes a push again from its raw bytes, by hand; what was applied already is not applied twice."""
    check_may(actor, "inbox.see")
    with transaction.atomic():
        there = WebhookDelivery.objects.filter(pk=delivery.pk, purged_at__isnull=True)
        if not there.exists():
            raise Refused("delivery_purged", "该推送的原文已超过保存期限并清除，不能重新处理。")
        changed = there.filter(state__in=WebhookDelivery.REPLAYABLE).update(
            state=State.RECEIVED, fault="", attempts=0
        )
        if not changed:
            raise Refused("delivery_state", "该推送验签失败或正在处理，不能重放。")
        events.record(kind="webhook.replayed", actor=actor, subject=delivery, now=now)
    process_all(delivery_ids=[delivery.pk], now=now)
    return _state_of(delivery)


def _one_more_try(delivery_id: int, now: datetime) -> int:
    attempt = WebhookDelivery.objects.filter(pk=delivery_id)
    attempt.update(attempts=F("attempts") + 1)
    through = process_all(delivery_ids=[delivery_id], now=now)
    if through:
        attempt.update(attempts=0)
    return through


def _name(delivery: WebhookDelivery, *, key: str, proof: str, now: datetime) -> bool:
    """Gives a genuine push the name that its repetitions share; False when it is one of them."""
    key = key[:120]
    for name in (key, f"{key}#{delivery.digest}"):
        first = _first_of(delivery, name)
        if first is None:
            try:
                with transaction.atomic():
                    unjudged = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.RECEIVED, proof="")
                    named = unjudged.update(key=name, proof=proof)
            except IntegrityError:
                first = _first_of(delivery, name)  # the same push was judged by somebody else just now
            else:
                delivery.refresh_from_db(fields=["key", "proof", "state"])
                return bool(named)
        if first is not None and first.digest == delivery.digest:
            _fold(delivery, first, now)
            return False
        # The courier's name for another content: a push of its own, under both names.
    raise IntegrityError("a push with this name and content appeared and went")


def _first_of(delivery: WebhookDelivery, key: str) -> WebhookDelivery | None:
    same = WebhookDelivery.objects.filter(account_id=delivery.account_id, key=key).exclude(state=State.FORGED)
    return same.exclude(pk=delivery.pk).only("digest").first()


def _fold(delivery: WebhookDelivery, first: WebhookDelivery, now: datetime) -> None:
    """A repetition stays as a line without its content, which the first one has."""
    with transaction.atomic():
        folded = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.RECEIVED, proof="").update(
            state=State.REPEATED, raw={}, fault=f"与推送 {first.pk} 相同", processed_at=now
        )
        if folded:
            WebhookDelivery.objects.filter(pk=first.pk).update(repeats=F("repeats") + 1)


def _stumble(delivery_id: int, fault: Exception, now: datetime) -> None:
    code = getattr(fault, "code", type(fault).__name__)
    log.error("push %s: %s", delivery_id, code)
    delivery = WebhookDelivery.objects.get(pk=delivery_id)
    words = fault.message if isinstance(fault, Refused) else f"处理出错（{code}）"
    if delivery.attempts >= MOST_ATTEMPTS:
        _give_up(delivery, words=words, code=code, now=now)
    else:
        WebhookDelivery.objects.filter(pk=delivery_id).update(fault=words[:200])


def _give_up(delivery: WebhookDelivery, *, words: str, code: str, now: datetime) -> str:
    """Leaves a push to a person, with the reason."""
    with transaction.atomic():
        changed = WebhookDelivery.objects.filter(
            pk=delivery.pk, state__in=[State.RECEIVED, State.PARKED]
        ).update(state=State.FAILED, fault=words[:200])
        if changed:
            events.record(
                kind="webhook.failed",
                actor=SYSTEM,
                subject=delivery,
                now=now,
                data={"delivery": delivery.pk, "fault": code},
            )
    return _state_of(delivery)


def _park(delivery: WebhookDelivery, unknown: list[str], now: datetime) -> None:
    ParkedNumber.objects.filter(delivery=delivery).exclude(number__in=unknown).delete()
    if not unknown:
        return
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=State.PARKED)
    for number in dict.fromkeys(unknown):
        ParkedNumber.objects.get_or_create(
            delivery=delivery, number=number, defaults={"carrier": delivery.account.carrier}
        )


def _state_of(delivery: WebhookDelivery) -> str:
    delivery.refresh_from_db(fields=["state"])
    return str(delivery.state)
