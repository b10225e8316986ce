"""What couriers say is kept, and has exactly one effect; what we order, they make once."""

from collections import Counter
from collections.abc import Iterator

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from logistics.models import TrackingEvent, Waybill, WebhookDelivery
from logistics.models.waybills import LIVING
from logistics.rules.tracking import TrackingKind, whereabouts

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
    touched |= set(
        Waybill.objects.filter(
            number__in=[event.data["waybill"] for event in news.events if event.kind == "parcel.tracked"]
        ).values_list("pk", flat=True)
    )
    for waybill in Waybill.objects.filter(pk__in=touched).order_by("pk"):
        yield from _of_waybill(world, told, waybill)


def each_delivery_is_understood(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """No push ends as something that we cannot process; one over which the process died too often may wait for a person."""
    unfinished = WebhookDelivery.objects.filter(state__in=[State.RECEIVED, State.FAILED])
    for pk, fault in unfinished.exclude(fault__in=FOR_A_PERSON).values_list("pk", "fault"):
        yield f"push {pk}: {fault}"


def the_courier_makes_each_order_once(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """At most one living order at the courier for each of our references, and none for a waybill that we gave up."""
    if not any(event.kind.startswith("waybill.") for event in news.events):
        return
    living = [one for one in world.courier.shipments() if one.reference and not one.cancelled]
    ours = {
        reference: (state, number)
        for reference, state, number in Waybill.objects.values_list("reference", "state", "number")
    }
    for order in living:
        state, number = ours.get(order.reference, ("", ""))
        if state not in LIVING or (number and number != order.number):
            yield f"{order.reference}: {order.number} lives at the courier, ours is {number or 'none'}, {state}"
    for reference, count in Counter(order.reference for order in living).items():
        if count > 1:
            yield f"{reference}: {count} living orders at the courier"


def _of_waybill(world: World, told: Chronicle, waybill: Waybill) -> Iterator[str]:
    scans = waybill.scans()
    if told.told_scans[waybill.number] > len(scans):
        yield f"{waybill.number}: {len(scans)} scans, told {told.told_scans[waybill.number]} times"
    if waybill.carrier_id == world.neutral.pk and waybill.number:
        said = {event.id for event in world.courier.adopt(waybill.number).events}
        for key in sorted({scan.key for scan in scans} - said):
            yield f"{waybill.number}: the courier never said {key}"
    # A correction that is made of full lists may be made, undone and made again.
    said_once = (scan for scan in scans if scan.kind is not TrackingKind.REVERSAL)
    for (kind, at, _), count in Counter((scan.kind, scan.at, scan.words) for scan in said_once).items():
        if count > 1:
            yield f"{waybill.number}: {kind.value} of {at:%m-%d %H:%M:%S} stands {count} times"
    said_now = whereabouts(scans)
    stands = (waybill.latest_kind, waybill.latest_at)
    if stands != ((said_now[0].value, said_now[1]) if said_now else ("", None)):
        yield f"{waybill.number}: says {stands[0] or 'nothing'}, its scans say otherwise"
