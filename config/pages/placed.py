"""Where each original of a case is now and who signed for it, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model

from ingest.models import Original
from ingest.services.stops import onward
from logistics.models import CustodyEvent, Parcel
from registry.actors import Actor
from registry.masking import mask_name
from registry.models import Office, Window

_NAMED: tuple[tuple[Original.Place, type[Model], str], ...] = (
    (Original.Place.WINDOW, Window, "name"),
    (Original.Place.OFFICE, Office, "name"),
    (Original.Place.PARCEL, Parcel, "number"),
)


@dataclass(frozen=True)
class Placed:
    """An original, where it is now and who signed for it (empty while it lies where it was taken in), in words."""

    original: Original
    where: str
    here: bool
    signed_for: str = ""

    @property
    def can_compare(self) -> bool:
        """Whether it arrived here and has signed pages to be held against."""
        at_office = self.original.place == Original.Place.OFFICE
        return self.here and at_office and self.original.kind == Original.Kind.MATERIAL

    @property
    def awaited(self) -> bool:
        """Whether the applicant has it and still has to send it. Asks nothing where its way is loaded."""
        original = self.original
        at_applicant = original.from_applicant and original.place == Original.Place.APPLICANT
        return at_applicant and onward(original) is not None

    @property
    def may_arrive(self) -> bool:
        """Whether an envelope of the applicant's may bring it, waited for or not: it never came. Asks as `awaited` does."""
        original = self.original
        at_applicant = original.from_applicant and original.place == Original.Place.APPLICANT
        return at_applicant and all(stop.reached_at is None for stop in original.stops.all())

    @property
    def can_hand_out(self) -> bool:
        return self.here and self.original.place == Original.Place.WINDOW


def placed(originals: list[Original], actor: Actor) -> list[Placed]:
    """Each original with the name of its place: a query for each kind of place, and one for who signed."""
    last = {
        step.original_id: step
        for step in CustodyEvent.objects.filter(original__in=originals)
        .select_related("handover")
        .order_by("original", "sequence")
    }
    names = places_named(_at(original, last.get(original.pk)) for original in originals)
    return [
        Placed(
            original,
            _where(original, names[_at(original, last.get(original.pk))]),
            here=is_here(original, actor),
            signed_for=_signed_for(last[original.pk]) if original.pk in last else "",
        )
        for original in originals
    ]


def places_named(places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The name of each place, or what kind of place it is; a query for each kind."""
    ids: dict[str, set[int]] = {}
    for kind, pk in places:
        ids.setdefault(kind, set()).add(pk)
    names = {(kind, pk): Original.Place(kind).label for kind, pks in ids.items() for pk in pks}
    for place, model, field in _NAMED:
        if place in ids:
            rows = model._default_manager.filter(pk__in=ids[place]).values_list("pk", field)
            names |= {(place.value, pk): name for pk, name in rows}
    return names


def _at(original: Original, last: CustodyEvent | None) -> tuple[str, int]:
    """Where it is; for what is looked for, the desk on which it lay last, or to which its archive belongs."""
    if original.place == Original.Place.MISSING and last is not None:
        archived = last.from_place == Original.Place.ARCHIVE
        return Original.Place.OFFICE.value if archived else last.from_place, last.from_id
    return original.place, original.place_id


def _where(original: Original, name: str) -> str:
    return f"最后在{name}" if original.place == Original.Place.MISSING else name


def is_here(original: Original, actor: Actor) -> bool:
    """Whether it lies on the desk of this reader's window or office."""
    here = {Original.Place.WINDOW: actor.window_id, Original.Place.OFFICE: actor.office_id}
    at = here.get(Original.Place(original.place))
    return at is not None and at == original.place_id


def _signed_for(step: CustodyEvent) -> str:
    if step.handover is not None:
        return f"揽收员 {mask_name(step.handover.collector)} 签收，交接清单 {step.handover.number}"
    return f"{step.by_label}，{step.get_proof_display()}"
