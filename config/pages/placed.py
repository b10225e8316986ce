"""Where each original of a case is now and who signed for it, in words."""

from dataclasses import dataclass

from django.db.models import Model

from ingest.models import Original
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
    def can_hand_out(self) -> bool:
        return self.here and self.original.place == Original.Place.WINDOW


def placed(originals: list[Original], actor: Actor) -> list[Placed]:
    """Each original with the name of its place: a query for each kind of place, and one for who signed."""
    ids: dict[str, set[int]] = {}
    for original in originals:
        ids.setdefault(original.place, set()).add(original.place_id)
    names: dict[tuple[str, int], str] = {}
    for place, model, field in _NAMED:
        if place in ids:
            rows = model._default_manager.filter(pk__in=ids[place]).values_list("pk", field)
            names |= {(place.value, pk): name for pk, name in rows}
    last = {
        step.original_id: step
        for step in CustodyEvent.objects.filter(original__in=originals)
        .select_related("handover")
        .order_by("original", "sequence")
    }
    return [
        Placed(
            original,
            names.get((original.place, original.place_id), "") or Original.Place(original.place).label,
            here=_is_here(original, actor),
            signed_for=_signed_for(last[original.pk]) if original.pk in last else "",
        )
        for original in originals
    ]


def _is_here(original: Original, actor: Actor) -> bool:
    here = {Original.Place.WINDOW: actor.window_id, Original.Place.OFFICE: actor.office_id}
    at = here.get(Original.Place(original.place))
    return at is not None and at == original.place_id


def _signed_for(step: CustodyEvent) -> str:
    if step.handover is not None:
        return f"揽收员 {mask_name(step.handover.collector)} 签收，交接清单 {step.handover.number}"
    return f"{step.by_label}，{step.get_proof_display()}"
