"""Where each original of a case is now, in words."""

from dataclasses import dataclass

from django.db.models import Model

from ingest.models import Original
from logistics.models import Parcel
from registry.actors import Actor
from registry.models import Office, Window

_NAMED: tuple[tuple[Original.Place, type[Model], str], ...] = (
    (Original.Place.WINDOW, Window, "name"),
    (Original.Place.OFFICE, Office, "name"),
    (Original.Place.PARCEL, Parcel, "number"),
)


@dataclass(frozen=True)
class Placed:
    """An original and where it is now, in words."""

    original: Original
    where: str
    here: bool

    @property
    def can_hand_out(self) -> bool:
        return self.here and self.original.place == Original.Place.WINDOW


def placed(originals: list[Original], actor: Actor) -> list[Placed]:
    """Each original with the name of its place, two queries at most for each kind of place."""
    ids: dict[str, set[int]] = {}
    for original in originals:
        ids.setdefault(original.place, set()).add(original.place_id)
    names: dict[tuple[str, int], str] = {}
    for place, model, field in _NAMED:
        if place in ids:
            rows = model._default_manager.filter(pk__in=ids[place]).values_list("pk", field)
            names |= {(place.value, pk): name for pk, name in rows}
    return [
        Placed(
            original,
            names.get((original.place, original.place_id), "") or Original.Place(original.place).label,
            here=_is_here(original, actor),
        )
        for original in originals
    ]


def _is_here(original: Original, actor: Actor) -> bool:
    here = {Original.Place.WINDOW: actor.window_id, Original.Place.OFFICE: actor.office_id}
    at = here.get(Original.Place(original.place))
    return at is not None and at == original.place_id
