"""Does the store still hold what the database says it holds, bit for bit and as long as it was promised?"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from django.conf import settings

from storage.client import Damaged, Listed, digest, store
from storage.models import StoredObject
from storage.scratch import scratch
from storage.services import holds_locks, stream_verified

Fault = Literal["missing", "damaged", "unlocked", "unreferenced"]
LISTED = 1000
"""Objects compared with the rows in one question."""
A_SECOND = timedelta(seconds=1)
"""Servers keep the end of a lock in whole seconds."""


@dataclass(frozen=True)
class Finding:
    """`unlocked`: it could be removed before the day that was promised. `unreferenced`: an object without a row,
    harmless, left by a crash between store and database. `mended`: it is right again."""

    fault: Fault
    bucket: str
    key: str
    size: int
    mended: bool = False


def check_storage(*, now: datetime, mend: bool = False) -> Iterator[Finding]:
    """Read every object again and compare, ask for its lock, then look for objects that no row names.

    With `mend`, bytes that an older version of the object still has are put back on top, and locks that are gone are
    set again; nothing is ever removed. Raises Unavailable.
    """
    for row in StoredObject.objects.order_by("pk").iterator():
        if (fault := _damage(row)) is not None:
            yield _finding(fault, row, mended=mend and _bring_back(row, now))
        elif not _is_locked(row, now):
            yield _finding("unlocked", row, mended=mend and _lock(row, now))
    for bucket in (settings.S3_BUCKET, settings.S3_ARCHIVE_BUCKET):
        for entries in _in_parts(store().list(bucket=bucket)):
            known = set(
                StoredObject.objects.filter(key__in=[entry.key for entry in entries]).values_list(
                    "key", flat=True
                )
            )
            for entry in entries:
                if entry.key not in known:
                    yield Finding("unreferenced", bucket, entry.key, entry.size)


def _finding(fault: Fault, row: StoredObject, *, mended: bool) -> Finding:
    return Finding(fault, row.bucket, row.key, row.size, mended)


def _damage(row: StoredObject) -> Literal["missing", "damaged"] | None:
    try:
        for _ in stream_verified(row):
            pass
    except Damaged as damage:
        return "missing" if damage.fault == "missing" else "damaged"
    return None


def _is_locked(row: StoredObject, now: datetime) -> bool:
    """Whether the server keeps it as long as the row says."""
    if row.locked_until is None or row.locked_until <= now:
        return True
    held = store().locked_until(bucket=row.bucket, key=row.key)
    return held is not None and held > row.locked_until - A_SECOND


def _lock_for(row: StoredObject, now: datetime) -> tuple[str, datetime | None]:
    """What holds it as long as the row says; nothing where that is over or this store holds no locks."""
    if row.locked_until is None or row.locked_until <= now or not holds_locks(row.bucket):
        return "", None
    return settings.S3_LOCK_MODE, row.locked_until


def _lock(row: StoredObject, now: datetime) -> bool:
    mode, until = _lock_for(row, now)
    if until is not None:
        store().lock(bucket=row.bucket, key=row.key, mode=mode, until=until)
    return _is_locked(row, now)


def _bring_back(row: StoredObject, now: datetime) -> bool:
    """Put the bytes of an older version on top, when one has the right ones."""
    objects = store()
    with scratch("check") as folder:
        path = folder / "object"
        for version in objects.versions(bucket=row.bucket, key=row.key):
            with suppress(Damaged):
                objects.fetch(bucket=row.bucket, key=row.key, sha256=row.sha256, path=path, version=version)
                break
        else:
            return False
        mode, until = _lock_for(row, now)
        with path.open("rb") as file:
            objects.put(
                bucket=row.bucket,
                key=row.key,
                file=file,
                digests=digest(file),
                media_type=row.media_type,
                lock_mode=mode,
                locked_until=until,
            )
    return _is_locked(row, now)


def _in_parts(entries: Iterable[Listed]) -> Iterator[list[Listed]]:
    iterator = iter(entries)
    while part := list(islice(iterator, LISTED)):
        yield part
