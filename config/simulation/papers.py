"""Pages for cases that nobody reads: rows as an upload leaves them, without bytes in the store."""

import hashlib
from datetime import datetime

from django.db import transaction

from ingest.models import Case, Material, Page, SourceFile
from storage.models import Kind, StoredObject

ONE_PAGE = hashlib.sha256(b"a page of the simulation").hexdigest()


def hand_in_pages(case: Case, *, now: datetime) -> None:
    """Fills what the checklist wants. Uploading, inspecting and reading are not played: they cost seconds a page."""
    with transaction.atomic():
        stored, _ = StoredObject.objects.get_or_create(
            kind=Kind.PAGE,
            sha256=ONE_PAGE,
            defaults={
                "key": f"page/{ONE_PAGE[:2]}/{ONE_PAGE}",
                "size": 1,
                "media_type": "image/jpeg",
                "created_at": now,
            },
        )
        for material in case.materials.select_related("requirement").filter(requirement__required=True):
            for position in range(material.pages.count(), material.requirement.minimum_pages):
                sha256 = hashlib.sha256(f"{case.number}/{material.position}/{position}".encode()).hexdigest()
                put_page(material, position=position, stored=stored, sha256=sha256, now=now)


def put_page(
    material: Material,
    *,
    position: int,
    stored: StoredObject,
    sha256: str,
    now: datetime,
    pixels: tuple[int, int] = (1240, 1754),
    dpi: int = 150,
) -> Page:
    """A JPEG of one page and that page, as if it had been uploaded and taken in; `pixels` is width and height."""
    file = SourceFile.objects.create(
        case=material.case,
        material=material,
        stored=stored,
        sha256=sha256,
        size=stored.size,
        media_type="image/jpeg",
        verdict=SourceFile.Verdict.ACCEPTED,
        uploaded_at=now,
    )
    return Page.objects.create(
        case=material.case,
        material=material,
        file=file,
        number=1,
        position=position,
        stored=stored,
        sha256=sha256,
        media_type="image/jpeg",
        width=pixels[0],
        height=pixels[1],
        dpi=dpi,
        source=Page.Source.AS_CAPTURED,
        captured_at=now,
    )
