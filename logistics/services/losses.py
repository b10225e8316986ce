"""查找与报失核销: a paper is not where it lay, is declared lost, confirmed by a second person, or found after all."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from ingest.models import Original
from logistics.models import CustodyEvent, Incident, Loss, ParcelItem
from logistics.rules.losses import LONGEST, Remedy, check_searched, check_second, loss_target
from logistics.rules.parcels import IncidentKind, NotNow, ParcelState
from logistics.services.ends import desk_of
from logistics.services.incidents import end_incident, open_at_desk
from logistics.services.moving import move_original
from logistics.services.parcels import Stale
from registry import events
from registry.actors import Actor
from registry.permissions import NotYours, check_may
from registry.rules.talk import checked_words
from registry.time import to_the_minute

Proof = CustodyEvent.Proof


@dataclass(frozen=True)
class Search:
    """Under which incident an original is looked for, and the row of the packing list that waits for it, if any does."""

    incident: Incident
    item: ParcelItem | None = None


def report_missing(*, original: Original, actor: Actor, now: datetime) -> Incident:
    """Whoever holds an original does not find it on their desk, or in their archive: it is looked for, and the desk has to
    answer, however long ago its case ended.

    From here it is nowhere but "looked for since, last with"; the desk keeps answering for it until it is found or
    written off.
    """
    check_may(actor, "incident.report", original)
    desk = desk_of(actor)
    if not is_held_by(actor, original):
        raise NotNow("original_not_here", f"“{original.name}”不在本处，不能由本处登记查找。")
    with transaction.atomic():
        if ParcelItem.objects.filter(original=original, holds=True).exists():
            raise NotNow("original_packed", f"“{original.name}”已装入寄件，请先从清单中取出。")
        incident = open_at_desk(original=original, owner=desk, actor=actor, now=now)
        move_original(
            original=original,
            to_place=Original.Place.MISSING,
            to_id=incident.pk,
            proof=Proof.REPORT,
            actor=actor,
            now=now,
        )
    return incident


def declare_lost(
    *, original: Original, reason: str, remedy: Remedy, done: str, actor: Actor, now: datetime
) -> Loss:
    """One person says that a missing original will not be found, why, and what was done for the applicant.

    The original stays where it is written down as missing until a second person confirms. Only after the time for
    looking is over; once for each original.
    """
    check_may(actor, "original.write_off", original)
    why = checked_words(reason, what="核销理由", longest=LONGEST)
    what = checked_words(done, what="对申请人的处理说明", longest=LONGEST)
    incident = search_for(original).incident
    due = to_the_minute(incident.due_at)
    check_searched(original.name, due_at=incident.due_at, due=due, now=now)
    with transaction.atomic():
        try:
            with transaction.atomic():
                loss = Loss.objects.create(
                    original=original,
                    incident=incident,
                    reason=why,
                    remedy=remedy.value,
                    done=what,
                    declared_by_id=_person(actor),
                    declared_label=actor.label,
                    declared_at=now,
                )
        except IntegrityError as error:
            raise NotNow("loss_standing", f"“{original.name}”已有人申报核销，请等待复核。") from error
        _record("loss.declared", loss, actor, now, incident=incident.pk, remedy=remedy.value)
    return loss


def confirm_loss(*, loss: Loss, actor: Actor, now: datetime) -> None:
    """A second person confirms: the original's way ends here, and the incident with the last original it waits for."""
    original = loss.original
    check_may(actor, "original.write_off", original)
    check_second(declared_by=str(loss.declared_by_id), decided_by=actor.id)
    with transaction.atomic():
        _move(
            loss,
            "confirm",
            decided_by_id=_person(actor),
            decided_label=actor.label,
            decided_at=now,
        )
        search = search_for(original)
        item = search.item
        if item is not None:
            item.holds = False
            item.save(update_fields=["holds"])
        move_original(
            original=original,
            to_place=Original.Place.GONE,
            to_id=item.parcel_id if item else 0,
            proof=Proof.REPORT,
            parcel=item.parcel if item else None,
            actor=actor,
            now=now,
        )
        for incident in {loss.incident, search.incident}:  # a lost parcel may have come without it meanwhile
            _end_incident(incident, loss, item, actor, now)
        _record("loss.confirmed", loss, actor, now, declared_by=loss.declared_label, remedy=loss.remedy)


def send_back_loss(*, loss: Loss, words: str, actor: Actor, now: datetime) -> None:
    """A second person does not agree: the search goes on, and it may be declared again."""
    check_may(actor, "original.write_off", loss.original)
    check_second(declared_by=str(loss.declared_by_id), decided_by=actor.id)
    answer = checked_words(words, what="退回理由", longest=LONGEST)
    with transaction.atomic():
        _move(
            loss,
            "send_back",
            answer=answer,
            decided_by_id=_person(actor),
            decided_label=actor.label,
            decided_at=now,
        )
        _record("loss.returned", loss, actor, now)


