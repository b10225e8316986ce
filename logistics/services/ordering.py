"""A waybill as the postage rule wants it: the payer's account and the payment term follow from the parcel."""

from datetime import datetime

from logistics.models import Carrier, Parcel, Waybill
from logistics.postage.payment import decide_payment
from logistics.services.accounts import account_of
from logistics.services.waybills import book_waybill, register_waybill
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.time import local_day
from storage.errors import Refused


def order_waybill(
    *, parcel: Parcel, carrier: Carrier, actor: Actor, now: datetime, number: str = ""
) -> Waybill:
    """Order a waybill on the account of whoever pays (putian §五(七)); with `number`, follow one written elsewhere.

    Nobody chooses payer or term by hand: a caller that could would one day bill the wrong office.
    Raises Refused when the applicant pays, NoPayer, NoAccount, and what booking raises.
    """
    decision = decide_payment(parcel=parcel, on=local_day(now))
    if decision.payer_centre_id is None:
        raise Refused("payer_applicant", "此件邮资由申请人承担，请由申请人自行寄递后登记运单号。")
    centre = ServiceCentre.objects.get(pk=decision.payer_centre_id)
    account = account_of(centre=centre, carrier=carrier)
    if number:
        return register_waybill(
            parcel=parcel, account=account, number=number, term=decision.term, actor=actor, now=now
        )
    return book_waybill(parcel=parcel, account=account, term=decision.term, actor=actor, now=now)
