"""What the append-only rows tell, read as they come: the story against which the standing rows are held."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from ingest.models import Original, ResultFile
from logistics.models import CustodyEvent, Parcel, TrackingEvent
from logistics.rules.parcels import ON_THE_ROAD, STEPS, ParcelState
from registry.events import chain_hash
from registry.models import Event, User

ACT_OF = {
    "parcel.sealed": "seal",
    "parcel.unsealed": "unseal",
    "parcel.cancelled": "cancel",
    "parcel.handed_over": "hand_over",
    "parcel.in_transit": "move",
    "parcel.delivered": "deliver",
    "parcel.received": "receive",
    "parcel.returned": "take_back",
    "parcel.lost": "report_lost",
    "parcel.called_off": "call_off",
}
"""Which arrow of the parcel's table an event stands for; `parcel.delivery_reversed` only where it was delivered."""
ARROWS = {(step.act, source): step.target.value for step in STEPS for source in step.sources}
PARCEL = Parcel._meta.label_lower
ORIGINAL = Original._meta.label_lower
FILE = ResultFile._meta.label_lower
TOLD_TO_BE_SENT = frozenset({"parcel.announced", "parcel.came_unannounced"})
"""With the first of these an applicant's parcel begins, on the road; more may be told of it there, and only there."""
ISSUED, TAKEN_BACK, FETCHED = "issued", "taken back", "fetched"
OF_FILES = {
    "result.attached": (("",), ISSUED),
    "result.voided": ((ISSUED,), TAKEN_BACK),
    "result.fetched": ((ISSUED, FETCHED), FETCHED),
    "result.looked_at": ((ISSUED, FETCHED), ""),
}
"""What may have been told of a file before each event, and what is told of it then; "" after a look is as before."""


@dataclass
class Place:
    """Where an original is by its custody rows, and how many there are."""

    place: str
    place_id: int
    sequence: int = 0


@dataclass
class News:
    """What was written since the last reading. `tables`: which were touched since then; None says that it may be any."""

    events: list[Event] = field(default_factory=list)
    custody: list[CustodyEvent] = field(default_factory=list)
    tracked: list[TrackingEvent] = field(default_factory=list)
    tables: frozenset[str] | None = None

    def wrote(self, *models: type[Model]) -> bool:
        """Whether a row of one of these may be another than before."""
        return self.tables is None or any(model._meta.db_table in self.tables for model in models)

    def about(self, model: type[Model]) -> set[int] | None:
        """Keys of the rows of which something was told; None asks to look at all of them."""
        if self.tables is None:
            return None
        label = model._meta.label_lower
        told = {int(event.subject_id) for event in self.events if event.subject_type == label}
        if model is Original:
            told |= {row.original_id for row in self.custody}
        # Written, and nothing was told of it: whatever it was, it is looked for.
        return told or None


