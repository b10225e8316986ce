"""面单: what the label of a parcel's waybill says, and the label on the paper that is asked for."""

from ingest.models import Case
from logistics.labels import SIZES, Label, Party, as_pdf, as_sheets
from logistics.models import Parcel, Waybill
from logistics.rules.parcels import NotNow, WaybillState
from logistics.rules.payers import Leg, PaymentTerm
from logistics.services.ends import courier_party, thing_at
from registry.actors import Actor
from registry.permissions import check_may
from storage.errors import Refused

SHEET = "a4"


def print_label(*, parcel: Parcel, size: str, actor: Actor) -> bytes:
    """The label as PDF: `size` is one of the label papers, or `a4` for cutting out of a sheet.

    The same parcel and waybill give the same bytes. Raises NotNow while there is no waybill.
    """
    check_may(actor, "label.print", parcel)
    label = label_of(parcel)
    if size == SHEET:
        return as_sheets([label], SIZES["100x150"])
    if size not in SIZES:
        raise Refused("label_size", "没有这种面单规格，请改选 100×150、100×180、76×130 或 A4。")
    return as_pdf([label], SIZES[size])


def label_of(parcel: Parcel) -> Label:
    """The words of the label, an applicant masked."""
    waybill = (
        Waybill.objects.filter(parcel=parcel, state=WaybillState.BOOKED.value)
        .select_related("carrier", "account__centre")
        .first()
    )
    if waybill is None:
        raise NotNow("parcel_no_waybill", "该寄件还没有运单号，请先下单再打印面单。")
    items = list(parcel.items.select_related("original"))
    return Label(
        carrier=waybill.carrier.name,
        waybill=waybill.number,
        code=parcel.token_text,
        payment_term=PaymentTerm(waybill.term).label,
        payer=waybill.account.centre.name,
        account=waybill.account.number,
        sender=_party(parcel.sender_kind, parcel.sender_id),
        receiver=_party(parcel.receiver_kind, parcel.receiver_id),
        leg=Leg(parcel.leg).label,
        parcel_number=parcel.number,
        cases=len({item.original.case_id for item in items}),
        items=len(items),
        weight=parcel.weight_g,
        routing=str(waybill.routing.get("route_code", "")),
    )


def _party(kind: str, pk: int) -> Party:
    party = courier_party(kind, pk)
    if isinstance(thing_at(kind, pk), Case):
        return Party.person(name=party.name, phone=party.phone, address=party.address)
    return Party.organisation(name=party.name, contact="", phone=party.phone, address=party.address)
