"""Telling one platform about one event: noted once, sent until it arrives, parked when it does not."""

import json
import logging
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from ingest.models import Case, Notice, Subscription
from ingest.telling.rules import HANDLING_KINDS, KINDS, Outcome, must_disable, next_wait, rest
from ingest.telling.sending import send
from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.models import Event, Office
from registry.permissions import visible
from registry.webhook_signing import headers_for

log = logging.getLogger("tongban.platforms")
VERSION = 1
KEPT = timedelta(days=90)
SWEPT_AT_ONCE = 1000
GRADED = ("grade", "concern")
"""What a grade tells beside its case; the applicant's words stay here."""
OF_HANDLING = ("state", "deadline")
"""What an act of an office tells of its part, where the event says it: the state it has now, the promised day."""


def subscribers_of(event: Event) -> Iterator[int]:
    """The subscriptions that want this event and whose key may see its case; a disabled one is told later."""
    open_ones = Subscription.objects.exclude(state=Subscription.State.ENDED).filter(
        api_key__revoked_at__isnull=True
    )
    cases = Case.objects.filter(number=event.case_number)
    for subscription in open_ones.select_related("api_key").defer("secrets").order_by("pk"):
        if event.kind not in subscription.kinds:
            continue
        if visible(Actor.of_key(subscription.api_key), "case.see", cases).exists():
            yield subscription.pk


def parked_of(subscription_id: int) -> Iterator[int]:
    """The notices of a subscription that were given up."""
    parked = Notice.objects.filter(subscription_id=subscription_id, state=Notice.State.PARKED)
    yield from parked.values_list("pk", flat=True)


def tell(*, event: Event, subscription_id: int, now: datetime) -> timedelta | None:
    """Note what is to be told, and try. The time until the next try, or None when there is nothing left to do."""
    notice, _ = Notice.objects.get_or_create(
        event=event,
        subscription_id=subscription_id,
        defaults={"body": body_of(event), "created_at": now, "next_try_at": now},
    )
    return _try(notice, now)


def tell_again(*, notice_id: int, now: datetime) -> timedelta | None:
    """The same for a notice that is there: replayed, or parked while its subscription was disabled."""
    Notice.objects.filter(pk=notice_id, state=Notice.State.PARKED).update(
        state=Notice.State.WAITING, attempts=0, next_try_at=now
    )
    return _try(Notice.objects.get(pk=notice_id), now)


