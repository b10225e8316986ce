"""Statements that finance handed in: read, then checked line by line, both away from the page that waits."""

from datetime import datetime

from logistics.models import Statement, StatementUpload
from logistics.postage.services import import_uploaded, reconcile_statement
from registry.actors import SYSTEM
from registry.models import Event


def import_asked(event: Event, part: str, now: datetime) -> None:
    """Read an uploaded file; what is wrong with it is kept for whoever sent it, and is no failure of the work."""
    upload = StatementUpload.objects.select_related("carrier", "centre", "stored").get(pk=event.subject_id)
    import_uploaded(upload=upload, now=now)


def check(event: Event, part: str, now: datetime) -> None:
    """Every line against what we know; a check that somebody was faster with finds the same and adds nothing."""
    reconcile_statement(statement=Statement.objects.get(pk=event.subject_id), actor=SYSTEM, now=now)
