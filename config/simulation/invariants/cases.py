"""A case is as far as its handlings make it, and it can come to an end."""

from collections.abc import Iterator

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from ingest.models import Case, Original
from ingest.rules import ENDED, CaseState, case_state_from
from logistics.models import Parcel
from logistics.rules.parcels import OPEN
from workers.models import Job, JobState

C = CaseState
AFTERWARDS = {
    C.DECIDED.value: {C.DECIDED.value, C.DELIVERING.value, C.CLOSED.value},
    # One office refused and the applicant withdrew from the rest.
    C.REFUSED.value: {C.REFUSED.value, C.WITHDRAWN.value},
}
AT_REST = (Original.Place.APPLICANT, Original.Place.ARCHIVE, Original.Place.GONE)


def each_case_follows_its_handlings(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Looked at whenever anything was written about it."""
    numbers = {event.case_number for event in news.events if event.case_number}
    if not numbers:
        return
    cases = Case.objects.filter(number__in=numbers).exclude(state=C.DRAFT).only("number", "state")
    for case in cases.order_by("pk"):
        made = str(case_state_from(case.handlings.values_list("state", flat=True)))
        if case.state not in AFTERWARDS.get(made, {made}):
            yield f"{case.number} is {case.state}, its handlings make it {made}"


def each_job_does_what_it_can(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Work may wait, be refused or lose its process; it does not break."""
    stumbled = [
        (event.data["reaction"], event.data["code"]) for event in news.events if event.kind == "job.failed"
    ]
    if news.wrote(Job):
        waiting = Job.objects.filter(state=JobState.QUEUED).exclude(last_error="").order_by("pk")
        stumbled += waiting.values_list("reaction", "last_error")
    for reaction, fault in stumbled:
        if fault[:1].isupper():  # the name of an exception rather than the code of a refusal
            yield f"{reaction}: {fault}"


def every_case_ends(world: World) -> Iterator[str]:
    """Asked once everybody had the time to bring things to their end."""
    for number, state in Case.objects.exclude(state__in=ENDED).order_by("pk").values_list("number", "state"):
        yield f"{number} is still {state}"
    open_parcels = Parcel.objects.filter(state__in=OPEN).order_by("pk")
    for number, state in open_parcels.values_list("number", "state"):
        yield f"{number} is still {state}"
    abroad = Original.objects.exclude(place__in=AT_REST).select_related("case").order_by("pk")
    for original in abroad:
        yield f"{original.case.number} {original.name} is still at {original.place}"
    for reaction, state, fault in Job.objects.exclude(state="done").values_list(
        "reaction", "state", "last_error"
    ):
        yield f"{reaction} is still {state} ({fault})"
