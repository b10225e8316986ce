"""Trying a policy on past months: the charges as the rules saw them, decided and priced again."""

from collections.abc import Iterator
from datetime import date
from typing import cast

from logistics.models import Charge, Parcel, TariffContract
from logistics.postage.charging import consignment_of
from logistics.postage.contracts import STANDARD, contract_in_force
from logistics.postage.payment import centre_of, facts_of, is_covered, those_who_decide
from logistics.postage.policies import charges_between
from logistics.postage.reconciling import period_of
from logistics.rules.parcels import Party
from logistics.rules.payers import Decision, Leg, PaymentTerm, Policy, Share, Shipment
from logistics.rules.policies import Past, WhatIf, check_policy, what_if
from logistics.rules.tariffs import Consignment, Tariff, TariffFault, quote
from registry.actors import Actor
from registry.models import Office, ServiceCentre, Window
from registry.permissions import NotYours, Reach, check_may, reaches
from registry.time import local_day
from storage.errors import Refused

MONTHS_AT_MOST = 24


def try_policy(
    *, policy: Policy, centre: ServiceCentre | None, first: str, last: str, actor: Actor
) -> WhatIf:
    """What the charges of the months `first` to `last` ("2026-01") would have been under another policy.

    With a centre only the charges that its own policy decides. Raises Refused for an unsound policy.
    """
    check_may(actor, "policy.edit")
    everywhere = Reach.ALL in reaches(actor, "policy.edit")
    if not everywhere and (centre is None or actor.centre_id != centre.pk):
        raise NotYours
    check_policy(policy)
    start, end = _span(first, last)
    trial = _Trial(centre)
    return what_if(trial.past(start, end), policy, trial.price)


def _span(first: str, last: str) -> tuple[date, date]:
    try:
        start, end = period_of(first).first, period_of(last).after
    except ValueError as fault:
        raise Refused("bad_month", "账期应写成“2026-01”的形式。") from fault
    months = (end.year - start.year) * 12 + end.month - start.month
    if not 0 < months <= MONTHS_AT_MOST:
        raise Refused("bad_month", f"试算的起止账期应先后有序，且不超过 {MONTHS_AT_MOST} 个月。")
    return start, end


class _Trial:
    """Past charges with the directory in memory: a few queries for any number of them."""

    def __init__(self, centre: ServiceCentre | None) -> None:
        self._centre = centre
        offices = Office.objects.select_related("centre__region", "region")
        self._offices = {office.pk: office for office in offices}
        windows = Window.objects.select_related("centre__region")
        self._windows = {window.pk: window for window in windows}
        self._tariffs: dict[tuple[int, int, str, date], Tariff | None] = {}
        # Of the charges on their way through the rules only, so that memory stays flat.
        self._charge: Charge | None = None

    def past(self, first: date, after: date) -> Iterator[Past]:
        for charge in charges_between(self._centre, first, after):
            shipment = self._shipment(charge)
            if self._centre is not None and _policy_centre(shipment) != self._centre.pk:
                continue
            self._charge = charge
            yield Past(
                key=charge.parcel.number,
                month=f"{local_day(charge.waybill.requested_at):%Y-%m}",
                shipment=shipment,
                term=PaymentTerm(charge.term),
                shares=tuple(
                    Share(share.centre_id, share.office_id, share.amount_fen) for share in charge.shares.all()
                ),
                amount_fen=charge.amount_fen,
            )

    def price(self, past: Past, decision: Decision) -> int | None:
        """At the contract of who would pay; what an applicant pays at the counter is the price there was."""
        charge = cast(Charge, self._charge)
        if decision.payer_centre_id is None:
            return past.amount_fen
        tariff = self._tariff(charge, decision.payer_centre_id)
        if tariff is None:
            return None
        sent = consignment_of(charge.consignment)
        extras = sent.extras - {"collect"} | ({"collect"} if decision.term == PaymentTerm.COLLECT else set())
        again = Consignment(
            sent.origin, sent.destination, sent.weight_g, sent.sides_mm, frozenset(extras), sent.declared_fen
        )
        try:
            return quote(tariff, again).total_fen
        except TariffFault:
            return None

    def _tariff(self, charge: Charge, centre_id: int) -> Tariff | None:
        waybill = charge.waybill
        product = str(waybill.account.options.get("product", STANDARD))
        key = (waybill.carrier_id, centre_id, product, local_day(waybill.requested_at))
        if key not in self._tariffs:
            contract: TariffContract | None = None
            try:
                contract = contract_in_force(
                    carrier=waybill.carrier, centre_id=centre_id, product=product, on=key[3]
                )
            except TariffFault:
                contract = None
            self._tariffs[key] = contract.as_tariff() if contract else None
        return self._tariffs[key]

    def _shipment(self, charge: Charge) -> Shipment:
        parcel, case = charge.parcel, charge.case
        handlings = sorted(case.handlings.all(), key=lambda one: (not one.is_lead, one.pk))
        deciding = those_who_decide(handlings)
        sender = self._office(parcel.sender_kind, parcel.sender_id)
        receiver = self._office(parcel.receiver_kind, parcel.receiver_id)
        sending = self._sending_centre(parcel)
        return Shipment(
            leg=Leg(charge.leg),
            mode=charge.mode,
            deciding=tuple(facts_of(office) for office in deciding),
            sender=facts_of(sender) if sender else None,
            receiver=facts_of(receiver) if receiver else None,
            covered=is_covered(case, receiver or sender or next(iter(deciding), None)),
            sending_centre=centre_of(sending) if sending else None,
        )

    def _office(self, kind: str, pk: int) -> Office | None:
        return self._offices[pk] if kind == Party.OFFICE else None

    def _sending_centre(self, parcel: Parcel) -> ServiceCentre | None:
        if parcel.sender_kind == Party.OFFICE:
            return self._offices[parcel.sender_id].centre
        if parcel.sender_kind == Party.WINDOW:
            return self._windows[parcel.sender_id].centre
        return None


def _policy_centre(shipment: Shipment) -> int | None:
    """Whose policy decided it (see `logistics.postage.payment.decide_payment`)."""
    paying = shipment.receiver or shipment.sender or next(iter(shipment.deciding), None)
    return paying.centre.id if paying else None
