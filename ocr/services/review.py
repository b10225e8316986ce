"""What follows from a page's text whenever it changes: what waits for a person, where it belongs, how it is found."""

from datetime import datetime

from django.db import transaction

from ingest.models import Material, Page
from ocr.continuing import edges_of
from ocr.kinds import suggest
from ocr.models import Correction, Reading, Review
from ocr.page_index import put
from ocr.standing import Standing


def let_count(*, page: Page, reading: Reading, now: datetime) -> Review:
    """Make this the reading that counts, and bring in step what follows from it. Call in the transaction of the change."""
    stands = standing_of(page, reading)
    before = Review.objects.filter(page=page, reading=reading).first()
    edges = edges_of(stands.lines)
    review, _ = Review.objects.update_or_create(
        page=page,
        defaults={
            "reading": reading,
            "open": len(stands.open) + _is_unread(reading, before),
            "suggested": _suggested(page, stands),
            "printed_number": edges.number,
            "printed_total": edges.total,
            "begins_within": edges.begins_within,
            "breaks_off": edges.breaks_off,
            "image_by": before.image_by if before else "",
            "image_at": before.image_at if before else None,
            "chosen_at": now,
        },
    )
    put(page, stands)
    return review


def takes_nothing_away(page: Page, reading: Reading) -> bool:
    """Whether the reading may count of itself: a try without text never does while a text counts."""
    if not reading.unreadable:
        return True
    counts = Review.objects.filter(page=page).select_related("reading").first()
    return counts is None or counts.reading.unreadable


def _is_unread(reading: Reading, before: Review | None) -> bool:
    """Whether the page could not be read, and nobody has said yet that it stays a picture."""
    return reading.unreadable and (before is None or before.image_at is None)


def index_again() -> int:
    """Put every page that was read into the index as it stands; returns how many. Each page is a transaction."""
    count = 0
    for review in Review.objects.select_related("page", "reading").order_by("pk").iterator(chunk_size=100):
        with transaction.atomic():
            put(review.page, standing_of(review.page, review.reading))
        count += 1
    return count


def _suggested(page: Page, stands: Standing) -> Material | None:
    """The row of the case's checklist that the page's text points to."""
    materials = list(Material.objects.filter(case=page.case_id).order_by("position"))
    index = suggest([material.name for material in materials], stands.lines)
    return None if index is None else materials[index]


def standing_of(page: Page, reading: Reading) -> Standing:
    """What stands on the page by this reading and all that people said of the page."""
    return reading.standing(Correction.objects.of_pages([page]).get(page.pk, []))
