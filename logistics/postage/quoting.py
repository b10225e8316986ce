"""What sending a weighed parcel would cost with each carrier: by our contract, step by step, and by the carrier's word."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from logistics.couriers.base import Quote as Told
from logistics.models import Carrier, CarrierAccount, Parcel
from logistics.postage.charging import consignment_to_price
from logistics.postage.contracts import STANDARD, contract_in_force
from logistics.postage.payment import case_of, decide_payment
from logistics.rules.payers import PaymentTerm
from logistics.rules.tariffs import Consignment, Quote, quote
from logistics.services.accounts import account_of, courier_of
from logistics.services.ends import is_sender
from logistics.services.waybills import PAYMENTS, order_for
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, check_may
from registry.time import local_day
from storage.errors import Refused


@dataclass(frozen=True)
class Offer:
    """One carrier's price. `priced`: by the contract of whoever pays; `told`: by the carrier itself, once it was asked.

    Where one is missing, `unpriced` or `untold` says why.
    """

    carrier: Carrier
    priced: Quote | None = None
    unpriced: str = ""
    told: Told | None = None
    untold: str = ""

    @property
    def difference_fen(self) -> int:
        """How much more than by contract the carrier asks; 0 while either is unknown."""
        return self.told.amount_fen - self.priced.total_fen if self.told and self.priced else 0


def offers(*, parcel: Parcel, actor: Actor, now: datetime, ask: str = "") -> list[Offer]:
    """An offer of each active carrier; the one with the code `ask` is asked for its own. None when the applicant pays.

    Call outside a transaction: asking goes over the network. Raises Refused when nobody can be named to pay.
    """
    check_may(actor, "parcel.pack", parcel)
    if not is_sender(actor, parcel):
        raise NotYours
    decision = decide_payment(parcel=parcel, on=local_day(now))
    if decision.payer_centre_id is None or not parcel.weight_g:
        return []
    centre = ServiceCentre.objects.get(pk=decision.payer_centre_id)
    consignment = consignment_to_price(parcel, case_of(parcel), decision)
    made = []
    for carrier in Carrier.objects.filter(active=True).order_by("name", "pk"):
        try:
            account = account_of(centre=centre, carrier=carrier)
        except Refused as refused:
            made.append(Offer(carrier, unpriced=refused.message, untold=refused.message))
            continue
        offer = _by_contract(account, consignment, on=local_day(now))
        made.append(_by_word(offer, account, parcel, decision.term) if carrier.code == ask else offer)
    return made


def _by_contract(account: CarrierAccount, consignment: Consignment, *, on: date) -> Offer:
    try:
        contract = contract_in_force(
            carrier=account.carrier,
            centre_id=account.centre_id,
            product=str(account.options.get("product", STANDARD)),
            on=on,
        )
        return Offer(account.carrier, priced=quote(contract.as_tariff(), consignment))
    except Refused as refused:
        return Offer(account.carrier, unpriced=refused.message)


def _by_word(offer: Offer, account: CarrierAccount, parcel: Parcel, term: PaymentTerm) -> Offer:
    payer, settling = PAYMENTS[term]
    try:
        order = order_for(
            parcel=parcel, reference=parcel.number, account=account, payer=payer, settling=settling
        )
        return replace(offer, told=courier_of(account).quote(order))
    except Refused as refused:
        return replace(offer, untold=refused.message)
