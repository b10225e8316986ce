"""Laying pages where their text points to, once a person says so."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from ingest.models import Case
from ingest.services.placing import move_page
from ocr.models import Review
from registry.actors import Actor
from registry.permissions import check_may


def follow_suggestions(*, case: Case, pages: Iterable[int], actor: Actor, now: datetime) -> int:
    """Move these pages (by key) of the case to the material that was suggested for each; returns how many.

    A page without a suggestion, or one that lies there already, stays. All or none. Raises NotNow.
    """
    check_may(actor, "case.upload", case)
    reviews = Review.objects.filter(page__case=case, page__in=list(pages), suggested__isnull=False)
    moved = 0
    with transaction.atomic():
        for review in reviews.select_related("page__case", "suggested").order_by("page_id"):
            if review.suggested is not None and review.page.material_id != review.suggested_id:
                move_page(page=review.page, material=review.suggested, actor=actor, now=now)
                moved += 1
    return moved
