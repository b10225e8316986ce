"""The audit trail is anchored once a day: its sum, stamped by the timestamp service, lies under lock in the archive.

A chain of hashes shows what was changed in it, and neither an end that was cut off nor a chain that was computed anew.
Whoever can write to the database can do both, and cannot write what the archive holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import Max
from pydantic import ValidationError

from dossier.anchors import Anchor, Sum, add_up
from dossier.models import AuditAnchor
from dossier.sealing import installation_trust, timestamper
from dossier.timestamping import stamp, stamp_holds, stamped_digest
from registry.actors import SYSTEM
from registry.events import record
from registry.models import Event
from registry.time import local_day
from storage.models import Kind
from storage.services import kept_of, store_bytes

SETTLED = timedelta(hours=1)
"""Entries get their numbers before their transactions end; none takes this long, so older ones are all there."""


@dataclass(frozen=True)
class AnchorBreak:
    """`changed`: the trail no longer adds up to what was anchored. `missing`: this anchor is not in the archive, or not
    as it was put there. `unstamped`: no stamp of a service that is trusted here belongs to it."""

    number: int
    fault: Literal["changed", "missing", "unstamped"]


def anchor_audit(*, now: datetime) -> int:
    """Anchor what was written since the last time, once a day; how many anchors were made.

    Raises what the timestamp service and the store raise; the next round tries again. Call outside a transaction.
    """
    last = AuditAnchor.objects.order_by("-number").first()
    if last is not None and local_day(last.made_at) >= local_day(now):
        return 0
    anchor = _next(last, now)
    if anchor is None:
        return 0
    # The stamp first: an anchor without one would look like somebody's own.
    token = store_bytes(
        content=stamp(anchor.content, timestamper()),
        kind=Kind.ANCHOR,
        media_type="application/vnd.etsi.timestamp-token",
        now=now,
    )
    content = store_bytes(content=anchor.content, kind=Kind.ANCHOR, media_type="application/json", now=now)
    with transaction.atomic():
        row, is_new = AuditAnchor.objects.get_or_create(
            number=anchor.number,
            defaults={"upto": anchor.upto, "stored": content, "stamp": token, "made_at": now},
        )
        if is_new:
            record(
                kind="audit.anchored",
                actor=SYSTEM,
                subject=row,
                now=now,
                data={"number": anchor.number, "entries": anchor.count, "sha256": content.sha256},
            )
    return int(is_new)


def check_anchors() -> Iterator[AnchorBreak]:
    """Compare the trail with every anchor in the archive, also with those that the database does not know.

    Raises Unavailable.
    """
    anchors, tokens = _kept()
    trust = installation_trust()
    for anchor in anchors:
        if add_up(_entries(anchor.after, anchor.upto)) != Sum(anchor.count, anchor.digest, anchor.upto):
            yield AnchorBreak(anchor.number, "changed")
        token = tokens.get(anchor.sha256)
        if token is None or not stamp_holds(token, anchor.content, trust):
            yield AnchorBreak(anchor.number, "unstamped")
    for number in _missing(anchors):
        yield AnchorBreak(number, "missing")


def _next(last: AuditAnchor | None, now: datetime) -> Anchor | None:
    after = last.upto if last else 0
    newer = Event.objects.filter(pk__gt=after)
    open_still = newer.filter(at__gt=now - SETTLED).order_by("pk").values_list("pk", flat=True).first()
    end = open_still - 1 if open_still else newer.aggregate(last=Max("pk"))["last"] or after
    found = add_up(_entries(after, end))
    if found.count == 0:
        return None
    return Anchor(
        number=last.number + 1 if last else 1,
        after=after,
        upto=found.upto,
        count=found.count,
        digest=found.digest,
        previous=last.stored.sha256 if last else "",
        made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
    )


def _entries(after: int, upto: int) -> Iterator[tuple[int, str]]:
    rows = Event.objects.filter(pk__gt=after, pk__lte=upto).order_by("pk")
    return rows.values_list("pk", "hash").iterator()


def _kept() -> tuple[list[Anchor], dict[str, bytes]]:
    """The anchors that lie in the archive, by number, and the stamps there, by the SHA-256 of what they stamp."""
    anchors: list[Anchor] = []
    tokens: dict[str, bytes] = {}
    for content in kept_of(Kind.ANCHOR):
        if (anchor := _read(content)) is not None:
            anchors.append(anchor)
        elif (stamped := stamped_digest(content)) is not None:
            tokens[stamped] = content
    return sorted(anchors, key=lambda anchor: anchor.number), tokens


def _read(content: bytes) -> Anchor | None:
    try:
        return Anchor.model_validate_json(content)
    except ValidationError:
        return None


def _missing(anchors: list[Anchor]) -> list[int]:
    """Each anchor names the one before it; the database names the last."""
    here = {anchor.sha256 for anchor in anchors}
    named = {anchor.number - 1 for anchor in anchors if anchor.previous and anchor.previous not in here}
    rows = AuditAnchor.objects.exclude(stored__sha256__in=here)
    return sorted(named | set(rows.values_list("number", flat=True)))
