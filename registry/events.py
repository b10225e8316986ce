"""Writing down what happened, in the same transaction as the change itself."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models, transaction

from registry.actors import Actor
from registry.models import Event


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold any more."""

    stream: str
    sequence: int
    fault: str


def record(
    *,
    kind: str,
    actor: Actor,
    subject: models.Model,
    now: datetime,
    case_number: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append an event. Audit entry and outbox message at once; `data` never holds personal data."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event is recorded in the transaction of the change that it tells")
    stream = case_number or "system"
    _one_writer(stream)
    last = Event.objects.filter(stream=stream).order_by("-sequence").first()
    event = Event(
        kind=kind,
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        case_number=case_number,
        data=data or {},
        stream=stream,
        sequence=last.sequence + 1 if last else 1,
        previous_hash=last.hash if last else "",
    )
    event.hash = chain_hash(event)
    event.save(force_insert=True)
    return event


def chain_hash(event: Event) -> str:
    """SHA-256 over the previous hash and the canonical text of the entry."""
    return hashlib.sha256((event.previous_hash + entry_text(event)).encode()).hexdigest()


def entry_text(event: Event) -> str:
    """The canonical JSON of an entry (sorted keys, UTC, no spaces): what its hash is made over, after the hash before."""
    entry = {
        "stream": event.stream,
        "sequence": event.sequence,
        "kind": event.kind,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": [event.actor_kind, event.actor_id, event.actor_label],
        "subject": [event.subject_type, event.subject_id],
        "case_number": event.case_number,
        "data": event.data,
    }
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def verify_chains(stream: str | None = None) -> Iterator[Break]:
    """Walk every chain, or one, and tell where it is broken."""
    events = Event.objects.order_by("stream", "sequence")
    if stream is not None:
        events = events.filter(stream=stream)
    before: Event | None = None
    for event in events.iterator():
        first = before is None or before.stream != event.stream
        expected_sequence = 1 if first or before is None else before.sequence + 1
        expected_hash = "" if first or before is None else before.hash
        if event.sequence != expected_sequence:
            yield Break(event.stream, event.sequence, "missing")
        elif event.previous_hash != expected_hash or chain_hash(event) != event.hash:
            yield Break(event.stream, event.sequence, "changed")
        before = event


def _one_writer(stream: str) -> None:
    """Writers of one chain take turns. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        key = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
