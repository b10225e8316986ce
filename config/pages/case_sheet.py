"""One case as its page shows it: a composed read in a constant number of queries."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from config.pages.asked import Asked, asked, may_answer
from config.pages.at_counter import AtCounter, at_counter
from config.pages.case_rows import case_relations, step_of
from config.pages.chips import Chip, case_chip, handling_chip
from config.pages.dossier_rows import Opened, opened
from config.pages.event_words import words_of
from config.pages.journey import JourneyFacts, Station, Travel, first_of, journey
from config.pages.next_step import NextStep, Who
from config.pages.placed import Placed, placed
from dossier.models import Dossier, DossierState, Occasion
from ingest.models import Case, Delay, Handling, Material, Original, Page, SourceFile
from ingest.rules import CASE_STEPS, ENDED, CaseState, HandlingState, open_handling_acts
from ingest.services.handlings import may_still_notify
from logistics.models import Parcel, ParcelItem, TrackingEvent, Waybill
from logistics.rules.parcels import INBOUND, ON_THE_ROAD, OUTBOUND
from logistics.services.ends import is_receiver
from ocr.comparing import Finding
from ocr.findings import Suggestion, findings_of, misplaced_in, waiting_in
from registry.actors import Actor
from registry.deadlines import policy_words
from registry.models import Event, Slip, User
from registry.permissions import may, visible, yours
from registry.terms import Delivery, Mode
from registry.time import local_day
from workers.models import Job, JobState


@dataclass
class Told:
    """One line of the case's timeline; the same act several times in a row is one line with a count."""

    words: str
    by: str
    at: datetime
    count: int = 1


@dataclass(frozen=True)
class Part:
    """One office's part, and what this reader may do with it now."""

    handling: Handling
    chip: Chip
    step: NextStep
    acts: frozenset[str]


@dataclass(frozen=True)
class CaseSheet:
    """Everything the case page shows. `part` is the reader's own part, or the lead's."""

    case: Case
    chip: Chip
    parts: list[Part]
    part: Part
    counter: AtCounter
    materials: list[Material]
    unsorted: list[Page]
    files: list[SourceFile]
    originals: list[Placed]
    parcels: list[Parcel]
    told: list[Told]
    stations: list[Station]
    acts: frozenset[str]
    arriving_ids: frozenset[int]
    dossiers: list[Dossier]
    asked: list[Asked]
    may_answer: bool
    own_dossiers: frozenset[int]
    opened: list[Opened]
    slips: list[Slip]
    failed_work: bool
    delays: list[Delay]
    delay_policies: list[str]
    findings: list[Finding]
    waiting: int
    misplaced: list[Suggestion]
    can_receive_papers: bool

    @property
    def disagreeing(self) -> list[Finding]:
        """What nobody has looked at beside the image yet."""
        return [finding for finding in self.findings if finding.open]

    @property
    def dossiers_pending(self) -> bool:
        """Whether a dossier or slip is still in the making."""
        if self.case.submitted_at is None or self.case.state in ENDED:
            return False
        unfinished = any(dossier.state == DossierState.BUILDING for dossier in self.dossiers)
        return not self.dossiers or unfinished or any(slip.stored_id is None for slip in self.slips)

    @property
    def unreceipted(self) -> frozenset[int]:
        """Signed dossiers that the deciding office has not signed for."""
        return frozenset(
            dossier.pk
            for dossier in self.dossiers
            if dossier.state == DossierState.SIGNED
            and all(revision.occasion != Occasion.RECEIVED for revision in dossier.revisions.all())
        )

    @property
    def without_result(self) -> frozenset[int]:
        """Signed dossiers of decided handlings that do not carry the result's seal yet."""
        return frozenset(
            dossier.pk
            for dossier in self.dossiers
            if dossier.state == DossierState.SIGNED
            and dossier.handling.decided_at is not None
            and all(revision.occasion != Occasion.DECIDED for revision in dossier.revisions.all())
        )

    @property
    def mode(self) -> str:
        return Mode(self.case.mode).label

    @property
    def has_paper_track(self) -> bool:
        return any(station.paper is not None for station in self.stations)

    @property
    def delivery(self) -> str:
        return Delivery(self.case.delivery).label

    @property
    def deadline(self) -> date | None:
        handling = self.part.handling
        return handling.deadline if handling.decided_at is None else None

    @property
    def where(self) -> str:
        """Who holds the digital case now."""
        case, handling = self.case, self.part.handling
        if case.state in (CaseState.DRAFT, CaseState.SUPPLEMENT) or self.part.step.who == Who.WINDOW:
            return case.window.name
        if case.state in ENDED or not self.part.step.who:
            return CaseState(case.state).label
        return handling.office.name

    @property
    def taking_in(self) -> bool:
        """Whether files and originals may still be added by this reader."""
        return "case.upload" in self.acts and self.case.state in (CaseState.DRAFT, CaseState.SUPPLEMENT)

    @property
    def promise_open(self) -> bool:
        """Whether this reader may hand in what was promised (容缺) while the case runs."""
        running = (CaseState.SUBMITTED, CaseState.PRE_REVIEW, CaseState.ACCEPTED, CaseState.SUPPLEMENT)
        return "case.upload" in self.acts and self.case.state in running

    @property
    def partly_decided(self) -> bool:
        return any(part.handling.state == HandlingState.DECIDED for part in self.parts)

    @property
    def can_withdraw(self) -> bool:
        return any(step.act == "withdraw" and self.case.state in step.sources for step in CASE_STEPS)

    @property
    def can_pack(self) -> bool:
        """Whether something of this case lies here that could be packed."""
        return "parcel.pack" in self.acts and any(placed.here for placed in self.originals)

    @property
    def arriving(self) -> Parcel | None:
        """A parcel of this case on its way to this reader."""
        return next((parcel for parcel in self.parcels if parcel.pk in self.arriving_ids), None)

    @property
    def refused_files(self) -> list[SourceFile]:
        return [file for file in self.files if file.verdict == SourceFile.Verdict.REFUSED]

    @property
    def missing(self) -> int:
        """Required rows of the checklist that have too few pages."""
        return sum(bool(lacks(material)) for material in self.materials)


