"""Dossiers of the cases that have real pages: each version once, what is kept verifies, what arrives is told apart."""

from collections.abc import Iterator

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from dossier.arrivals import ArrivalVerdict
from dossier.models import ArrivalComparison, Dossier, DossierState
from dossier.services import check_file
from ingest.models import Handling, Page
from logistics.models import Incident
from logistics.rules.parcels import IncidentKind
from registry.models import Event
from storage.scratch import scratch
from storage.services import fetch_to


def each_dossier_is_whole(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Versions and revisions are counted without a gap, and the newest revision is what the dossier's row names."""
    if not news.wrote(Dossier):
        return
    touched = news.about(Dossier)
    dossiers = Dossier.objects.filter(state=DossierState.SIGNED)
    if touched is not None:
        dossiers = dossiers.filter(pk__in=touched)
    for dossier in dossiers.order_by("pk"):
        kept = list(
            dossier.revisions.order_by("number").values_list(
                "number", "sha256", "signature_count", "occasion"
            )
        )
        if [number for number, *_ in kept] != list(range(1, len(kept) + 1)) or not kept:
            yield f"dossier {dossier.pk} has the revisions {[number for number, *_ in kept]}"
        elif kept[-1][1:3] != (dossier.sha256, dossier.signature_count):
            yield f"dossier {dossier.pk} is not its newest revision"
        if len({occasion for *_, occasion in kept}) != len(kept):
            yield f"dossier {dossier.pk} was signed twice for the same"


def each_arrival_is_told_apart(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """A changed paper is never called the one that was signed; of the very paper, the machine may leave it to a person."""
    compared = {int(event.subject_id) for event in news.events if event.kind == "arrival.compared"}
    for comparison in ArrivalComparison.objects.filter(pk__in=compared).order_by("pk") if compared else ():
        same = comparison.outcome.suggestion == ArrivalVerdict.SAME
        if same and not world.rescans.get(comparison.sha256):
            yield f"the rescan {comparison.pk} of another paper than original {comparison.original_id} is called the same"


def every_difference_is_answered_for(world: World) -> Iterator[str]:
    """Asked at the end: what an officer called another paper than the signed one opened one incident."""
    for comparison in ArrivalComparison.objects.filter(verdict=ArrivalVerdict.DIFFERS).order_by("pk"):
        opened = Incident.objects.filter(
            kind=IncidentKind.ARRIVAL_DIFFERS.value, original=comparison.original_id
        ).count()
        if opened != 1:
            yield f"{opened} incidents tell that original {comparison.original_id} differs"


def every_dossier_is_sealed_and_verifies(world: World) -> Iterator[str]:
    """Asked at the end: as many versions as were handed in, each page read, each file sound."""
    submitted = Handling.objects.filter(case__number__in=world.on_paper, case__submitted_at__isnull=False)
    for handling in submitted.select_related("case").order_by("pk"):
        handed_in = Event.objects.filter(
            kind="handling.resubmitted",
            subject_type=Handling._meta.label_lower,
            subject_id=str(handling.pk),
        ).count()
        dossiers = list(handling.dossiers.select_related("handling__case", "stored").order_by("version"))
        versions = [one.version for one in dossiers if one.state == DossierState.SIGNED]
        if versions != list(range(1, handed_in + 2)):
            yield f"{handling.case.number}: versions {versions} are sealed, {handed_in} were handed in again"
        for dossier in dossiers:
            yield from _faults(dossier)
    unread = Page.objects.filter(case__number__in=world.on_paper, case__submitted_at__isnull=False)
    for page in unread.filter(readings__isnull=True).order_by("pk"):
        yield f"page {page.pk} was not read"


def _faults(dossier: Dossier) -> Iterator[str]:
    if dossier.stored is None:
        return
    with scratch("simulated") as folder:
        path = folder / "dossier.pdf"
        fetch_to(dossier.stored, path)
        verdict = check_file(path=path, dossier=dossier)
    if not verdict.is_valid:
        yield f"dossier {dossier.pk} does not verify: {verdict.headline}"
