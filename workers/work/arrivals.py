"""What follows when an office rescans an original that arrived."""

from datetime import datetime

from dossier.arrivals import ArrivalVerdict
from dossier.models import ArrivalComparison
from dossier.services import compare_arrival
from logistics.services.incidents import report_difference
from registry.actors import SYSTEM
from registry.models import Event


def compare(event: Event, part: str, now: datetime) -> None:
    comparison = ArrivalComparison.objects.select_related("original__case").get(pk=event.subject_id)
    compare_arrival(comparison=comparison, actor=SYSTEM, now=now)


def open_incident(event: Event, part: str, now: datetime) -> None:
    """Whoever sent a paper that differs from its signed pages has to answer for it."""
    if event.data["verdict"] == ArrivalVerdict.DIFFERS:
        comparison = ArrivalComparison.objects.select_related("original__case").get(pk=event.subject_id)
        report_difference(original=comparison.original, judged_at=event.at, actor=SYSTEM, now=now)
