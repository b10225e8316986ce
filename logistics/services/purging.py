"""The end of a push: its content, which names people, is emptied once it was kept long enough; the line stays."""

from collections import Counter, defaultdict
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from logistics.models import CarrierAccount, ParkedNumber, WebhookDelivery
from registry import events
from registry.actors import SYSTEM
from registry.time import SHANGHAI, local_day

MOST_PURGED = 2000
"""Pushes emptied in one round; the rest have their turn in the next."""
State = WebhookDelivery.State


def purge_inbox(*, now: datetime, at_most: int = MOST_PURGED) -> int:
    """Empties pushes whose days are over (`TONGBAN_INBOX_DAYS`, forged ones `TONGBAN_INBOX_FORGED_DAYS`); how many.

    Whole days, so that one entry for each account and round tells a day's worth. What nobody has judged yet stays. A
    push that was still waiting for its waybill cannot be taken up any more, and says so.
    """
    due = _due(now)
    if not due.exists():
        return 0  # asked without a lock: on SQLite the transaction below would stop every writer
    with transaction.atomic():
        rows = list(
            due.select_for_update(skip_locked=True)
            .order_by("received_at")
            .values_list("pk", "account_id", "state")[:at_most]
        )
        these = WebhookDelivery.objects.filter(pk__in=[pk for pk, _, _ in rows])
        ParkedNumber.objects.filter(delivery__in=these).delete()
        these.filter(state=State.PARKED).update(state=State.FAILED, fault="到保存期限仍无人认领")
        these.update(raw={}, purged_at=now)
        _tell(rows, now)
    return len(rows)


def _due(now: datetime) -> QuerySet[WebhookDelivery]:
    midnight = datetime.combine(local_day(now), time.min, SHANGHAI)
    ours = Q(
        state__in=[State.PROCESSED, State.PARKED, State.FAILED],
        received_at__lt=midnight - timedelta(days=settings.INBOX_DAYS),
    )
    forged = Q(state=State.FORGED, received_at__lt=midnight - timedelta(days=settings.INBOX_FORGED_DAYS))
    return WebhookDelivery.objects.filter(ours | forged, purged_at__isnull=True)


def _tell(rows: list[tuple[int, int, str]], now: datetime) -> None:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for _, account_id, state in rows:
        counts[account_id][str(state)] += 1
    accounts = CarrierAccount.objects.select_related("carrier").only("carrier__code")
    for account in accounts.filter(pk__in=counts).order_by("pk"):
        emptied = dict(sorted(counts[account.pk].items()))
        data = {"carrier": account.carrier.code, "emptied": emptied}
        events.record(kind="webhook.purged", actor=SYSTEM, subject=account, now=now, data=data)
