"""What is done to the papers and files of a case: each on its real way, by whoever holds it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from ingest.models import Case, Handling, Original, ResultFile
from ingest.services.results import attach_result, look_at_result, void_result
from ingest.services.stops import deliverer, onward
from logistics.models import CarrierAccount, Parcel
from logistics.rules.parcels import ON_THE_ROAD, Party
from logistics.rules.payers import Leg, PaymentTerm
from logistics.services.custody import hand_over, receive_parcel, take_back
from logistics.services.endings import archive_original, hand_to_applicant
from logistics.services.ends import End, end_of
from logistics.services.parcels import cancel_parcel, pack, seal_parcel
from logistics.services.waybills import register_waybill
from registry.actors import Actor
from registry.models import Office, Window
from registry.terms import Delivery, Mode
from storage.errors import Refused
from storage.models import Kind, StoredObject

ENDS = {Party.WINDOW.value: Original.Place.WINDOW, Party.OFFICE.value: Original.Place.OFFICE}


class Nothing(Refused):
    """There is nothing here to do this to."""

    def __init__(self) -> None:
        super().__init__("nothing_here", "这里没有可办的。")


@dataclass(frozen=True)
class Going:
    """A leg with its receiver."""

    leg: Leg
    receiver: End


def send(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """Pack, close, weigh and hand over what lies here and goes the same way as the first of it."""
    here = _here(case, actor)
    going = _going(case, here[0])
    together = [original for original in here if _going(case, original) == going]
    parcel = pack(
        leg=going.leg,
        sender=_own_place(actor),
        receiver=going.receiver,
        originals=together,
        actor=actor,
        now=now,
    )
    seal_parcel(parcel=parcel, weight_g=100, actor=actor, now=now)
    register_waybill(
        parcel=parcel,
        account=CarrierAccount.objects.get(),
        number=f"10{parcel.pk:011d}",
        term=PaymentTerm.COLLECT,
        actor=actor,
        now=now,
    )
    return hand_over(token=parcel.token_text, actor=actor, now=now)


def bag(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """Packed and left lying."""
    here = _here(case, actor)
    going = _going(case, here[0])
    return pack(
        leg=going.leg,
        sender=_own_place(actor),
        receiver=going.receiver,
        originals=here[:1],
        actor=actor,
        now=now,
    )


def unbag(case: Case, handling: Handling, actor: Actor, now: datetime) -> None:
    """The bag is given up before it left."""
    parcel = _parcels(case).filter(state="packing").first()
    if parcel is None:
        raise Nothing
    cancel_parcel(parcel=parcel, actor=actor, now=now)


def arrive(case: Case, handling: Handling, actor: Actor, now: datetime) -> None:
    """The receiver ticks everything that is on the list."""
    parcel = _parcels(case).filter(state__in=ON_THE_ROAD).exclude(receiver_kind=Party.APPLICANT).first()
    if parcel is None:
        raise Nothing
    ticked = list(parcel.items.values_list("original_id", flat=True))
    receive_parcel(parcel=parcel, ticked=ticked, actor=actor, now=now)


def come_back(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """Nobody could deliver it: it is in its sender's hands again."""
    parcel = _parcels(case).filter(state__in=ON_THE_ROAD).first()
    if parcel is None:
        raise Nothing
    return take_back(token=parcel.token_text, actor=actor, now=now)


def hand_out(case: Case, handling: Handling, actor: Actor, now: datetime) -> None:
    hand_to_applicant(original=at_counter(case), actor=actor, now=now)


def archive(case: Case, handling: Handling, actor: Actor, now: datetime) -> None:
    archive_original(original=_here(case, actor)[0], actor=actor, now=now)


def attach(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    return attach_result(handling=handling, name="证书", stored=issued(), actor=actor, now=now)


def void(case: Case, handling: Handling, actor: Actor, now: datetime) -> None:
    void_result(file=_file(handling), actor=actor, now=now)


def fetch(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """By a platform for the applicant; by window and office it is a look."""
    return look_at_result(file=_file(handling), actor=actor, now=now)


def at_counter(case: Case) -> Original:
    """The first paper that lies at the window."""
    original = case.originals.filter(place=Original.Place.WINDOW).select_related("handling__office").first()
    if original is None:
        raise Nothing
    return original


def issued() -> StoredObject:
    """The one file that offices of this world issue."""
    return StoredObject.objects.filter(kind=Kind.RESULT).order_by("pk")[0]


def _file(handling: Handling) -> ResultFile:
    files = ResultFile.objects.filter(handling=handling).select_related("handling__case", "handling__office")
    file = files.order_by("voided_at", "pk").first()
    if file is None:
        raise Nothing
    return file


def _here(case: Case, actor: Actor) -> list[Original]:
    kind, pk = end_of(_own_place(actor))
    originals = case.originals.filter(place=ENDS[kind], place_id=pk).exclude(parcel_items__holds=True)
    found = list(originals.select_related("case__window", "handling__office").order_by("pk"))
    if not found:
        raise Nothing
    return found


def _own_place(actor: Actor) -> Window | Office:
    if actor.window_id is not None:
        return Window.objects.get(pk=actor.window_id)
    if actor.office_id is not None:
        return Office.objects.get(pk=actor.office_id)
    raise Nothing


def _going(case: Case, original: Original) -> Going:
    """Where it is needed next, or home."""
    home = case.window if case.delivery == Delivery.WINDOW else case
    if original.kind == Original.Kind.RESULT:
        if case.mode != Mode.JOINT:
            return Going(Leg.RESULT, home)
        lead = deliverer(case.handlings.select_related("office"))
        if original.place_id != lead.office_id:
            return Going(Leg.TRANSFER, lead.office)
        return Going(Leg.JOINT_RESULT, home)
    needed = onward(original)
    if original.place == Original.Place.WINDOW:
        return Going(Leg.MATERIALS, (needed or original.handling).office)
    return Going(Leg.TRANSFER, needed.office) if needed else Going(Leg.ORIGINAL_RETURN, case)


def _parcels(case: Case) -> QuerySet[Parcel]:
    return Parcel.objects.filter(items__original__case=case).order_by("pk").distinct()
