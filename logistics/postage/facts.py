"""What we know of the waybills that a statement names, gathered in two queries for many at once.

Rows are read as plain values: a month of a large centre names hundreds of thousands of waybills, and whole objects
of parcels and accounts, with their encrypted fields, would cost most of the time of a check.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from logistics.models import Carrier, CarrierAccount, Charge, TariffContract, Waybill
from logistics.postage.charging import consignment_of
from logistics.postage.statements import account_label
from logistics.rules.checks import WHOLE, Facts
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.rules.tariffs import Consignment, Tariff, quote_at
from registry.time import local_day

_MOST_PRICES = 50_000


class _Known(NamedTuple):
    """A waybill with its parcel, in the order in which they are asked for."""

    pk: int
    number: str
    state: str
    term: str
    account_id: int
    requested_at: datetime
    ended_at: datetime | None
    parcel_state: str
    handed_over_at: datetime | None
    delivered_at: datetime | None
    received_at: datetime | None
    parcel_ended_at: datetime | None


class _Charged(NamedTuple):
    waybill_id: int
    centre_id: int | None
    contract_id: int | None
    charged_weight_g: int | None
    consignment: dict[str, Any]


class FactFinder:
    """Finds facts about one carrier's waybills; remembers the accounts, contracts and prices it has met."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        accounts = CarrierAccount.objects.filter(carrier=carrier).select_related("centre")
        self._labels = {account.pk: account_label(account) for account in accounts}
        self._tariffs: dict[int, Tariff] = {}
        self._prices: dict[tuple[int, Consignment, int], Mapping[str, int]] = {}

    def facts(self, numbers: Iterable[str]) -> dict[str, Facts]:
        """By waybill number; a number that is not ours is absent."""
        wanted = {number for number in numbers if number}
        waybills = [
            _Known(*row)
            for row in Waybill.objects.filter(carrier=self._carrier, number__in=wanted).values_list(
                "pk",
                "number",
                "state",
                "term",
                "account_id",
                "requested_at",
                "ended_at",
                "parcel__state",
                "parcel__handed_over_at",
                "parcel__delivered_at",
                "parcel__received_at",
                "parcel__ended_at",
            )
        ]
        charges = Charge.objects.standing().filter(waybill_id__in=[waybill.pk for waybill in waybills])
        by_waybill = {row[0]: _Charged(*row) for row in charges.values_list(*_Charged._fields)}
        return {waybill.number: self._one(waybill, by_waybill.get(waybill.pk)) for waybill in waybills}

    def _one(self, waybill: _Known, charge: _Charged | None) -> Facts:
        account = self._labels.get(waybill.account_id, "")
        if waybill.state == WaybillState.CANCELLED:
            return Facts(
                waybill=waybill.number,
                account=account,
                term=waybill.term,
                charged_weight_g=None,
                price=None,
                cancelled_on=_day(waybill.ended_at) or local_day(waybill.requested_at),
            )
        tariff = self._tariff(charge)
        handed_over = waybill.handed_over_at
        return Facts(
            waybill=waybill.number,
            account=account,
            term=waybill.term,
            charged_weight_g=charge.charged_weight_g if charge and tariff else None,
            price=self._pricing(charge, tariff),
            tolerance_g=tariff.weight_tolerance_g if tariff else 0,
            handed_over_on=_day(handed_over),
            delivered_at=_delivered_at(waybill),
            promised_at=handed_over + timedelta(hours=tariff.promise_hours)
            if tariff and tariff.promise_hours and handed_over
            else None,
            lost_on=_day(waybill.parcel_ended_at) if waybill.parcel_state == ParcelState.LOST else None,
            late_refund_permille=tariff.late_refund_permille if tariff else 0,
            nothing_due=charge is not None and charge.centre_id is None,
        )

    def _tariff(self, charge: _Charged | None) -> Tariff | None:
        if charge is None or charge.contract_id is None:
            return None
        if charge.contract_id not in self._tariffs:
            contract = TariffContract.objects.select_related("carrier").get(pk=charge.contract_id)
            self._tariffs[charge.contract_id] = contract.as_tariff()
        return self._tariffs[charge.contract_id]

    def _pricing(
        self, charge: _Charged | None, tariff: Tariff | None
    ) -> Callable[[int], Mapping[str, int]] | None:
        if charge is None or charge.contract_id is None or tariff is None:
            return None
        return partial(self._priced, charge.contract_id, consignment_of(charge.consignment))

    def _priced(self, contract_id: int, consignment: Consignment, weight_g: int) -> Mapping[str, int]:
        """What each kind of fee costs at a charged weight, and all together."""
        key = (contract_id, consignment, weight_g)
        known = self._prices.get(key)
        if known is None:
            priced = quote_at(self._tariffs[contract_id], consignment, weight_g)
            by_kind = {part.code: priced.part(part.code) for part in priced.parts}
            known = {**by_kind, WHOLE: priced.total_fen}
            if len(self._prices) < _MOST_PRICES:
                self._prices[key] = known
        return known


def _delivered_at(waybill: _Known) -> datetime | None:
    """When the courier had done its work: delivered, or ticked off by the receiver, or brought back."""
    if waybill.parcel_state == ParcelState.RETURNED:
        return waybill.parcel_ended_at
    return waybill.delivered_at or waybill.received_at


def _day(moment: datetime | None) -> date | None:
    return local_day(moment) if moment else None
