"""How far a page's text has been looked at: kept in step with its readings and corrections."""

from datetime import datetime

from ingest.models import Page
from ocr.models import Correction, Reading, Review
from ocr.standing import Standing


def let_count(*, page: Page, reading: Reading, now: datetime) -> Review:
    """Make this the reading that counts, and count what waits for a person. Call inside the transaction of the change."""
    waiting = len(standing_of(page, reading).open)
    review, is_new = Review.objects.get_or_create(
        page=page, defaults={"reading": reading, "open": waiting, "chosen_at": now}
    )
    if not is_new:
        review.reading, review.open, review.chosen_at = reading, waiting, now
        review.save(update_fields=["reading", "open", "chosen_at"])
    return review


def standing_of(page: Page, reading: Reading) -> Standing:
    """What stands on the page by this reading and all that people said of the page."""
    return reading.standing(Correction.objects.of_pages([page]).get(page.pk, []))