@dataclass
class Chronicle:
    """`faults`: rows that cannot follow what was there before them, by the invariant that they break."""

    parcels: dict[int, str] = field(default_factory=dict)
    originals: dict[int, Place] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)
    fetchings: Counter[int] = field(default_factory=Counter)
    told_moves: Counter[int] = field(default_factory=Counter)
    told_scans: Counter[str] = field(default_factory=Counter)
    scans: Counter[int] = field(default_factory=Counter)
    users: dict[str, User] = field(default_factory=dict)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    faults: list[tuple[str, str]] = field(default_factory=list)

    def read(self, tables: frozenset[str] | None = None) -> News:
        """Everything new, folded in. Its faults are told once. `tables`: those that were written since, if it is known."""
        self.faults.clear()
        news = News(
            events=list(self._new(Event, tables)),
            custody=list(self._new(CustodyEvent, tables)),
            tracked=list(self._new(TrackingEvent, tables)),
            tables=tables,
        )
        for event in news.events:
            self._chain(event)
            self._tell(event)
        for row in news.custody:
            self._move(row)
        for scan in news.tracked:
            self.scans[scan.waybill_id] += 1
        return news

    def _new(self, model: Any, tables: frozenset[str] | None) -> Iterator[Any]:
        if tables is not None and model._meta.db_table not in tables:
            return
        name = model._meta.label_lower
        for row in model._default_manager.filter(pk__gt=self.last[name]).order_by("pk"):
            self.last[name] = row.pk
            yield row

    def _chain(self, event: Event) -> None:
        sequence, before = self.heads.get(event.stream, (0, ""))
        if (event.sequence, event.previous_hash) != (sequence + 1, before) or chain_hash(event) != event.hash:
            self.faults.append(
                ("the_audit_chain_is_whole", f"{event.stream}#{event.sequence} does not follow")
            )
        self.heads[event.stream] = (event.sequence, event.hash)

    def _tell(self, event: Event) -> None:
        if event.subject_type == ORIGINAL and event.kind == "original.moved":
            self.told_moves[int(event.subject_id)] += 1
        if event.subject_type == FILE:
            self._tell_file(int(event.subject_id), event)
        if event.subject_type != PARCEL:
            return
        parcel = int(event.subject_id)
        if event.kind == "parcel.packed":
            self.parcels[parcel] = ParcelState.PACKING.value
        elif event.kind in TOLD_TO_BE_SENT:
            self._announce(parcel, event)
        elif event.kind == "parcel.tracked":
            self.told_scans[event.data["waybill"]] += event.data["new"]
        elif event.kind in ACT_OF:
            self._step(parcel, ACT_OF[event.kind], event)
        elif event.kind == "parcel.delivery_reversed" and self._is_delivered(parcel):
            self._step(parcel, "undo_delivery", event)

    def _announce(self, parcel: int, event: Event) -> None:
        known = self.parcels.setdefault(parcel, ParcelState.HANDED_OVER.value)
        again = event.kind == "parcel.announced" and known in ON_THE_ROAD
        if known != ParcelState.HANDED_OVER and not again:
            self.faults.append(
                ("each_parcel_is_explained", f"{event.data.get('parcel')}: {event.kind} after {known}")
            )

    def _tell_file(self, file: int, event: Event) -> None:
        before, then = OF_FILES[event.kind]
        known = self.files.get(file, "")
        if known not in before:
            self.faults.append(
                ("each_file_is_explained", f"file {file}: {event.kind} after {known or 'nothing'}")
            )
        self.files[file] = then or known
        self.fetchings[file] += event.kind == "result.fetched" and event.data["first"]

    def _is_delivered(self, parcel: int) -> bool:
        # What an applicant was said to have received stays received: there the event is an alarm alone.
        return self.parcels.get(parcel) == ParcelState.DELIVERED

    def _step(self, parcel: int, act: str, event: Event) -> None:
        state = self.parcels.get(parcel, "")
        goal = ARROWS.get((act, state))
        if goal is None:
            self.faults.append(
                ("each_parcel_is_explained", f"{event.data.get('parcel')}: {event.kind} after {state}")
            )
            return
        self.parcels[parcel] = goal

    def _move(self, row: CustodyEvent) -> None:
        known = self.originals.get(row.original_id) or _beginning(row.original_id)
        follows = (known.place, known.place_id, known.sequence + 1)
        if (row.from_place, row.from_id, row.sequence) != follows:
            words = (
                f"original {row.original_id}: move {row.sequence} from {row.from_place} {row.from_id}, but it was at "
                f"{known.place} {known.place_id} after move {known.sequence}"
            )
            self.faults.append(("each_original_is_in_one_place", words))
        self.originals[row.original_id] = Place(row.to_place, row.to_id, row.sequence)


BEGINNING = ("kind", "from_applicant", "case_id", "case__window_id", "handling__office_id")
"""What `first_place` has to know of an original, in its order."""


def first_place(kind: str, from_applicant: bool, case: int, window: int, office: int) -> Place:
    """A result begins at the office that made it, a paper at the window that took it in, and one that the applicant is to
    send with the applicant.
    """
    if kind == Original.Kind.RESULT:
        return Place(Original.Place.OFFICE.value, office)
    if from_applicant:
        return Place(Original.Place.APPLICANT.value, case)
    return Place(Original.Place.WINDOW.value, window)


def _beginning(pk: int) -> Place:
    return first_place(*Original.objects.values_list(*BEGINNING).get(pk=pk))
