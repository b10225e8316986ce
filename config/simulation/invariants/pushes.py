"""What couriers say is kept, and has exactly one effect; what we order, they make once."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Q

from config.simulation.couriers import shipment_of
from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from logistics.models import TrackingEvent, Waybill, WebhookDelivery
from logistics.models.waybills import LIVING
from logistics.rules.parcels import WaybillState
from logistics.rules.tracking import Scan, TrackingKind, whereabouts
from registry.models import Event

State = WebhookDelivery.State
FOR_A_PERSON = ("", "处理时多次中断", "到保存期限仍无人认领")


def no_acknowledged_push_is_lost(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """What we said we have, we have."""
    answered, world.wire.answered = world.wire.answered, []
    for door, digest in answered:
        if not WebhookDelivery.objects.filter(account__path_digest=door, digest=digest).exists():
            yield f"the push {digest[:12]} was acknowledged and is not there"


def no_forged_push_is_taken(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Neither answered as if it were the courier's nor kept as that."""
    for label in world.wire.forgeries_taken:
        yield f"the forged push {label} was acknowledged"
    if not news.tracked:
        return
    for pk in TrackingEvent.objects.filter(delivery__state=State.FORGED).values_list("pk", flat=True):
        yield f"scan {pk} comes from a forged push"


def each_push_is_applied_once(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Each scan stands once, was said by the courier, and is told in the audit trail no more than once."""
    touched = {scan.waybill_id for scan in news.tracked}
    told_of = [event.data["waybill"] for event in news.events if event.kind == "parcel.tracked"]
    if not (touched or told_of):
        return
    concerned = Q(pk__in=touched) | Q(number__in=told_of)
    for waybill in Waybill.objects.filter(concerned).order_by("pk"):
        yield from _of_waybill(world, told, waybill)


def each_delivery_is_understood(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """No push ends as something that we cannot process; one over which the process died too often may wait for a person."""
    if not news.wrote(WebhookDelivery):
        return
    unfinished = WebhookDelivery.objects.filter(state__in=[State.RECEIVED, State.FAILED])
    for pk, fault in unfinished.exclude(fault__in=FOR_A_PERSON).values_list("pk", "fault"):
        yield f"push {pk}: {fault}"


def the_courier_makes_each_order_once(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """At most one living order at the courier for each of our references, and none for a waybill that we gave up."""
    if not any(event.kind.startswith("waybill.") for event in news.events):
        return
    parcels = {event.data["parcel"] for event in news.events if event.kind.startswith("waybill.")}
    living = [
        one
        for one in world.courier.shipments()
        if one.reference
        and not one.cancelled
        and (news.tables is None or one.reference.rpartition("-")[0] in parcels)
    ]
    references = {one.reference for one in living}
    ours = {
        waybill.reference: waybill
        for waybill in Waybill.objects.filter(reference__in=references).select_related("carrier")
    }
    for order in living:
        waybill = ours.get(order.reference)
        if waybill is not None and _fate_unknown(waybill):
            continue
        state, number = (waybill.state, waybill.number) if waybill is not None else ("", "")
        if state not in LIVING or (number and number != order.number):
            yield f"{order.reference}: {order.number} lives at the courier, ours is {number or 'none'}, {state}"
    for reference, count in Counter(order.reference for order in living).items():
        if count > 1:
            yield f"{reference}: {count} living orders at the courier"


def _fate_unknown(waybill: Waybill) -> bool:
    """EMS cannot be asked by our reference: an order whose answer was lost is given up, and a person calls there."""
    return waybill.carrier.adapter == "ems" and waybill.state == WaybillState.FAILED


def _of_waybill(world: World, told: Chronicle, waybill: Waybill) -> Iterator[str]:
    scans = waybill.scans()
    if told.told_scans[waybill.number] > len(scans):
        yield f"{waybill.number}: {len(scans)} scans, told {told.told_scans[waybill.number]} times"
    yield from _unsaid(world, waybill, scans)
    # A correction that is made of full lists may be made, undone and made again.
    said_once = (scan for scan in scans if scan.kind is not TrackingKind.REVERSAL)
    for (kind, at, _), count in Counter((scan.kind, scan.at, scan.words) for scan in said_once).items():
        if count > 1:
            yield f"{waybill.number}: {kind.value} of {at:%m-%d %H:%M:%S} stands {count} times"
    said_now = whereabouts(scans)
    stands = (waybill.latest_kind, waybill.latest_at)
    if stands != ((said_now[0].value, said_now[1]) if said_now else ("", None)):
        yield f"{waybill.number}: says {stands[0] or 'nothing'}, its scans say otherwise"


def _unsaid(world: World, waybill: Waybill, scans: list[Scan]) -> Iterator[str]:
    """Scans that the courier never told: by the event's id where it has one, else by their moment."""
    number = waybill.number or _number_before(waybill)
    shipment = shipment_of(world.courier, world.couriers, waybill.carrier_id, number)
    events = shipment.events if shipment is not None else []
    if waybill.carrier_id == world.couriers.neutral().pk:
        for key in sorted({scan.key for scan in scans} - {event.id for event in events}):
            yield f"{waybill.number}: the courier never said {key}"
        return
    moments = {event.at.replace(microsecond=0) for event in events}
    for scan in scans:
        if scan.kind is not TrackingKind.REVERSAL and scan.at not in moments:
            yield f"{waybill.number}: the courier said nothing at {scan.at:%m-%d %H:%M:%S} ({scan.kind.value})"


def _number_before(waybill: Waybill) -> str:
    """The number that an applicant's waybill bore until it was called off."""
    told = Event.objects.filter(
        kind="waybill.cancelled",
        subject_type=waybill.parcel._meta.label_lower,
        subject_id=str(waybill.parcel_id),
    )
    last = told.order_by("pk").last()
    return str(last.data["waybill"]) if last is not None else ""
