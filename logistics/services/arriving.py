"""What an applicant's envelope brings to the office without having been told, and finding one by what stands on it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from ingest.models import Case
from ingest.services.awaiting import check_wanted
from logistics.models import Parcel
from logistics.services.announcing import CourierWord, checked, follow_told, open_parcel, put_on_list
from logistics.services.custody import receive_parcel
from logistics.services.parcels import record_parcel
from registry.actors import Actor
from registry.permissions import NotYours, check_may, may, visible
from registry.terms import Mode
from storage.errors import Refused
from storage.models import StoredObject


def receive_unannounced(
    *,
    case: Case,
    ticked: Collection[int],
    actor: Actor,
    now: datetime,
    damaged: Collection[int] = (),
    extra: int = 0,
    weight_g: int | None = None,
    told: CourierWord | None = None,
    photo: StoredObject | None = None,
) -> Parcel:
    """An envelope of the applicant lies on the office's desk of which nobody had told; what is in it is received at once.

    `ticked` and `damaged` are ids of originals that are waited for, or were until the case ended: they lie here now, and
    go back from here. `told`: courier and number from its label, where a centre is to pay for it. Raises NotYours at
    another office.
    """
    check_may(actor, "case.see", case)
    if not receives_papers(case, actor):
        raise NotYours
    inside = {*ticked, *damaged}
    if not inside and extra < 1:
        raise Refused("papers_choice", "请勾选信封里有哪些材料，或填写清单外物品的件数。")
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        originals = check_wanted(case, inside, arrived=True) if inside else []
        told = checked(told) if told is not None else None
        parcel = open_parcel(case=case, told=told, now=now)
        put_on_list(parcel, originals, now=now)
        record_parcel(
            parcel,
            "parcel.came_unannounced",
            actor=actor,
            now=now,
            data={"leg": parcel.leg, "case": case.number},
        )
        if told is not None:
            follow_told(parcel=parcel, told=told, actor=actor, now=now)
        receive_parcel(
            parcel=parcel,
            ticked=inside,
            damaged=damaged,
            extra=extra,
            weight_g=weight_g,
            photo=photo,
            actor=actor,
            now=now,
        )
    return parcel


def receives_papers(case: Case, actor: Actor) -> bool:
    """Whether applicants of this case send their paper to the actor's office, and the actor may take it in."""
    here = actor.kind == "system" or actor.office_id == case.lead_office().pk
    return case.mode == Mode.ONLINE and may(actor, "parcel.receive") and here


def arriving_by_number(*, text: str, actor: Actor) -> Parcel | None:
    """The parcel on its way to the actor's office that bears this waybill number; None when there is not exactly one.

    Applicants' envelopes carry no code of ours: the number on the courier's label is what there is to scan.
    """
    number = "".join(text.split()).upper()
    if not number or actor.office_id is None:
        return None
    coming = Parcel.objects.arriving_at(actor.office_id)
    named = coming.filter(Q(told_number=number) | Q(waybills__number=number, waybills__state="booked"))
    found = list(visible(actor, "parcel.receive", named).distinct()[:2])
    return found[0] if len(found) == 1 else None
