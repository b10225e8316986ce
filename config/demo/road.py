"""Second act, on the road: parcels are packed, labelled, scanned, carried and received."""

import io
import secrets
from collections.abc import Iterable

from django.utils import timezone
from PIL import Image

from config.demo.couriers import Couriers
from config.demo.people import People
from config.demo.stage import DemoFailed, sandbox, wait_for
from ingest.codes import CODE128, QR, read_codes
from ingest.models import Case, Original
from logistics.labels import W100H150, as_png
from logistics.models import Carrier, Charge, Parcel, TrackingEvent, Waybill
from logistics.rules.parcels import ParcelState
from logistics.rules.payers import Leg
from logistics.services.custody import confirm_delivery, hand_over, receive_parcel
from logistics.services.ends import End
from logistics.services.labels import label_of
from logistics.services.ordering import order_waybill
from logistics.services.parcels import pack, seal_parcel
from registry.actors import Actor


def send_materials(case: Case, people: People, couriers: Couriers) -> list[Waybill]:
    """Each original in an envelope of its own, freight collect: the deciding office's centre pays."""
    return [
        _send(
            Leg.MATERIALS,
            [original],
            actor=people.clerk,
            ends=(people.window, people.office),
            carrier=couriers.neutral.carrier,
            weight_g=300 + 900 * position,
        )
        for position, original in enumerate(case.originals.filter(place=Original.Place.WINDOW).order_by("pk"))
    ]


def send_back(case: Case, people: People, couriers: Couriers) -> tuple[Waybill, Waybill]:
    """The originals go home with one courier; the result follows with the other, watched through 快递100."""
    held = case.originals.filter(place=Original.Place.OFFICE)
    home = _send(
        Leg.ORIGINAL_RETURN,
        held.filter(kind=Original.Kind.MATERIAL),
        actor=people.officer,
        ends=(people.office, case),
        carrier=couriers.neutral.carrier,
        weight_g=2300,
    )
    number = f"11{secrets.randbelow(10**11):011d}"
    sandbox("/sandbox/shipments", {"number": number, "company": "ems"})
    result = _send(
        Leg.RESULT,
        held.filter(kind=Original.Kind.RESULT),
        actor=people.officer,
        ends=(people.office, case),
        carrier=couriers.followed.carrier,
        weight_g=260,
        number=number,
    )
    return home, result


def carry(waybill: Waybill, *, to: str = "delivered") -> Parcel:
    """The courier moves the parcel and reports by webhook; we only listen. One push comes twice."""
    sandbox("/sandbox/faults", {"kind": "duplicate", "on": "push"})
    sandbox("/sandbox/advance", {"waybill": waybill.number, "to": to, "through": True})
    wait_for(f"the courier's word on {waybill.number}", lambda: _is_delivered(waybill))
    _check_no_scan_twice(waybill)
    return Parcel.objects.get(pk=waybill.parcel_id)


def open_at_office(waybills: Iterable[Waybill], people: People) -> None:
    """The office ticks what is in each envelope against its list."""
    for waybill in waybills:
        parcel = waybill.parcel
        parcel.refresh_from_db()
        listed = [item.original_id for item in parcel.items.all()]
        receive_parcel(parcel=parcel, ticked=listed, actor=people.officer, now=timezone.now())


def confirm_received(waybills: Iterable[Waybill], people: People) -> None:
    for waybill in waybills:
        parcel = Parcel.objects.get(pk=waybill.parcel_id)
        confirm_delivery(parcel=parcel, actor=people.officer, now=timezone.now())


def charge_of(waybill: Waybill) -> Charge:
    return wait_for(f"the charge of {waybill.number}", lambda: Charge.objects.filter(waybill=waybill).first())


def _send(
    leg: Leg,
    originals: Iterable[Original],
    *,
    actor: Actor,
    ends: tuple[End, End],
    carrier: Carrier,
    weight_g: int,
    number: str = "",
) -> Waybill:
    sender, receiver = ends
    parcel = pack(
        leg=leg,
        sender=sender,
        receiver=receiver,
        actor=actor,
        now=timezone.now(),
        originals=originals,
    )
    seal_parcel(parcel=parcel, weight_g=weight_g, actor=actor, now=timezone.now())
    waybill = order_waybill(parcel=parcel, carrier=carrier, actor=actor, now=timezone.now(), number=number)
    hand_over(token=_scanned(waybill), actor=actor, now=timezone.now())
    return waybill


def _scanned(waybill: Waybill) -> str:
    """Print the label as the 203 dpi printer would, and read its QR code off the picture."""
    picture = Image.open(io.BytesIO(as_png(label_of(waybill.parcel), W100H150, dpi=203)))
    codes = {code.format: code.text for code in read_codes(picture, expect=(QR, CODE128))}
    if codes.get(CODE128) != waybill.number or QR not in codes:
        raise DemoFailed(f"the label of {waybill.number} does not read back")
    return codes[QR]


def _is_delivered(waybill: Waybill) -> bool:
    return Parcel.objects.filter(pk=waybill.parcel_id, state=ParcelState.DELIVERED).exists()


def _check_no_scan_twice(waybill: Waybill) -> None:
    keys = list(TrackingEvent.objects.filter(waybill=waybill).values_list("key", flat=True))
    if len(keys) != len(set(keys)):
        raise DemoFailed("a second webhook had a second effect")
