"""A scale's bridge tells what it shows; whoever seals a bag at the same place reads it."""

from datetime import datetime, timedelta

from logistics.models import ScaleReading
from logistics.rules.parcels import check_weight
from logistics.services.ends import desk_of
from registry.actors import Actor
from registry.permissions import check_may

FRESH = timedelta(minutes=2)
"""An older weight may be that of another bag."""


def tell_weight(*, weight_g: int, actor: Actor, now: datetime) -> ScaleReading:
    """The weight in grams that the scale of the actor's window or office shows at rest. Nothing is weighed by it alone:
    a person seals, with the weight in the form.
    """
    check_may(actor, "scale.report")
    check_weight(weight_g)
    kind, pk = desk_of(actor)
    reading, _ = ScaleReading.objects.update_or_create(
        place_kind=kind,
        place_id=pk,
        defaults={"weight_g": weight_g, "by_label": actor.label, "at": now},
    )
    return reading


def weight_here(*, actor: Actor, now: datetime) -> ScaleReading | None:
    """What the scale at the reader's own place shows; None when it said nothing lately."""
    kind, pk = desk_of(actor)
    return ScaleReading.objects.filter(place_kind=kind, place_id=pk, at__gt=now - FRESH).first()