CASE_ACTS = (
    "case.upload",
    "case.submit",
    "case.accept",
    "case.identify",
    "case.choose",
    "case.withdraw",
    "case.deliver",
    "original.take_in",
    "original.compare",
    "parcel.pack",
    "page.see",
    "parcel.see",
    "dossier.download",
    "slip.print",
)
_HANDLING_ACTS = {
    "pre_review": "handling.pre_review",
    "accept": "handling.accept",
    "supplement": "handling.supplement",
    "refuse": "handling.refuse",
    "decide": "handling.decide",
    "resubmit": "case.submit",
    "resubmit_accepted": "case.submit",
}


def find_case(number: str, actor: Actor, act: str = "case.see") -> Case:
    """The case, if the actor may do `act` to it. Raises NotYours."""
    return yours(visible(actor, act, Case.objects.filter(number=number)))


def find_handling(pk: int, actor: Actor, act: str) -> Handling:
    return yours(visible(actor, act, Handling.objects.filter(pk=pk)).select_related("case", "office"))


def read_sheet(number: str, actor: Actor) -> CaseSheet:
    """Load the case with all that belongs to it. Raises NotYours."""
    cases = visible(actor, "case.see", Case.objects.filter(number=number))
    case = yours(cases.select_related("item", "window__centre").prefetch_related(*case_relations()))
    parts = [_part(handling, case, actor) for handling in case.handlings.all()]
    own = [part for part in parts if part.handling.office_id == actor.office_id]
    files = list(case.files.order_by("-uploaded_at", "-pk")) if may(actor, "page.see") else []
    parcels = list(visible(actor, "parcel.see", _parcels(case))) if may(actor, "parcel.see") else []
    dossiers = list(
        Dossier.objects.filter(handling__case=case)
        .select_related("handling__office")
        .prefetch_related("revisions")
        .order_by("handling", "-version")
    )
    downloadable = _downloadable(case, actor)
    told = list(Event.objects.filter(stream=case.number).order_by("sequence"))
    originals = placed(list(case.originals.all()), actor)
    delays = list(Delay.objects.filter(handling__case=case).select_related("handling__office"))
    return CaseSheet(
        case=case,
        chip=case_chip(case.state),
        parts=parts,
        part=own[0] if own else _most_urgent(parts, actor),
        counter=at_counter(case, actor, told),
        materials=_materials(case),
        unsorted=list(case.pages.filter(material__isnull=True, set_aside=False).order_by("pk")),
        files=files,
        originals=originals,
        parcels=parcels,
        told=_tell(told),
        stations=journey(_journey_facts(case, parts[0].handling, told)),
        acts=frozenset(act for act in CASE_ACTS if may(actor, act)),
        dossiers=dossiers,
        asked=asked(case),
        may_answer=may_answer(case),
        own_dossiers=downloadable,
        opened=opened(dossiers, downloadable),
        slips=list(visible(actor, "slip.print", Slip.objects.filter(case_number=case.number)).order_by("pk")),
        findings=findings_of(case, local_day(timezone.now())) if may(actor, "page.see") else [],
        waiting=waiting_in(case) if may(actor, "page.correct") else 0,
        misplaced=misplaced_in(case) if may(actor, "case.upload") else [],
        failed_work=Job.objects.filter(event__case_number=case.number, state=JobState.FAILED).exists(),
        delays=delays,
        delay_policies=policy_words((delay.handling.office.region_id for delay in delays), timezone.now()),
        arriving_ids=frozenset(
            parcel.pk for parcel in parcels if parcel.state in ON_THE_ROAD and is_receiver(actor, parcel)
        ),
        can_receive_papers=bool(own)
        and may(actor, "parcel.receive")
        and any(one.may_arrive for one in originals),
    )


