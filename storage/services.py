"""Putting bytes away and getting them back, unchanged or not at all."""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.conf import settings

from storage.client import Damaged, Digests, digest, store
from storage.models import ARCHIVED, StoredObject, bucket_of


def store_file(*, path: Path, kind: str, media_type: str, now: datetime) -> StoredObject:
    """Keep a file's bytes. The same bytes for the same use are kept once. Call outside a transaction."""
    with path.open("rb") as file:
        return _store(file, kind=kind, media_type=media_type, now=now)


def store_bytes(*, content: bytes, kind: str, media_type: str, now: datetime) -> StoredObject:
    return _store(io.BytesIO(content), kind=kind, media_type=media_type, now=now)


def fetch_to(stored: StoredObject, path: Path) -> None:
    """Write the object to `path`, checked against its SHA-256. Raises Damaged or Unavailable."""
    store().fetch(bucket=stored.bucket, key=stored.key, sha256=stored.sha256, path=path)


def open_verified(stored: StoredObject) -> bytes:
    """The whole object in memory, checked. For small things; large ones go through `fetch_to`."""
    return b"".join(stream_verified(stored))


def stream_verified(stored: StoredObject) -> Iterator[bytes]:
    return store().stream(bucket=stored.bucket, key=stored.key, sha256=stored.sha256)


def read_range(stored: StoredObject, *, first: int, last: int) -> bytes:
    return store().read_range(bucket=stored.bucket, key=stored.key, first=first, last=last)


def kept_of(kind: str) -> Iterator[bytes]:
    """The bytes of every object of this use that lies in the store, known to the database or not.

    What is not the bytes that it was named by is passed over. Raises Unavailable.
    """
    bucket = bucket_of(kind)
    for entry in store().list(bucket=bucket, prefix=f"{kind}/"):
        with suppress(Damaged):
            sha256 = entry.key.rpartition("/")[2]
            yield b"".join(store().stream(bucket=bucket, key=entry.key, sha256=sha256))


def holds_locks(bucket: str) -> bool:
    """Whether objects are locked here: the settings ask for it, and the server can."""
    return settings.S3_LOCK_MODE != "OFF" and store().can_lock(bucket)


def prepare_buckets() -> None:
    """Make both buckets when they are missing. Safe to repeat."""
    objects = store()
    objects.ensure_bucket(settings.S3_BUCKET)
    objects.ensure_bucket(settings.S3_ARCHIVE_BUCKET, lockable=settings.S3_LOCK_MODE != "OFF")


def _store(file: IO[bytes], *, kind: str, media_type: str, now: datetime) -> StoredObject:
    digests = digest(file)
    known = StoredObject.objects.filter(kind=kind, sha256=digests.sha256).first()
    objects = store()
    if known and objects.size_of(bucket=known.bucket, key=known.key) == known.size:
        return known
    lock_mode, locked_until = _lock_for(kind, now)
    key = f"{kind}/{digests.sha256[:2]}/{digests.sha256}"
    objects.put(
        bucket=bucket_of(kind),
        key=key,
        file=file,
        digests=digests,
        media_type=media_type,
        lock_mode=lock_mode,
        locked_until=locked_until,
    )
    return known or _remember(
        digests, kind=kind, key=key, media_type=media_type, locked_until=locked_until, now=now
    )


def _lock_for(kind: str, now: datetime) -> tuple[str, datetime | None]:
    if kind not in ARCHIVED or not holds_locks(bucket_of(kind)):
        return "", None
    return settings.S3_LOCK_MODE, now + timedelta(days=settings.S3_LOCK_DAYS)


def _remember(
    digests: Digests, *, kind: str, key: str, media_type: str, locked_until: datetime | None, now: datetime
) -> StoredObject:
    stored, _ = StoredObject.objects.get_or_create(
        kind=kind,
        sha256=digests.sha256,
        defaults={
            "key": key,
            "size": digests.size,
            "media_type": media_type,
            "locked_until": locked_until,
            "created_at": now,
        },
    )
    return stored
