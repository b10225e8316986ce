"""Filling a parcel by scanning: the code on a case's slip, or the separator sheet that lies before one of its materials."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from ingest.models import Case, Material, Original
from logistics.models import Parcel, ParcelItem
from logistics.rules.parcels import NotNow
from logistics.services.ends import is_sender, place_of
from logistics.services.parcels import add_original
from registry.actors import Actor
from registry.models import Slip
from registry.permissions import NotYours, check_may, visible
from registry.tokens import Purpose, WrongPurpose, check
from storage.errors import Refused


def fill_by_scan(*, parcel: Parcel, token: str, actor: Actor, now: datetime) -> list[Original]:
    """Puts the originals that the code stands for on the list, as far as they lie here and go the parcel's way.

    A slip (收件凭证, 受理承诺单) stands for all originals of its case, a separator sheet for those of its material. What was
    scanned before is on the list and stays. Raises ForeignCode, ForgedCode, WrongPurpose; NotNow when nothing of it
    lies here or goes this way, with the reason of the first.
    """
    check_may(actor, "parcel.pack", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
    wanted = _meant_by(token, actor)
    already = wanted.filter(parcel_items__parcel=parcel).exists()
    here = wanted.exclude(parcel_items__parcel=parcel).filter(
        place=place_of(parcel.sender_kind), place_id=parcel.sender_id
    )
    free = here.exclude(pk__in=ParcelItem.objects.filter(holds=True).values("original"))
    added, faults = [], []
    with transaction.atomic():
        for original in free.order_by("kind", "pk"):
            try:
                with transaction.atomic():
                    add_original(parcel=parcel, original=original, actor=actor, now=now)
            except Refused as fault:
                faults.append(fault)
            else:
                added.append(original)
    if added or (already and not faults):
        return added
    raise (
        faults[0]
        if faults
        else NotNow("scan_nothing_here", "这个二维码对应的原件不在本处，或已装入其他寄件。")
    )


def _meant_by(text: str, actor: Actor) -> QuerySet[Original]:
    """The originals that a code stands for, of cases that the actor sees."""
    token = check(text)
    if token.purpose is Purpose.MATERIAL:
        material = Material.objects.filter(token=token.identifier).first()
        case_id = material.case_id if material else 0
        meant = Original.objects.filter(material=material) if material else Original.objects.none()
    elif token.purpose is Purpose.SLIP:
        number = Slip.objects.filter(code=token.identifier).values_list("case_number", flat=True).first()
        case = Case.objects.filter(number=number).first() if number else None
        case_id = case.pk if case else 0
        meant = Original.objects.filter(case_id=case_id)
    else:
        raise WrongPurpose(token.purpose, Purpose.MATERIAL)
    if not visible(actor, "case.see", Case.objects.filter(pk=case_id)).exists():
        raise NotYours
    return meant