def body_of(event: Event) -> str:
    """What is told: which case, which state of it or whose part, when, where to read more, and of a grade its value.
    Nothing about a person.

    `sequence` orders the events of one case, whatever order they arrive in.
    """
    about = {"handling": _part_of(event)} if event.kind in HANDLING_KINDS else {"state": KINDS[event.kind][1]}
    told = {
        "type": event.kind,
        "timestamp": event.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "version": VERSION,
        "data": {
            "number": event.case_number,
            **about,
            "sequence": event.sequence,
            "url": settings.PUBLIC_URL + reverse("api:see_case", args=[event.case_number]),
            **{name: event.data[name] for name in GRADED if event.kind == "rating.given"},
        },
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _part_of(event: Event) -> dict[str, object]:
    """Which office's part of the case, by code and name, and how it stands after the act."""
    code = str(event.data["office"])
    name = Office.objects.filter(code=code).values_list("name", flat=True).first()
    return {
        "office": code,
        "name": name or code,
        **{field: event.data[field] for field in OF_HANDLING if field in event.data},
    }


def forget_notices(*, now: datetime) -> int:
    """Delivered notices are kept for ninety days; how many went."""
    old = Notice.objects.filter(state=Notice.State.DELIVERED, delivered_at__lte=now - KEPT)
    keys = list(old.values_list("pk", flat=True)[:SWEPT_AT_ONCE])
    return Notice.objects.filter(pk__in=keys).delete()[0]


def _try(notice: Notice, now: datetime) -> timedelta | None:
    subscription = Subscription.objects.select_related("api_key").get(pk=notice.subscription_id)
    if notice.state == Notice.State.DELIVERED:
        return None
    if subscription.state != Subscription.State.ACTIVE:
        _park(notice, f"subscription_{subscription.state}", now)
        return None
    if subscription.api_key.revoked_at is not None:
        _park(notice, "key_revoked", now)
        return None
    if subscription.rests_until is not None and subscription.rests_until > now:
        # Others failed there just now. One at a time finds out whether it is back.
        return (subscription.rests_until - now) * (1 + random.random() / 10)  # noqa: S311 — no secret
    body = notice.body.encode()
    outcome = send(
        url=subscription.url,
        headers=headers_for(
            secrets=subscription.living_secrets(now=now),
            message_id=notice.message_id,
            timestamp=int(now.timestamp()),
            body=body,
        ),
        body=body,
        networks=settings.WEBHOOK_NETWORKS,
        now=now,
    )
    return (
        _delivered(notice, subscription, outcome, now)
        if outcome.delivered
        else _failed(notice, subscription, outcome, now)
    )


def _delivered(
    notice: Notice, subscription: Subscription, outcome: Outcome, now: datetime
) -> timedelta | None:
    with transaction.atomic():
        _note(notice, outcome, now, state=Notice.State.DELIVERED, delivered_at=now, next_try_at=None)
        Subscription.objects.filter(pk=subscription.pk).update(
            failures=0, failing_since=None, rests_until=None
        )
    return None


def _failed(notice: Notice, subscription: Subscription, outcome: Outcome, now: datetime) -> timedelta | None:
    asked = outcome.asked
    wait = next_wait(notice.attempts + 1, random.random(), asked=asked)  # noqa: S311 — spreads tries, no secret
    with transaction.atomic():
        _note(notice, outcome, now, next_try_at=now + wait if wait else None)
        Subscription.objects.filter(pk=subscription.pk, failing_since__isnull=True).update(failing_since=now)
        Subscription.objects.filter(pk=subscription.pk).update(
            failures=F("failures") + 1, rests_until=now + rest(subscription.failures + 1, asked=asked)
        )
        subscription.refresh_from_db()
        since = subscription.failing_since or now
        if why := must_disable(outcome, failing_since=since, now=now):
            _disable(subscription, why, now)
            wait = None
        if wait is None:
            _park(notice, outcome.fault, now)
    return wait


def _note(notice: Notice, outcome: Outcome, now: datetime, **changes: object) -> None:
    """The try goes into the notice's log."""
    tried = {"at": now.isoformat(timespec="seconds"), "status": outcome.status, "fault": outcome.fault}
    Notice.objects.filter(pk=notice.pk).update(
        attempts=notice.attempts + 1, tries=[*notice.tries, tried], last_fault=outcome.fault, **changes
    )


def _park(notice: Notice, fault: str, now: datetime) -> None:
    """Given up, loudly: in the log of the process, in the audit, and on the administrator's page."""
    with transaction.atomic():
        parked = Notice.objects.filter(pk=notice.pk, state=Notice.State.WAITING).update(
            state=Notice.State.PARKED, last_fault=fault, next_try_at=None
        )
        if not parked:
            return
        record(
            kind="notice.parked",
            actor=SYSTEM,
            subject=notice,
            now=now,
            data={"message": notice.message_id, "subscription": notice.subscription_id, "fault": fault},
        )
    log.error("notice %s to subscription %s parked: %s", notice, notice.subscription_id, fault)


def _disable(subscription: Subscription, why: str, now: datetime) -> None:
    stopped = Subscription.objects.filter(pk=subscription.pk, state=Subscription.State.ACTIVE).update(
        state=Subscription.State.DISABLED, disabled_for=why
    )
    if stopped:
        record(kind="subscription.disabled", actor=SYSTEM, subject=subscription, now=now, data={"why": why})
        log.error("subscription %s disabled: %s", subscription.pk, why)
