"""Results as files: each is what its events make it, nobody gets one before its time, and no delivery of nothing is over."""

from collections.abc import Iterator

from config.simulation.invariants.chronicle import FETCHED, ISSUED, TAKEN_BACK, Chronicle, News
from config.simulation.world import World
from ingest.models import Case, Handling, Original, ResultFile
from ingest.rules import CaseState, HandlingState
from registry.terms import Delivery
from storage.services import open_verified

OPEN = (
    HandlingState.WAITING.value,
    HandlingState.PENDING.value,
    HandlingState.PRE_REVIEW.value,
    HandlingState.ACCEPTED.value,
    HandlingState.SUPPLEMENT.value,
)


def each_file_is_explained(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """A file is issued once, taken back once and then never fetched, and fetched first once, by whom its events say."""
    if not news.wrote(ResultFile):
        return
    touched = news.about(ResultFile)
    files = ResultFile.objects.all() if touched is None else ResultFile.objects.filter(pk__in=touched)
    for pk, voided, fetched in files.order_by("pk").values_list("pk", "voided_at", "fetched_at"):
        stands = TAKEN_BACK if voided else FETCHED if fetched else ISSUED
        if told.files.get(pk) != stands or told.fetchings[pk] != (fetched is not None):
            yield (
                f"file {pk} is {stands}, but its events say {told.files.get(pk, 'nothing')}, "
                f"first fetched {told.fetchings[pk]} times"
            )


def no_result_is_fetched_before_its_time(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Of 多地联办 nothing is given out while an office has not decided (taizhou-2021 §三(三))."""
    fetched = {int(event.subject_id) for event in news.events if event.kind == "result.fetched"}
    for file in ResultFile.objects.filter(pk__in=fetched).select_related("handling__case") if fetched else ():
        case = file.handling.case
        if undecided := case.handlings.filter(state__in=OPEN).count():
            yield f"file {file.pk} of {case.number} was fetched while {undecided} offices had not decided"


def no_delivery_of_nothing_is_over(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Closed as 电子送达 is only what every office that granted gave a file or a paper for."""
    if not news.wrote(Case, ResultFile):
        return
    over = Handling.objects.filter(
        case__state=CaseState.CLOSED.value, case__delivery=Delivery.ELECTRONIC.value, decision="approved"
    )
    papers = Original.objects.filter(kind=Original.Kind.RESULT).values("handling")
    files = ResultFile.objects.filter(voided_at__isnull=True).values("handling")
    for handling in over.exclude(pk__in=papers).exclude(pk__in=files).select_related("case", "office"):
        yield f"{handling.case.number} is closed, and {handling.office.code} gave nothing to fetch"


def every_file_is_what_was_issued(world: World) -> Iterator[str]:
    """Asked at the end: what is kept is, byte for byte, what an office issued."""
    for file in ResultFile.objects.select_related("stored").order_by("pk"):
        if file.stored.sha256 not in world.issued:
            yield f"file {file.pk} was issued by nobody"
        open_verified(file.stored)
