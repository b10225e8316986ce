"""Where an original's way ends by hand: with the applicant at the counter, or in the office's archive."""

from datetime import datetime

from django.db import transaction

from ingest.models import Original
from ingest.services.lawful import grant_for
from ingest.services.stops import onward
from logistics.models import CustodyEvent, ParcelItem
from logistics.rules.parcels import NotNow
from logistics.services.moving import move_original
from registry.actors import Actor
from registry.permissions import check_may
from registry.terms import Right
from storage.models import StoredObject

Proof = CustodyEvent.Proof


def hand_to_applicant(
    *, original: Original, actor: Actor, now: datetime, photo: StoredObject | None = None
) -> None:
    """The applicant takes an original or a result at the window's counter and signs for it.

    A result is handed out under the office's grant `deliver` 审批结果送达权.
    """
    check_may(actor, "case.deliver", original.case)
    if original.place != Original.Place.WINDOW or original.place_id != actor.window_id:
        raise NotNow("original_not_here", f"“{original.name}”不在本窗口，不能当面交付。")
    used: dict[str, int] = {}
    if original.kind == Original.Kind.RESULT:
        case, office = original.case, original.handling.office
        used["grant"] = grant_for(
            right=Right.DELIVER, item=case.item, window=case.window, office=office, now=now
        )
    _end(original, Original.Place.APPLICANT, original.case_id, photo=photo, actor=actor, now=now, used=used)


def archive_original(
    *, original: Original, actor: Actor, now: datetime, photo: StoredObject | None = None
) -> None:
    """The office keeps an applicant's original for good; a result is the applicant's and is delivered."""
    check_may(actor, "handling.decide", original.handling)
    if original.kind == Original.Kind.RESULT:
        raise NotNow("original_is_result", f"“{original.name}”是审批结果，应寄出或交给申请人，不能归档留存。")
    if original.place != Original.Place.OFFICE or original.place_id != actor.office_id:
        raise NotNow("original_not_here", f"“{original.name}”不在本部门，不能归档。")
    if (going := onward(original)) is not None:
        raise NotNow(
            "original_needed_next",
            f"“{original.name}”还需送往“{going.office.name}”，请先按联办次序流转，不能归档。",
        )
    _end(
        original,
        Original.Place.ARCHIVE,
        original.place_id,
        proof=Proof.FILED,
        photo=photo,
        actor=actor,
        now=now,
    )


def _end(
    original: Original,
    place: Original.Place,
    place_id: int,
    *,
    photo: StoredObject | None,
    actor: Actor,
    now: datetime,
    used: dict[str, int] | None = None,
    proof: CustodyEvent.Proof = Proof.SIGNATURE,
) -> None:
    """Signed for at its last place, or filed there, unless it lies in a bag."""
    with transaction.atomic():
        if ParcelItem.objects.filter(original=original, holds=True).exists():
            raise NotNow("original_packed", f"“{original.name}”已装入寄件，请先从清单中取出。")
        move_original(
            original=original,
            to_place=place,
            to_id=place_id,
            proof=proof,
            photo=photo,
            actor=actor,
            now=now,
            used=used,
        )
