"""A photo or a signature that stands beside a hand-over as its proof."""

from datetime import datetime
from pathlib import Path

from ingest.examining import examine
from ingest.inspect import view_of
from logistics.rules.handovers import strokes_of
from logistics.signature import signature_png
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import store_bytes

KEPT_SIZE = (2400, 2400)


def keep_photo(*, path: Path, now: datetime) -> StoredObject:
    """Keeps a photo upright and without what the camera wrote into it. Call outside a transaction.

    Opened in a limited child only, and checked for viruses. Raises Refused when it is not taken in.
    """
    with scratch("proof") as folder:
        found = examine(path, folder, most_pages=1)
        if found.refused or not found.pages:
            raise Refused("photo_unreadable", f"照片打不开：{found.reason}")
        page = found.pages[0]
        upright = view_of(page.path, rotation=page.rotation, size=KEPT_SIZE)
    return store_bytes(content=upright, kind=Kind.PHOTO, media_type="image/jpeg", now=now)


def keep_signature(*, drawn: str, now: datetime) -> StoredObject:
    """Keeps what was drawn on the pad as a picture; `drawn` as in `rules.handovers.strokes_of`. Raises NotNow."""
    picture = signature_png(strokes_of(drawn))
    return store_bytes(content=picture, kind=Kind.PHOTO, media_type="image/png", now=now)
