"""The door for pushes: each is durable before it is judged, answered at once, and noted in the audit chain in batches."""

import base64
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from logistics.couriers.base import Acknowledgement, RawRequest
from logistics.couriers.errors import BadAccount, Forged
from logistics.models import CarrierAccount, WebhookDelivery
from logistics.models.carriers import path_digest
from logistics.services.accounts import courier_of
from logistics.services.doors import account_behind
from logistics.services.judging import judge, refuse
from registry import events
from registry.actors import SYSTEM
from registry.permissions import NotYours
from storage.errors import Refused

LARGEST_BODY = 1 << 20
KEPT_HEADERS = 40
BATCH = 100
"""Pushes of one entry in the audit chain, which are one job of the workers."""
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


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
    """Keeps a push, judges it, and answers with the body that the courier wants to see.

    One row is written and durable before anything reads the push; a genuine one costs no other write here. The judgement
    follows from the row, so the workers come to the same one. Raises NotYours for an unknown path, TooLarge.
    """
    if len(body) > LARGEST_BODY:
        raise TooLarge
    digest = path_digest(path_token)
    account = doors.known(digest) or doors.look(digest, now=now)
    raw = RawRequest(headers=_kept(headers), body=body, query=query)
    delivery_id = _keep(account, raw, remote_address, now)
    try:
        courier = courier_of(account)
        judge(account, courier, raw, address=remote_address, at=now)
    except (Forged, BadAccount):
        # Before anything is refused, the account is read afresh: its secrets may have been changed a moment ago.
        account = doors.look(digest, now=now)
        courier = courier_of(account)
        try:
            judge(account, courier, raw, address=remote_address, at=now)
        except Forged as fault:
            refuse(WebhookDelivery.objects.get(pk=delivery_id), fault=fault, now=now)
            return courier.acknowledge(raw, accepted=False, now=now)
    return courier.acknowledge(raw, accepted=True, now=now)


def note_arrivals(*, now: datetime, limit: int = BATCH) -> int:
    """Writes what came in since the last time into the audit chain, which brings it to the workers; how many pushes.

    One entry for each account names its pushes by id and digest. Apart from the request, because writers of the chain
    take turns: that one commit after another would be all that pushes are answered with.
    """
    waiting = WebhookDelivery.objects.filter(noted_at__isnull=True)
    if not waiting.exists():
        return 0  # asked without a lock: on SQLite the transaction below would stop every writer
    with transaction.atomic():
        rows = list(
            waiting.select_for_update(skip_locked=True)
            .order_by("pk")
            .values_list("pk", "account_id", "digest")[:limit]
        )
        pushes: dict[int, list[list[int | str]]] = defaultdict(list)
        for pk, account_id, digest in rows:
            pushes[account_id].append([pk, digest])
        WebhookDelivery.objects.filter(pk__in=[pk for pk, _, _ in rows]).update(noted_at=now)
        accounts = CarrierAccount.objects.select_related("carrier").only("carrier__code")
        for account in accounts.filter(pk__in=pushes).order_by("pk"):
            events.record(
                kind="webhook.received",
                actor=SYSTEM,
                subject=account,
                now=now,
                data={"carrier": account.carrier.code, "pushes": pushes[account.pk]},
            )
    return len(rows)


class Doors:
    """Accounts by the digest of their push path, remembered by this process for a few seconds.

    A push that a remembered account would refuse is judged by a fresh one, and what it lets in is judged by a fresh one
    when it is processed; so remembering costs no genuine push and helps no forged one. A closed account stays open for
    those seconds: its pushes are kept and then waited for by nobody.
    """

    def __init__(self, *, seconds: float = 5.0, most: int = 1000) -> None:
        self.seconds, self.most = seconds, most
        self._known: dict[str, tuple[float, CarrierAccount]] = {}

    def known(self, digest: str) -> CarrierAccount | None:
        """The account, if it was looked up just now."""
        found = self._known.get(digest)
        return found[1] if found and time.monotonic() - found[0] < self.seconds else None

    def look(self, digest: str, *, now: datetime) -> CarrierAccount:
        """The account as the database has it. Raises NotYours."""
        account = account_behind(digest, now=now)
        if account is None:
            self._known.pop(digest, None)
            raise NotYours
        if len(self._known) >= self.most:
            self._known.clear()
        self._known[digest] = (time.monotonic(), account)
        return account


doors = Doors()


def _keep(account: CarrierAccount, raw: RawRequest, address: str, now: datetime) -> int:
    content = {
        "headers": dict(raw.headers),
        "body": base64.b64encode(raw.body).decode("ascii"),
        "query": raw.query,
        "address": address,
    }
    # The statement itself shows whether the connection lives; to ask beforehand would double the questions.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return WebhookDelivery.keep(account_id=account.pk, raw=content, digest=raw.digest, now=now)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The database ended this connection. If it had kept the push before, the second one is seen as a repetition.
        connection.close()
        return WebhookDelivery.keep(account_id=account.pk, raw=content, digest=raw.digest, now=now)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in headers if name.lower() not in SECRET_HEADERS][:KEPT_HEADERS]
    return {name.lower(): headers[name][:4096] for name in names}
