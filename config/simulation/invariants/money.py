"""Charges belong to parcels that travel, shares and postings add up, and nothing is paid for what was given up."""

from collections.abc import Iterator

from django.db.models import Count, F, Sum

from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World
from logistics.models import Charge, ChargeShare, Parcel, Posting, Waybill
from logistics.models.waybills import LIVING
from logistics.postage.payment import decide_payment
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.services.weighing import pays_by_weight
from registry.time import local_day

TRAVELLED = [
    ParcelState.HANDED_OVER.value,
    ParcelState.IN_TRANSIT.value,
    ParcelState.DELIVERED.value,
    ParcelState.RECEIVED.value,
    ParcelState.RETURNED.value,
    ParcelState.LOST.value,
]


def _touched(news: News) -> list[int]:
    return [int(event.subject_id) for event in news.events if event.kind.startswith("charge.")]


def each_parcel_is_charged_once(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """One standing charge at most, for a waybill that the parcel has."""
    touched = _touched(news)
    if not touched:
        return
    standing = Charge.objects.standing()
    if news.tables is not None:
        standing = standing.filter(parcel__in=Charge.objects.filter(pk__in=touched).values("parcel"))
    for row in standing.values("parcel__number").annotate(count=Count("pk")).filter(count__gt=1):
        yield f"{row['parcel__number']} bears {row['count']} charges"
    for charge in standing.exclude(waybill__parcel=F("parcel")).select_related("parcel"):
        yield f"{charge.parcel.number} is charged for the waybill of another parcel"


def each_charge_is_the_payers(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """No fen to the wrong office: who bears a charge is whom the rule names for the case at that moment, and the account
    that the courier bills is of a centre that bears a share, but for what an applicant pays at the courier's counter.
    """
    made = [int(event.subject_id) for event in news.events if event.kind == "charge.made"]
    if not made or news.tables is None:  # later, offices may have refused, and the rule says otherwise
        return
    charges = Charge.objects.filter(pk__in=made).select_related("parcel", "waybill__account")
    for charge in charges.order_by("pk"):
        decision = decide_payment(parcel=charge.parcel, on=local_day(charge.waybill.requested_at))
        rule = [(share.centre_id, share.office_id) for share in decision.shares]
        borne = list(charge.shares.order_by("position").values_list("centre_id", "office_id"))
        if borne != rule:
            yield f"{charge.parcel.number} is borne by {borne}, the rule says {rule}"
        if borne and charge.waybill.account.centre_id not in {centre for centre, _ in borne}:
            yield f"{charge.parcel.number} is ordered on an account of {charge.waybill.account.centre_id}, not {borne}"


def money_adds_up(world: World, told: Chronicle, news: News) -> Iterator[str]:
    """Shares make up their charge, a reversal its opposite, and the ledger says what the charges say."""
    touched = _touched(news)
    if not touched:
        return
    for charge in Charge.objects.filter(pk__in=touched).select_related("reversal_of").order_by("pk"):
        shared = charge.shares.aggregate(sum=Sum("amount_fen"))["sum"] or 0
        if charge.centre_id is not None and shared != charge.amount_fen:
            yield f"charge {charge.pk} of {charge.amount_fen} fen, its shares make {shared}"
        if charge.reversal_of is not None and charge.reversal_of.amount_fen != -charge.amount_fen:
            yield f"reversal {charge.pk} does not take back what was charged"
        moved = Posting.objects.filter(entry__subject=f"charge:{charge.pk}").aggregate(sum=Sum("amount_fen"))
        if (moved["sum"] or 0) != abs(shared):
            yield f"charge {charge.pk} of {charge.amount_fen} fen moves {moved['sum']} in the ledger"
    spent = Posting.objects.filter(debit__kind="expense").aggregate(sum=Sum("amount_fen"))["sum"] or 0
    back = Posting.objects.filter(credit__kind="expense").aggregate(sum=Sum("amount_fen"))["sum"] or 0
    owed = ChargeShare.objects.aggregate(sum=Sum("amount_fen"))["sum"] or 0
    if spent - back != owed:
        yield f"{spent - back} fen of expense in the ledger, {owed} in the charges"


def what_travelled_is_paid_and_nothing_else(world: World) -> Iterator[str]:
    """Asked when all work is done: a waybill that was given up costs nothing, one that travelled is charged."""
    given_up = Charge.objects.standing().exclude(waybill__state__in=LIVING)
    for charge in given_up.select_related("parcel", "waybill"):
        yield f"{charge.parcel.number} still bears {charge.amount_fen} fen for a waybill that was {charge.waybill.state}"
    charged = set(Charge.objects.standing().values_list("waybill_id", flat=True))
    booked = Waybill.objects.filter(state=WaybillState.BOOKED, parcel__state__in=TRAVELLED)
    for waybill in booked.select_related("parcel").order_by("pk"):
        # What an applicant sent at a centre's cost, and nobody ever had in hand, was never weighed.
        if waybill.pk not in charged and not pays_by_weight(waybill.parcel):
            yield f"{waybill.parcel.number} travelled as {waybill.number} and nobody is charged"
    for parcel in Parcel.objects.filter(state=ParcelState.CANCELLED, charges__isnull=False).distinct():
        if Charge.objects.standing().filter(parcel=parcel).exists():
            yield f"{parcel.number} was cancelled and is charged"
