"""What the append-only rows tell, read as they come: the story against which the standing rows are held."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.models import Original
from logistics.models import CustodyEvent, Parcel, TrackingEvent
from logistics.rules.parcels import STEPS, ParcelState
from registry.events import chain_hash
from registry.models import Event

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
}
"""Which arrow of the parcel's table an event stands for; `parcel.delivery_reversed` only where it was delivered."""
ARROWS = {(step.act, source): step.target.value for step in STEPS for source in step.sources}
PARCEL = Parcel._meta.label_lower
ORIGINAL = Original._meta.label_lower


@dataclass
class Place:
    """Where an original is by its custody rows, and how many there are."""

    place: str
    place_id: int
    sequence: int = 0


@dataclass
class News:
    """What was written since the last reading."""

    events: list[Event] = field(default_factory=list)
    custody: list[CustodyEvent] = field(default_factory=list)
    tracked: list[TrackingEvent] = field(default_factory=list)


@dataclass
class Chronicle:
    """`faults`: rows that cannot follow what was there before them, by the invariant that they break."""

    parcels: dict[int, str] = field(default_factory=dict)
    originals: dict[int, Place] = field(default_factory=dict)
    told_moves: Counter[int] = field(default_factory=Counter)
    told_scans: Counter[str] = field(default_factory=Counter)
    scans: Counter[int] = field(default_factory=Counter)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    faults: list[tuple[str, str]] = field(default_factory=list)

    def read(self) -> News:
        """Everything new, folded in. Its faults are told once."""
        self.faults.clear()
        news = News(
            events=list(self._new(Event)),
            custody=list(self._new(CustodyEvent)),
            tracked=list(self._new(TrackingEvent)),
        )
        for event in news.events:
            self._chain(event)
            self._tell(event)
        for row in news.custody:
            self._move(row)
        for scan in news.tracked:
            self.scans[scan.waybill_id] += 1
        return news

    def _new(self, model: Any) -> Iterator[Any]:
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
        if event.subject_type != PARCEL:
            return
        parcel = int(event.subject_id)
        if event.kind == "parcel.packed":
            self.parcels[parcel] = ParcelState.PACKING.value
        elif event.kind == "parcel.tracked":
            self.told_scans[event.data["waybill"]] += event.data["new"]
        elif event.kind in ACT_OF:
            self._step(parcel, ACT_OF[event.kind], event)
        elif event.kind == "parcel.delivery_reversed" and self._is_delivered(parcel):
            self._step(parcel, "undo_delivery", event)

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


def first_place(kind: str, *, window: int, office: int) -> Place:
    """A paper of the applicant begins at the window, a result at the office that made it."""
    if kind == Original.Kind.RESULT:
        return Place(Original.Place.OFFICE.value, office)
    return Place(Original.Place.WINDOW.value, window)


def _beginning(pk: int) -> Place:
    kind, window, office = Original.objects.values_list("kind", "case__window_id", "handling__office_id").get(
        pk=pk
    )
    return first_place(kind, window=window, office=office)
