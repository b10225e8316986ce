"""What we know of the waybills that a statement names, gathered in a few queries for many at once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial

from logistics.models import Carrier, Charge, Parcel, Waybill
from logistics.postage.charging import consignment_of
from logistics.postage.statements import account_label
from logistics.rules.checks import WHOLE, Facts
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.rules.tariffs import Consignment, Tariff, quote_at
from registry.time import local_day


class FactFinder:
    """Finds facts about one carrier's waybills; remembers the contracts it has met."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._tariffs: dict[int, Tariff] = {}

    def facts(self, numbers: Iterable[str]) -> dict[str, Facts]:
        """By waybill number; a number that is not ours is absent."""
        wanted = {number for number in numbers if number}
        waybills = Waybill.objects.filter(carrier=self._carrier, number__in=wanted)
        charges = Charge.objects.standing().filter(waybill__in=waybills)
        by_waybill = {charge.waybill_id: charge for charge in charges.select_related("contract__carrier")}
        return {
            waybill.number: self._one(waybill, by_waybill.get(waybill.pk))
            for waybill in waybills.select_related("parcel", "account__centre")
        }

    def _one(self, waybill: Waybill, charge: Charge | None) -> Facts:
        parcel = waybill.parcel
        if waybill.state == WaybillState.CANCELLED:
            return Facts(
                waybill=waybill.number,
                account=account_label(waybill.account),
                term=waybill.term,
                charged_weight_g=None,
                price=None,
                cancelled_on=_day(waybill.ended_at) or local_day(waybill.requested_at),
            )
        tariff = self._tariff(charge)
        handed_over, delivered = parcel.handed_over_at, _delivered_at(parcel)
        return Facts(
            waybill=waybill.number,
            account=account_label(waybill.account),
            term=waybill.term,
            charged_weight_g=charge.charged_weight_g if charge and tariff else None,
            price=_pricing(charge, tariff),
            tolerance_g=tariff.weight_tolerance_g if tariff else 0,
            handed_over_on=_day(handed_over),
            delivered_at=delivered,
            promised_at=handed_over + timedelta(hours=tariff.promise_hours)
            if tariff and tariff.promise_hours and handed_over
            else None,
            lost_on=_day(parcel.ended_at) if parcel.state == ParcelState.LOST else None,
            late_refund_permille=tariff.late_refund_permille if tariff else 0,
        )

    def _tariff(self, charge: Charge | None) -> Tariff | None:
        if charge is None or charge.contract is None:
            return None
        if charge.contract.pk not in self._tariffs:
            self._tariffs[charge.contract.pk] = charge.contract.as_tariff()
        return self._tariffs[charge.contract.pk]


def _pricing(charge: Charge | None, tariff: Tariff | None) -> Callable[[int], Mapping[str, int]] | None:
    if charge is None or tariff is None:
        return None
    return partial(_priced, tariff, consignment_of(charge.consignment))


def _priced(tariff: Tariff, consignment: Consignment, weight_g: int) -> Mapping[str, int]:
    """What each kind of fee costs at a charged weight, and all together."""
    priced = quote_at(tariff, consignment, weight_g)
    by_kind = {part.code: priced.part(part.code) for part in priced.parts}
    return {**by_kind, WHOLE: priced.total_fen}


def _delivered_at(parcel: Parcel) -> datetime | None:
    """When the courier had done its work: delivered, or ticked off by the receiver, or brought back."""
    if parcel.state == ParcelState.RETURNED:
        return parcel.ended_at
    return parcel.delivered_at or parcel.received_at


def _day(moment: datetime | None) -> date | None:
    return local_day(moment) if moment else None
