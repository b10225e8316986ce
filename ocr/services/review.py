"""How far a page's text has been looked at: kept in step with its readings and corrections."""

from datetime import datetime

from ingest.models import Material, Page
from ocr.kinds import suggest
from ocr.models import Correction, Reading, Review
from ocr.standing import Standing


def let_count(*, page: Page, reading: Reading, now: datetime) -> Review:
    """Make this the reading that counts, and count what waits for a person. Call inside the transaction of the change."""
    stands = standing_of(page, reading)
    review, _ = Review.objects.update_or_create(
        page=page,
        defaults={
            "reading": reading,
            "open": len(stands.open),
            "suggested": _suggested(page, stands),
            "chosen_at": now,
        },
    )
    return review


def _suggested(page: Page, stands: Standing) -> Material | None:
    """The row of the case's checklist that the page's text points to."""
    materials = list(Material.objects.filter(case=page.case_id).order_by("position"))
    index = suggest([material.name for material in materials], stands.lines)
    return None if index is None else materials[index]


def standing_of(page: Page, reading: Reading) -> Standing:
    """What stands on the page by this reading and all that people said of the page."""
    return reading.standing(Correction.objects.of_pages([page]).get(page.pk, []))