def _most_urgent(parts: list[Part], actor: Actor) -> Part:
    """A window looks at the part that waits for it, such as one office's 补正 of several; otherwise at the lead's."""
    waiting = [part for part in parts if part.handling.state == HandlingState.SUPPLEMENT]
    return waiting[0] if waiting and actor.window_id is not None else parts[0]


def _downloadable(case: Case, actor: Actor) -> frozenset[int]:
    if not may(actor, "dossier.download"):
        return frozenset()
    rows = visible(actor, "dossier.download", Dossier.objects.filter(handling__case=case))
    return frozenset(rows.values_list("pk", flat=True))


def promised(material: Material) -> bool:
    """Whether the row stands on a promise (容缺) whose day has not passed."""
    until = material.deferred_until
    return until is not None and material.promise_kept_at is None and until >= local_day(timezone.now())


def lacks(material: Material) -> str:
    """What is still missing on this row of the checklist, in words; empty when nothing is."""
    requirement = material.requirement
    if not requirement.required or requirement.shared_data or promised(material):
        return ""
    pages = sum(not page.set_aside for page in material.pages.all())
    if pages >= requirement.minimum_pages:
        return ""
    return (
        "缺" if pages == 0 else f"至少 {requirement.minimum_pages} 页"
    ) + "，可容缺" * requirement.deferrable


def _part(handling: Handling, case: Case, actor: Actor) -> Part:
    handling.case = case
    open_acts = open_handling_acts(handling.state, case.mode)
    own_window = actor.window_id == case.window_id
    own_office = actor.office_id == handling.office_id
    allowed = set()
    for act in open_acts:
        if act == "supplement" and handling.noticed_at is not None:
            continue
        name = (
            "case.accept" if act == "accept" and case.mode == Mode.WINDOW_ACCEPT else _HANDLING_ACTS.get(act)
        )
        if name and may(actor, name) and (own_window if name.startswith("case.") else own_office):
            allowed.add(act)
    if own_window and may(actor, "case.notify") and may_still_notify(handling):
        allowed.add("notify")
    return Part(handling, handling_chip(handling.state), step_of(handling), frozenset(allowed))


def _materials(case: Case) -> list[Material]:
    pages = Page.objects.order_by("position", "pk")
    return list(
        case.materials.select_related("requirement")
        .prefetch_related(Prefetch("pages", pages), Prefetch("originals", Original.objects.order_by("pk")))
        .order_by("position")
    )


def _parcels(case: Case) -> QuerySet[Parcel]:
    waybills = (
        Waybill.objects.select_related("carrier")
        .prefetch_related(Prefetch("events", TrackingEvent.objects.order_by("-at", "-key")))
        .order_by("-pk")
    )
    items = ParcelItem.objects.select_related("original").order_by("pk")
    parcels = Parcel.objects.filter(items__original__case=case)
    return parcels.prefetch_related(Prefetch("waybills", waybills), Prefetch("items", items)).order_by("-pk")


def _tell(events: list[Event]) -> list[Told]:
    """Newest first, people by their names."""
    ids = {
        int(event.actor_id) for event in events if event.actor_kind == "user" and event.actor_id.isdecimal()
    }
    names = {str(user.pk): str(user) for user in User.objects.filter(pk__in=ids)}
    lines: list[Told] = []
    for event in reversed(events):
        by = names.get(event.actor_id, event.actor_label) if event.actor_kind == "user" else event.actor_label
        told = Told(words_of(event), by, event.at)
        if lines and (lines[-1].words, lines[-1].by) == (told.words, told.by):
            lines[-1].count += 1
        else:
            lines.append(told)
    return lines


def _journey_facts(case: Case, lead: Handling, told: list[Event]) -> JourneyFacts:
    first = first_of((event.kind, event.at) for event in told)
    ways = list(Parcel.objects.filter(items__original__case=case).distinct().order_by("pk"))
    out = [parcel for parcel in ways if parcel.leg in INBOUND]
    back = [parcel for parcel in ways if parcel.leg in OUTBOUND]
    needs_paper = case.originals.exists() or case.item.requirements.filter(mailed=True).exists()
    return JourneyFacts(
        mode=case.mode,
        case_state=case.state,
        handling_state=lead.state,
        has_paper=needs_paper,
        created=case.created_at,
        submitted=case.submitted_at,
        pre_reviewed=first.get("handling.pre_reviewed"),
        accepted=lead.accepted_at,
        decided=first.get("case.decided"),
        delivering=first.get("case.delivering"),
        closed=case.closed_at,
        taken_in=first.get("original.taken_in") or first.get("original.awaited"),
        out=_travel(out),
        back=_travel(back),
    )


def _travel(parcels: list[Parcel]) -> Travel:
    left = [parcel.handed_over_at for parcel in parcels if parcel.handed_over_at]
    arrived = [moment for parcel in parcels if (moment := parcel.received_at or parcel.delivered_at)]
    return Travel(min(left, default=None), min(arrived, default=None))
