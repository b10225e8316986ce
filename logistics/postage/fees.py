"""What couriers say that they charge, held against what we expect: a hint before the statement comes, never a bill."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from logistics.couriers.base import ChargeLine
from logistics.couriers.errors import CourierError, NotOffered
from logistics.models import CarrierAccount, CarrierFee, Charge, Parcel, Waybill
from logistics.rules.parcels import WaybillState
from logistics.services.accounts import courier_of
from logistics.services.parcels import record_parcel
from registry.actors import SYSTEM
from registry.time import local_day

log = logging.getLogger("tongban.couriers")
ASK_AFTER = timedelta(days=1)
"""From the hand-over on; couriers weigh what they collected."""
ASK_AGAIN = timedelta(days=1)
ASK_UNTIL = timedelta(days=30)
"""Then the statement is there."""
MOST_ASKED = 50


@dataclass(frozen=True)
class Hint:
    """A parcel's postage as we expect it and as its courier told it, fen and grams. None: not known (yet)."""

    expected_fen: int | None
    told_fen: int | None
    told_weight_g: int | None
    told_at: datetime | None

    @property
    def difference_fen(self) -> int:
        """How much more than expected the courier says; 0 while either is unknown."""
        if self.told_fen is None or self.expected_fen is None:
            return 0
        return self.told_fen - self.expected_fen


def ask_fees(*, now: datetime, at_most: int = MOST_ASKED) -> int:
    """Asks the couriers what they charge for parcels that were handed over; how many amounts were new.

    That a waybill was asked about is kept first, so that a courier that never answers keeps nobody waiting.
    """
    asked: dict[tuple[int, date], list[Waybill]] = defaultdict(list)
    for waybill in _due(now)[:at_most]:
        day = local_day(waybill.parcel.handed_over_at or now)
        asked[waybill.account_id, day.replace(day=1)].append(waybill)
    told = 0
    for (_, month), waybills in asked.items():
        Waybill.objects.filter(pk__in=[waybill.pk for waybill in waybills]).update(fees_asked_at=now)
        account = waybills[0].account
        try:
            lines = courier_of(account).fetch_charges(
                month, waybills=[waybill.number for waybill in waybills]
            )
        except NotOffered:
            continue  # its statement comes as a file
        except CourierError as fault:
            log.warning("fees of account %s: %s, asked again later", account.pk, fault.code)
            continue
        told += _keep(account, lines, now=now)
    return told


def hint_of(parcel: Parcel) -> Hint | None:
    """What the parcel's page says of its postage; None while there is neither a charge nor a word of the courier."""
    charge = Charge.objects.standing().filter(parcel=parcel).first()
    waybill = parcel.waybills.filter(state=WaybillState.BOOKED).first()
    standing = told_of([waybill.pk])[waybill.pk] if waybill else []
    if charge is None and not standing:
        return None
    return Hint(
        expected_fen=charge.amount_fen if charge else None,
        told_fen=sum(fee.amount_fen for fee in standing) if standing else None,
        told_weight_g=max((fee.billed_weight_g for fee in standing), default=None),
        told_at=max((fee.told_at for fee in standing), default=None),
    )


def told_of(waybill_ids: Collection[int]) -> Mapping[int, list[CarrierFee]]:
    """Waybill id → the amounts that hold, one of each kind; empty for those that nothing was told of. One query."""
    latest: dict[int, dict[str, CarrierFee]] = {pk: {} for pk in waybill_ids}
    for fee in CarrierFee.objects.filter(waybill__in=latest).order_by("version", "pk"):
        latest[fee.waybill_id][fee.kind] = fee
    return {pk: list(kinds.values()) for pk, kinds in latest.items()}


def _due(now: datetime) -> QuerySet[Waybill]:
    rested = Q(fees_asked_at__isnull=True) | Q(fees_asked_at__lt=now - ASK_AGAIN)
    return (
        Waybill.objects.select_related("account__carrier", "parcel")
        .filter(
            rested,
            state=WaybillState.BOOKED,
            fees__isnull=True,
            parcel__handed_over_at__lt=now - ASK_AFTER,
            parcel__handed_over_at__gt=now - ASK_UNTIL,
        )
        .order_by(F("fees_asked_at").asc(nulls_first=True), "pk")
    )


def _keep(account: CarrierAccount, lines: Iterable[ChargeLine], *, now: datetime) -> int:
    """Whatever the answer holds of our waybills: some couriers list the whole month, most of it told before."""
    of_waybill: dict[str, list[ChargeLine]] = defaultdict(list)
    for line in lines:
        of_waybill[line.waybill_number].append(line)
    told = 0
    ours = Waybill.objects.filter(account=account, number__in=of_waybill).select_related("parcel")
    for waybill in ours.prefetch_related("fees").order_by("pk"):
        known = {(fee.kind, fee.version, fee.amount_fen) for fee in waybill.fees.all()}
        unknown = [line for line in of_waybill[waybill.number] if _key(line) not in known]
        if not unknown:
            continue
        with transaction.atomic():
            new = sum(_keep_line(waybill, line, now) for line in unknown)
            if new:
                amounts = [fee.amount_fen for fee in told_of([waybill.pk])[waybill.pk]]
                data: dict[str, object] = {"waybill": waybill.number, "told_fen": sum(amounts)}
                record_parcel(waybill.parcel, "waybill.fees_told", actor=SYSTEM, now=now, data=data)
        told += new
    return told


def _key(line: ChargeLine) -> tuple[str, int, int]:
    """What makes an amount another one than those that were told: kind, version, fen."""
    return line.kind[:40], line.version, line.amount_fen


def _keep_line(waybill: Waybill, line: ChargeLine, now: datetime) -> int:
    kind, version, amount_fen = _key(line)
    _, new = CarrierFee.objects.get_or_create(
        waybill=waybill,
        kind=kind,
        version=version,
        amount_fen=amount_fen,
        defaults={
            "billed_weight_g": line.billed_weight_g,
            "payer": line.payer.value,
            "settling": line.settling.value,
            "charged_on": line.charged_on,
            "told_at": now,
        },
    )
    return int(new)
