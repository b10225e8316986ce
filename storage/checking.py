"""Does the store still hold what the database says it holds, bit for bit?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from storage.client import Damaged, store
from storage.models import StoredObject
from storage.services import stream_verified

Fault = Literal["missing", "damaged", "unreferenced"]


@dataclass(frozen=True)
class Finding:
    """`unreferenced` is an object without a row: harmless, left by a crash between store and database."""

    fault: Fault
    bucket: str
    key: str
    size: int


def check_storage() -> Iterator[Finding]:
    """Read every object again and compare; then look for objects that no row names."""
    for row in StoredObject.objects.order_by("pk").iterator():
        try:
            for _ in stream_verified(row):
                pass
        except Damaged as damage:
            fault: Fault = "missing" if damage.fault == "missing" else "damaged"
            yield Finding(fault, row.bucket, row.key, row.size)
    known = set(StoredObject.objects.values_list("key", flat=True))
    for bucket in (settings.S3_BUCKET, settings.S3_ARCHIVE_BUCKET):
        for entry in store().list(bucket=bucket):
            if entry.key not in known:
                yield Finding("unreferenced", bucket, entry.key, entry.size)