def find_lost(*, original: Original, words: str, actor: Actor, now: datetime) -> None:
    """An original that was written off, or vanished from a desk, lies here after all: with whoever says so. What its
    office had archived, and finds again, is archived again.

    The search for it is over. What was done for the applicant stays written; whether the paper still counts is for
    window and office to settle before it is handed out.
    """
    check_may(actor, "original.write_off", original)
    said = checked_words(words, what="找到的经过", longest=LONGEST)
    if original.place not in (Original.Place.GONE, Original.Place.MISSING):
        raise NotNow("original_not_gone", f"“{original.name}”没有报失核销，也不在查找中，不需要登记找回。")
    place, place_id = _lies_again(original, desk_of(actor))
    under = original.place_id if original.place == Original.Place.MISSING else None
    with transaction.atomic():
        loss = Loss.objects.standing().filter(original=original).first()
        move_original(
            original=original, to_place=place, to_id=place_id, proof=Proof.REPORT, actor=actor, now=now
        )
        if loss is not None:
            Loss.objects.filter(pk=loss.pk).update(found_words=said)
        if under is not None:
            end_incident(
                incident=Incident.objects.get(pk=under),
                resolution=said,
                case_number=original.case.number,
                actor=actor,
                now=now,
            )


def search_for(original: Original) -> Search:
    """How a missing original is looked for. Raises NotNow when it is not missing, or nobody told of an incident."""
    if original.place == Original.Place.MISSING:
        return Search(Incident.objects.get(pk=original.place_id))
    waiting = ParcelItem.objects.filter(original=original, holds=True).select_related("parcel").first()
    if waiting is not None:
        lost = waiting.parcel.state == ParcelState.LOST
        if lost or (
            waiting.parcel.state == ParcelState.RECEIVED and waiting.finding == ParcelItem.Finding.MISSING
        ):
            return Search(_incident_of(waiting), waiting)
    raise NotNow(
        "original_not_missing",
        f"“{original.name}”没有登记为缺失，也没有随寄件报失，不能报失核销；请先登记缺失、报失或在本处找不到。",
    )


def is_held_by(actor: Actor, original: Original) -> bool:
    """Whether it lies on the actor's desk, or in the archive of their office."""
    mine = {
        Original.Place.WINDOW: actor.window_id,
        Original.Place.OFFICE: actor.office_id,
        Original.Place.ARCHIVE: actor.office_id,
    }.get(Original.Place(original.place))
    return mine is not None and mine == original.place_id


def _lies_again(original: Original, desk: tuple[str, int]) -> tuple[str, int]:
    """Where a found original lies: on the finder's desk, or in the archive from which it vanished."""
    if original.place == Original.Place.GONE and original.place_id:
        return desk  # it went with a parcel
    vanished = CustodyEvent.objects.filter(original=original, to_place=Original.Place.MISSING)
    last = vanished.order_by("-sequence").first()
    archive = (Original.Place.ARCHIVE.value, desk[1])
    if desk[0] == Original.Place.OFFICE and last and (last.from_place, last.from_id) == archive:
        return archive
    return desk


def _incident_of(item: ParcelItem) -> Incident:
    """The incident under which it is missing: of the original itself, or of the parcel that it was lost with.

    Raises NotNow when nobody told of one.
    """
    missing = item.finding == ParcelItem.Finding.MISSING
    kind = IncidentKind.MISSING_ITEM if missing else IncidentKind.LOST
    told = Incident.objects.filter(kind=kind.value, parcel=item.parcel)
    if missing:
        told = told.filter(original_id=item.original_id)
    found = told.order_by("-pk").first()
    if found is None:
        raise NotNow("loss_no_incident", "该原件还没有登记物流异常，请先在寄件页登记后再报失核销。")
    return found


def _end_incident(
    incident: Incident, loss: Loss, item: ParcelItem | None, actor: Actor, now: datetime
) -> None:
    """Closed with the loss, unless other originals of the parcel are still looked for under it."""
    if item is not None and incident.kind == IncidentKind.LOST and item.parcel.state == ParcelState.LOST:
        others = item.parcel.items.filter(holds=True).exclude(original=loss.original)
        if others.exists():
            return
    end_incident(
        incident=incident,
        resolution="未找到，已报失核销。",
        case_number=loss.original.case.number,
        actor=actor,
        now=now,
    )


def _move(loss: Loss, act: str, **changes: object) -> None:
    goal = loss_target(act, loss.state)
    if not Loss.objects.filter(pk=loss.pk, state=loss.state).update(state=goal.value, **changes):
        raise Stale
    loss.refresh_from_db()


def _record(kind: str, loss: Loss, actor: Actor, now: datetime, **data: object) -> None:
    events.record(
        kind=kind,
        actor=actor,
        subject=loss,
        now=now,
        case_number=loss.original.case.number,
        data={"original": loss.original_id, **data},
    )


def _person(actor: Actor) -> int:
    """Only people say what is lost. Raises NotYours."""
    if actor.kind != "user":
        raise NotYours
    return int(actor.id)
