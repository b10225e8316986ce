"""Pages for cases that nobody reads: rows as an upload leaves them, without bytes in the store."""

import hashlib
from datetime import datetime

from django.db import transaction

from ingest.models import Case, Page, SourceFile
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
            for number in range(material.pages.count(), material.requirement.minimum_pages):
                sha256 = hashlib.sha256(f"{case.number}/{material.position}/{number}".encode()).hexdigest()
                file = SourceFile.objects.create(
                    case=case,
                    material=material,
                    stored=stored,
                    sha256=sha256,
                    size=1,
                    media_type="image/jpeg",
                    verdict=SourceFile.Verdict.ACCEPTED,
                    uploaded_at=now,
                )
                Page.objects.create(
                    case=case,
                    material=material,
                    file=file,
                    number=1,
                    position=number,
                    stored=stored,
                    sha256=sha256,
                    media_type="image/jpeg",
                    width=1240,
                    height=1754,
                    dpi=150,
                    source=Page.Source.AS_CAPTURED,
                    captured_at=now,
                )
