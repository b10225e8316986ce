"""Laying pages where their text points to, once a person says so."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from ingest.models import Case, Page
from ingest.services.placing import move_page
from ocr.findings import misplaced_in
from registry.actors import Actor
from registry.permissions import check_may


def follow_suggestions(*, case: Case, pages: Iterable[int], actor: Actor, now: datetime) -> int:
    """Move these pages (by key) of the case to the material that was suggested for each; returns how many.

    A page without a suggestion, or one that lies there already, stays. All or none. Raises NotNow.
    """
    check_may(actor, "case.upload", case)
    wanted = frozenset(pages)
    chosen = [suggestion for suggestion in misplaced_in(case) if suggestion.page.pk in wanted]
    whole = Page.objects.select_related("case").in_bulk([suggestion.page.pk for suggestion in chosen])
    with transaction.atomic():
        for suggestion in chosen:
            move_page(page=whole[suggestion.page.pk], material=suggestion.suggested, actor=actor, now=now)
    return len(chosen)
