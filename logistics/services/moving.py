"""The one way an original changes its place."""

from collections.abc import Mapping
from datetime import datetime

from ingest.models import Original
from ingest.services.stops import reach_stop
from logistics.models import CustodyEvent, HandoverList, Loss, Parcel
from logistics.rules.losses import LossState
from logistics.services.incidents import end_overdue
from logistics.services.parcels import Stale
from registry import events
from registry.actors import Actor
from storage.models import StoredObject

P = Original.Place
WITH_A_PARCEL = frozenset({P.PARCEL, P.LOST, P.GONE})
"""Places whose id is a parcel's, or 0 for what vanished from a desk and is gone."""
OUT_OF_HAND = WITH_A_PARCEL | {P.MISSING}
"""Where nobody can lay a hand on it."""


def move_original(
    *,
    original: Original,
    to_place: str,
    to_id: int,
    proof: CustodyEvent.Proof,
    actor: Actor,
    now: datetime,
    parcel: Parcel | None = None,
    photo: StoredObject | None = None,
    handover: HandoverList | None = None,
    used: Mapping[str, int] | None = None,
    at: datetime | None = None,
) -> CustodyEvent:
    """The one way an original changes its place: compare-and-set, a custody row and an event together.

    `used` names the grant that the act rests on, for the event. `at`: when it moved, where we learn of it later.
    """
    came_from, came_from_id = original.place, original.place_id
    changed = Original.objects.filter(pk=original.pk, place=came_from, place_id=came_from_id).update(
        place=to_place, place_id=to_id, moved_at=at or now
    )
    if not changed:
        raise Stale
    if came_from in OUT_OF_HAND and to_place not in OUT_OF_HAND:
        _note_found(original, actor, now)
    out_of = came_from_id if came_from == Original.Place.PARCEL else None
    end_overdue(original=original, out_of=out_of, now=now)
    if to_place == Original.Place.OFFICE:
        reach_stop(original=original, office_id=to_id, now=now)
    last = CustodyEvent.objects.filter(original=original).order_by("-sequence").first()
    custody = CustodyEvent.objects.create(
        original=original,
        sequence=last.sequence + 1 if last else 1,
        from_place=came_from,
        from_id=came_from_id,
        to_place=to_place,
        to_id=to_id,
        parcel=parcel,
        proof=proof,
        photo=photo,
        handover=handover,
        by_user_id=int(actor.id) if actor.kind == "user" else None,
        by_label=actor.label,
        at=at or now,
    )
    events.record(
        kind="original.moved",
        actor=actor,
        subject=original,
        now=now,
        case_number=original.case.number,
        data={
            "original": original.pk,
            "from": [came_from, came_from_id],
            "to": [str(to_place), to_id],
            "proof": proof.value,
            "parcel": parcel.number if parcel else "",
            **({"handover": handover.number} if handover else {}),
            **(used or {}),
        },
    )
    original.refresh_from_db(fields=["place", "place_id", "moved_at"])
    return custody


def _note_found(original: Original, actor: Actor, now: datetime) -> None:
    """It is in somebody's hands again: what was said about its loss is over, confirmed or not."""
    over = Loss.objects.standing().filter(original=original).first()
    if over is None:
        return
    Loss.objects.filter(pk=over.pk).update(state=LossState.FOUND.value, found_at=now, found_label=actor.label)
    events.record(
        kind="loss.found",
        actor=actor,
        subject=over,
        now=now,
        case_number=original.case.number,
        data={"original": original.pk, "was": over.state},
    )
